"""The member code: what a member shows at a counter, for a minute and for one use (A7).

24 characters of Crockford's base32, as a member number is written:

    member number (7) | second it was made, its low 15 bits (3) | mark (1) | keyed hash of all three (13)

The hash is HMAC-SHA256, cut to 65 bits, over the number, the whole second and the mark, so that a code
neither fits another member nor comes back after nine hours, when its low bits do. That it was used is a row
with `member_code_spent_once`, written in the transaction of its use.
"""

import secrets
import time
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from hmac import compare_digest
from io import BytesIO

import barcode
import segno
from django.db import connection

from members import seeing
from members.errors import MemberCodeExpired, MemberCodeUnknown, MemberCodeUsed, MemberNotFound
from members.models import Channel, Member
from members.numbers import ALPHABET, BODY, complete, number_of
from privacy.crypto import blind_index

LIFE = 60  # seconds
AHEAD = 5  # seconds by which the clocks of two of our servers may differ
LENGTH = 24
_SECOND, _MARK, _HASH = 3, 1, 13
_CYCLE = 1 << 5 * _SECOND

_VALUE = {character: value for value, character in enumerate(ALPHABET)}
_AS_WRITTEN = str.maketrans("OIL", "011", " -\u2010\u2011\u2012\u2013\u2014\u2212\u00ad_.")


@dataclass(frozen=True, slots=True)
class MemberCode:
    """A code, and until when it may be used."""

    text: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class _Read:
    """A code that was made here."""

    member_no: str
    issued_at: int
    mark: int


def make(member_id: int, *, now: float | None = None) -> MemberCode:
    """A live code of a member. Nothing is written down. now: seconds since 1970."""
    issued_at = int(time.time() if now is None else now)
    mark = secrets.randbelow(1 << 5 * _MARK)
    body = number_of(member_id)[-BODY - 1 : -1]
    seconds = _write(issued_at % _CYCLE, _SECOND)
    text = body + seconds + _write(mark, _MARK) + _hash(body, issued_at, mark)
    return MemberCode(text, datetime.fromtimestamp(issued_at + LIFE, UTC))


def is_one(text: str) -> bool:
    """Whether this has the form of a member code, which neither a phone nor a member number has."""
    return _clean(text) is not None


def spend(
    text: str, *, channel: Channel | None = None, actor_id: int | None = None, now: float | None = None
) -> Member:
    """Whose code this is. It is used by this, in the caller's transaction.

    Raises MemberCodeUnknown, MemberCodeExpired, MemberCodeUsed, and MemberNotFound for a member who is gone.
    """
    moment = time.time() if now is None else now
    read = _read(text, moment)
    if not read.issued_at - AHEAD <= moment <= read.issued_at + LIFE:
        raise MemberCodeExpired
    member = Member.objects.filter(number=read.member_no).first()
    if member is None:
        raise MemberNotFound
    with connection.cursor() as cursor:
        # Who comes second waits here for the first to commit, and then finds the row.
        cursor.execute(
            "INSERT INTO members_spentmembercode (member_id, issued_at, mark, channel_id, actor_id)"
            " VALUES (%s, %s, %s, %s, %s)"
            " ON CONFLICT ON CONSTRAINT member_code_spent_once DO NOTHING",
            [member.pk, read.issued_at, read.mark, channel.pk if channel else None, actor_id],
        )
        if not cursor.rowcount:
            raise MemberCodeUsed
    return seeing.survivor(member)


def _read(text: str, moment: float) -> _Read:
    code = _clean(text)
    if code is None:
        raise MemberCodeUnknown
    body = code[:BODY]
    low = _number(code[BODY : BODY + _SECOND])
    mark = _number(code[BODY + _SECOND])
    # The latest second with these low bits: nothing was made later than a moment from now.
    latest = int(moment) + AHEAD
    issued_at = latest - (latest - low) % _CYCLE
    if not compare_digest(code[-_HASH:], _hash(body, issued_at, mark)):
        raise MemberCodeUnknown
    return _Read(complete(body), issued_at, mark)


def _clean(text: str) -> str | None:
    """The code that was typed or scanned, in its one form; None when it is none."""
    written = unicodedata.normalize("NFKC", text).upper().translate(_AS_WRITTEN)
    is_whole = len(written) == LENGTH and all(character in _VALUE for character in written)
    return written if is_whole else None


def _hash(body: str, issued_at: int, mark: int) -> str:
    digest = blind_index(f"{body}:{issued_at}:{mark}", purpose="member code")
    return _write(int.from_bytes(digest[:9], "big") >> 9 * 8 - 5 * _HASH, _HASH)


def _write(number: int, length: int) -> str:
    return "".join(ALPHABET[number >> 5 * place & 31] for place in reversed(range(length)))


def _number(characters: str) -> int:
    number = 0
    for character in characters:
        number = number << 5 | _VALUE[character]
    return number


def forget() -> int:
    """Forget the codes that were used and have long run out; answers how many."""
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM members_spentmembercode WHERE spent_at < statement_timestamp() - interval '1 day'"
        )
        return cursor.rowcount


# -- As pictures ------------------------------------------------------------------------------------------


def qr(text: str) -> str:
    """A text as a QR code, in SVG that needs no style and no script."""
    drawn = BytesIO()
    segno.make(text, error="m", micro=False).save(
        drawn, kind="svg", xmldecl=False, svgclass=None, lineclass=None, light="#fff", border=4, omitsize=True
    )
    return drawn.getvalue().decode().strip()


def barcode_128(text: str) -> str:
    """A text as a Code 128 barcode, in SVG: ten modules of quiet on either side."""
    (modules,) = barcode.Code128(text).build()
    bars = "".join(f"M{at + 10} 0h{width}v60h-{width}z" for at, width in _bars(modules))
    width = len(modules) + 20
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} 60" preserveAspectRatio="none">'
        f'<path fill="#fff" d="M0 0h{width}v60H0z"/><path fill="#000" d="{bars}"/></svg>'
    )


def _bars(modules: str) -> Iterable[tuple[int, int]]:
    """Where each bar begins and how wide it is, of a row of ones and zeros."""
    at = 0
    while (start := modules.find("1", at)) >= 0:
        end = modules.find("0", start)
        at = len(modules) if end < 0 else end
        yield start, at - start
