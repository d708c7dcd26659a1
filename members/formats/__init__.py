"""Formats: the files of the platforms, one module each. Pure: bytes in, facts and reasons out."""
