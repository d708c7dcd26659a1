"""The demo: a tea brand, the people who buy from it, and the files that its platforms would export."""
