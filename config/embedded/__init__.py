"""Django's PostgreSQL backend, for the database that Shuke starts itself."""
