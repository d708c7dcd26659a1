"""Coupon codes: drawn so that nobody guesses one, and read as people type them (B6). Pure.

A code of ours is twelve characters of Crockford's base32, 60 random bits, shown as `7K2M-9QXD-4TBN`. It has
no I, L, O and U, so it can be read out and typed. Codes of others are kept as they are, but for case and
what stands between their characters.
"""

import re
import secrets
import unicodedata
from collections.abc import Iterator
from typing import Final

from members.numbers import ALPHABET

LENGTH: Final = 12
SHORTEST, LONGEST = 4, 32
_GROUP = 4
# Every byte as one of 32 characters, each from eight bytes: as even as the bytes are.
_OF_BYTE = bytes(ord(ALPHABET[byte % 32]) for byte in range(256))
_BETWEEN = str.maketrans("", "", " \t\u00a0\u3000-\u2010\u2011\u2012\u2013\u2014\u2212\u00ad_.")
_LOOKS_LIKE = str.maketrans("OIL", "011")
_CODE = re.compile(r"[0-9A-Z]{4,32}", re.ASCII)


def draw(count: int) -> Iterator[str]:
    """So many fresh codes, by the system's own source of randomness."""
    characters = secrets.token_bytes(count * LENGTH).translate(_OF_BYTE).decode("ascii")
    return (characters[place : place + LENGTH] for place in range(0, count * LENGTH, LENGTH))


def clean(text: str) -> str | None:
    """A code in its one form, out of lower case, full width, spaces and hyphens; None when it is none."""
    written = unicodedata.normalize("NFKC", text).upper().translate(_BETWEEN)
    return written if _CODE.fullmatch(written) else None


def readings(text: str) -> tuple[str, ...]:
    """The codes that a typed text may mean, the likeliest first: O may be meant for 0, I and L for 1.

    Empty when it can be none.
    """
    written = clean(text)
    if written is None:
        return ()
    return tuple(dict.fromkeys((written, written.translate(_LOOKS_LIKE))))


def shown(code: str) -> str:
    """A code as people read it; codes of others as they are."""
    if len(code) != LENGTH:
        return code
    return "-".join(code[place : place + _GROUP] for place in range(0, LENGTH, _GROUP))


def masked(code: str) -> str:
    """Enough of a code to recognise it, and too little to use it."""
    return f"••••{code[-_GROUP:]}" if len(code) >= 2 * _GROUP else "••••"
