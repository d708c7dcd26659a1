"""How often something may be asked for, counted in PostgreSQL and so by all processes together (D10).

    rates.count(("phone", phone, FIVE_AN_HOUR), ("ip", address, HUNDRED_AN_HOUR))

A window begins with the first request of its subject and ends `seconds` later. Within one window exactly
`most` requests are let through, however many come at once. A request that one limit refuses counts against
none, so that nobody is shut out for longer by trying. Subjects are kept as keyed indexes only.
"""

from dataclasses import dataclass

from django.db import connection, transaction

from members import columns
from members.errors import TooOften
from privacy.crypto import blind_index


@dataclass(frozen=True, slots=True)
class Limit:
    """At most so many requests in so many seconds."""

    most: int
    seconds: int


Counted = tuple[str, str, Limit]  # what kind of subject, which one, and how often it may

# In the order of the subjects, so that two requests with the same ones wait and never deadlock.
_COUNT = """
INSERT INTO members_ratecount AS kept (subject, ends_at, count)
SELECT told.subject, statement_timestamp() + told.seconds * interval '1 second', 1
  FROM unnest(%s::bytea[], %s::bigint[]) AS told(subject, seconds)
    ON CONFLICT (subject) DO UPDATE SET
       count = CASE WHEN kept.ends_at > statement_timestamp() THEN kept.count + 1 ELSE 1 END,
       ends_at = CASE WHEN kept.ends_at > statement_timestamp() THEN kept.ends_at ELSE EXCLUDED.ends_at END
RETURNING subject, count, ceil(extract(epoch FROM ends_at - statement_timestamp()))::int
"""


def count(*counted: Counted) -> None:
    """Count one request against all of its limits, in one statement. Raises TooOften, which counts nothing.

    Call it outside of a longer transaction: requests of one subject wait for each other until its end.
    """
    limits = {
        blind_index(f"{kind}:{limit.seconds}:{whose}", purpose="rate"): limit
        for kind, whose, limit in counted
    }
    subjects = sorted(limits)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            _COUNT, [columns.blobs(subjects), columns.numbers([limits[each].seconds for each in subjects])]
        )
        waits = [
            max(1, seconds)
            for subject, used, seconds in cursor.fetchall()
            if used > limits[bytes(subject)].most
        ]
        if waits:
            raise TooOften(seconds=max(waits))


def allows(*counted: Counted) -> bool:
    """count() for what nobody needs to be told about: whether there was room."""
    try:
        count(*counted)
    except TooOften:
        return False
    return True


def forget() -> int:
    """Forget the counts whose window has ended; answers how many."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM members_ratecount WHERE ends_at < statement_timestamp()")
        return cursor.rowcount
