"""The keys of an installation: read from the environment, or made once for the demo."""

import base64
import binascii
import os
import secrets
import tempfile
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

from config import folders

KEY_BYTES = 32


def fresh() -> dict[str, str]:
    """New keys by the names of their settings; the ring holds one key."""
    return {
        "SECRET_KEY": secrets.token_urlsafe(50),
        "DATA_KEYS": f"k{secrets.token_hex(3)}:{base64.b64encode(os.urandom(KEY_BYTES)).decode()}",
        "INDEX_KEY": base64.b64encode(os.urandom(KEY_BYTES)).decode(),
    }


def read_or_make(path: Path) -> dict[str, str]:
    """The keys kept in a file that its owner alone may read; made at the first call, by one process."""
    if not path.exists():
        folders.make(path.parent, folders.PASSABLE)
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f"{path.name}.")  # mode 600
        draft = Path(name)
        with open(descriptor, "w") as file:
            file.writelines(f"{name}={value}\n" for name, value in fresh().items())
            os.fsync(file.fileno())
        try:
            os.link(draft, path)  # whole or not at all, and the first one wins
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return dict(line.split("=", 1) for line in path.read_text().splitlines() if "=" in line)


def read_ring(text: str) -> list[tuple[str, bytes]]:
    """`id:base64(32 bytes),…`, newest first, as (id, key) pairs. Raises ImproperlyConfigured."""
    ring = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, colon, value = part.partition(":")
        if not colon or not name or not value:
            raise ImproperlyConfigured("DATA_KEYS must read id:base64(32 bytes),…")
        ring.append((name, read_key(value, "DATA_KEYS")))
    if len({name for name, _ in ring}) != len(ring):
        raise ImproperlyConfigured("DATA_KEYS names a key twice.")
    return ring


def read_key(text: str, setting: str) -> bytes:
    """A key of 32 bytes in base64; an empty one is left to the checks. Raises ImproperlyConfigured."""
    try:
        key = base64.b64decode(text, validate=True)
    except binascii.Error:
        key = b"?"
    if key and len(key) != KEY_BYTES:
        raise ImproperlyConfigured(f"{setting} must be 32 bytes in base64; `manage.py make_keys` makes one.")
    return key
