"""How each platform's own messages are believed and read: one pure module a platform."""
