"""Sealing of personal values, and the keyed index by which they are found (D5).

Promises: a sealed value opens only in the row, column and table it was sealed for; a changed byte is
noticed; keys change while serving (the value names its key). The index key is another key than the
data keys and never reaches the database: eleven-digit phones are few enough to be tried one by one.

The envelope, in bytes:

    01 | length of key id | key id (ASCII) | nonce (12) | AES-256-GCM ciphertext and tag (16)

The associated data is `table.column.` followed by the 16 bytes of the row's `seal`.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from typing import Any
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from privacy.errors import KeyUnknown, SealBroken

VERSION = 1
NONCE_BYTES = 12
TAG_BYTES = 16
KEY_BYTES = 32
INDEX_BYTES = 32
SEAL_BYTES = 16


@dataclass(frozen=True, slots=True)
class KeyRing:
    """The ciphers by key id, and the head that new envelopes begin with."""

    ciphers: dict[str, AESGCM]
    newest: AESGCM
    head: bytes

    @classmethod
    def of(cls, keys: tuple[tuple[str, bytes], ...]) -> "KeyRing":
        """Build a ring; `keys` are (id, 32 bytes), newest first.

        Raises ValueError for an empty ring, an id that is used twice and a key of another length.
        """
        if not keys:
            raise ValueError("DATA_KEYS is empty")
        if len({key_id for key_id, _ in keys}) != len(keys):
            raise ValueError("DATA_KEYS names a key twice")
        if any(len(key) != KEY_BYTES for _, key in keys):
            raise ValueError("every key in DATA_KEYS must have 32 bytes")
        ciphers = {key_id: AESGCM(key) for key_id, key in keys}
        newest = keys[0][0]
        return cls(ciphers=ciphers, newest=ciphers[newest], head=envelope_head(newest))


def envelope_head(key_id: str) -> bytes:
    """The first bytes of everything that is sealed with this key; rotation looks for them in SQL."""
    name = key_id.encode("ascii")
    if not 1 <= len(name) <= 255:
        raise ValueError("a key id has 1 to 255 ASCII characters")
    return bytes((VERSION, len(name))) + name


_ring_of = lru_cache(maxsize=8)(KeyRing.of)


def _ring() -> KeyRing:
    # Asked for at every call, as settings may be replaced; the ring itself is built once a setting.
    return _ring_of(tuple(settings.DATA_KEYS))


@lru_cache(maxsize=4096)
def _place(table: str, column: str) -> bytes:
    return f"{table}.{column}.".encode()


def seal(text: str, *, table: str, column: str, row: UUID) -> bytes:
    """Encrypt one value with the newest key, bound to its place."""
    ring = _ring()
    nonce = os.urandom(NONCE_BYTES)
    place = _place(table, column) + row.bytes
    return ring.head + nonce + ring.newest.encrypt(nonce, text.encode(), place)


def new_seals(count: int) -> list[bytes]:
    """Seals for rows that are about to be written: 16 random bytes each, as a UUID has them.

    To make a UUID, and to take its bytes for each column, takes as long as to encrypt a value.
    """
    drawn = os.urandom(SEAL_BYTES * count)
    return [drawn[n : n + SEAL_BYTES] for n in range(0, len(drawn), SEAL_BYTES)]


def seal_many(
    texts: Sequence[str | None], *, table: str, column: str, rows: Sequence[bytes]
) -> list[bytes | None]:
    """seal() for one column of many rows, in their order; what is None stays None.

    rows: the 16 bytes of each row's seal.

    The ring, the place and the nonces are got once: by itself the cipher takes a third of seal()'s time.
    """
    ring = _ring()
    head, encrypt = ring.head, ring.newest.encrypt
    place = _place(table, column)
    nonces = os.urandom(NONCE_BYTES * len(texts))
    sealed: list[bytes | None] = []
    for n, (text, row) in enumerate(zip(texts, rows, strict=True)):
        if text is None:
            sealed.append(None)
            continue
        nonce = nonces[n * NONCE_BYTES : (n + 1) * NONCE_BYTES]
        sealed.append(head + nonce + encrypt(nonce, text.encode(), place + row))
    return sealed


def unseal(blob: bytes, *, table: str, column: str, row: UUID) -> str:
    """Decrypt one value in its place.

    Raises KeyUnknown when its key has left the ring, SealBroken when it was changed or moved.
    """
    return _opened(blob, _ring(), _place(table, column) + row.bytes)


def unseal_many(blobs: Sequence[bytes], *, table: str, column: str, rows: Sequence[bytes]) -> list[str]:
    """unseal() for one column of many rows, in their order; rows as for seal_many()."""
    ring, place = _ring(), _place(table, column)
    return [_opened(blob, ring, place + row) for blob, row in zip(blobs, rows, strict=True)]


def _opened(blob: bytes, ring: KeyRing, place: bytes) -> str:
    key_id = key_of(blob)
    cipher = ring.ciphers.get(key_id)
    if cipher is None:
        raise KeyUnknown(key=key_id)
    start = 2 + len(key_id)
    nonce, sealed = blob[start : start + NONCE_BYTES], blob[start + NONCE_BYTES :]
    try:
        return cipher.decrypt(nonce, sealed, place).decode()
    except InvalidTag:
        raise SealBroken from None


def key_of(blob: bytes) -> str:
    """The id of the key that a value was sealed with; SealBroken when it is no envelope at all."""
    if len(blob) < 3 or blob[0] != VERSION or len(blob) < 2 + blob[1] + NONCE_BYTES + TAG_BYTES:
        raise SealBroken
    try:
        return blob[2 : 2 + blob[1]].decode("ascii")
    except UnicodeDecodeError:
        raise SealBroken from None


def newest_key() -> str:
    """The id of the key that new values are sealed with."""
    key_id: str = settings.DATA_KEYS[0][0]
    return key_id


def derive(key: bytes, label: str, *, length: int = KEY_BYTES) -> bytes:
    """A key for one use, from a master key (HKDF-SHA256)."""
    return HKDF(algorithm=SHA256(), length=length, salt=None, info=label.encode()).derive(key)


@lru_cache(maxsize=1024)
def _keyed(master: bytes, purpose: str) -> tuple[Any, Any]:
    """The two halves of HMAC-SHA256 (RFC 2104) with the key of one purpose set up; only ever copied.

    `hmac` does the same behind Python methods of its own, and takes two and a half times as long.
    """
    key = derive(master, f"shuke blind index {purpose}").ljust(sha256().block_size, b"\0")
    return sha256(bytes(byte ^ 0x36 for byte in key)), sha256(bytes(byte ^ 0x5C for byte in key))


def blind_index(value: str, *, purpose: str) -> bytes:
    """32 bytes that are equal for equal values of one purpose, and say nothing without the key.

    `purpose` names what is looked up (`phone`, `email`, `external_id:tmall`): the same text under
    two purposes cannot be compared. The caller brings the value into its one form first (E.164,
    lower case); nothing is folded here, because two different buyer ids may fold into one.
    """
    inner, outer = _keyed(settings.INDEX_KEY, purpose)
    inner, outer = inner.copy(), outer.copy()
    inner.update(value.encode())
    outer.update(inner.digest())
    return outer.digest()
