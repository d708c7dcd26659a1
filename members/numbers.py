"""The member number: `SK-` and eight characters, made from the row's id (A7).

Promises: unique without looking, as the id is scrambled by a bijection of 35 bits; says nothing about
how many members there are; one wrong character, or any two that changed places, is noticed.

Crockford's base32 has no I, L, O and U, so a number can be read out over the phone and typed by a clerk.
The check character makes the sum of weight x character zero in the field of 32 elements; every place
has a weight of its own, which is why any two characters that changed places show.
"""

import unicodedata
from functools import lru_cache

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
PREFIX = "SK"
BODY = 7  # characters that carry the id
LARGEST = (1 << 35) - 1

_VALUE = {character: value for value, character in enumerate(ALPHABET)}
_AS_WRITTEN = str.maketrans("OIL", "011", " -\u2010\u2011\u2012\u2013\u2014\u2212\u00ad_.")
_MULTIPLIERS = (0x2C1B3C6D5, 0x297A2D39B)  # odd, so that each multiplication can be undone


def _double(value: int) -> int:
    """Multiply by x in the field of 32 elements (x⁵ + x² + 1)."""
    value <<= 1
    return value ^ 0b100101 if value & 32 else value


def _products() -> tuple[tuple[int, ...], ...]:
    """For each place of the body, weight x value; the weights are x¹ … x⁷, the check's own is x⁰."""
    rows = []
    row = list(range(32))
    for _ in range(BODY):
        row = [_double(value) for value in row]
        rows.append(tuple(row))
    return tuple(rows)


_PRODUCTS = _products()


def _check_of(values: list[int]) -> int:
    check = 0
    for products, value in zip(_PRODUCTS, values, strict=True):
        check ^= products[value]
    return check


def _scramble(number: int) -> int:
    for multiplier in _MULTIPLIERS:
        number ^= number >> 17
        number = number * multiplier & LARGEST
    return number ^ number >> 17


@lru_cache(maxsize=16384)  # a batch names each of its members several times
def number_of(member_id: int) -> str:
    """The number of the member with this id, as `SK-7K2M9QXD`.

    Raises ValueError for an id outside of 0 … 2³⁵ - 1.
    """
    if not 0 <= member_id <= LARGEST:
        raise ValueError("a member id has at most 35 bits")
    scrambled = _scramble(member_id)
    values = [scrambled >> shift & 31 for shift in range(30, -1, -5)]
    body = "".join([ALPHABET[value] for value in values])
    return f"{PREFIX}-{body}{ALPHABET[_check_of(values)]}"


def complete(body: str) -> str:
    """The number with these seven characters, its prefix and check added."""
    return f"{PREFIX}-{body}{ALPHABET[_check_of([_VALUE[character] for character in body])]}"


def read_number(text: str) -> str | None:
    """The member number that was typed or scanned, in its one form; None when it is none.

    Takes lower case, full width, O for 0, I and L for 1, spaces or dashes anywhere, no prefix.
    """
    written = unicodedata.normalize("NFKC", text).upper().translate(_AS_WRITTEN)
    if len(written) == len(PREFIX) + BODY + 1 and written.startswith(PREFIX):
        written = written[len(PREFIX) :]
    if len(written) != BODY + 1 or any(character not in _VALUE for character in written):
        return None
    values = [_VALUE[character] for character in written]
    if _check_of(values[:BODY]) != values[BODY]:
        return None
    return f"{PREFIX}-{written}"
