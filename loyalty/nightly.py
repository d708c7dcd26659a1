"""What time does, written down each night: points that lapsed, holds that timed out, tiers that ran out.

Nothing depends on it: whoever opens a purse sees the same. The night's work keeps the records short of
nothing for members nobody has asked about. Chunk by chunk, so that no lock is held for long.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from django.db import connection, transaction

from loyalty import clock, ledger, publishing, tier_rounds
from loyalty.ledger import Purses
from loyalty.tellings import points_changed
from loyalty.tier_rounds import Round
from members.outbox import Change

CHUNK = 500

_DUE_FOR_EXPIRY = """
SELECT DISTINCT w.member_id FROM loyalty_wallet w WHERE w.member_id > %(after)s AND (
    EXISTS (SELECT FROM loyalty_lot l
             WHERE l.wallet_id = w.id AND l.remaining > l.held AND l.expires_at <= %(now)s)
 OR EXISTS (SELECT FROM loyalty_hold h
             WHERE h.wallet_id = w.id AND h.state = 'open' AND h.expires_at <= %(now)s)
 OR (w.debt > 0 AND EXISTS (SELECT FROM loyalty_lot l WHERE l.wallet_id = w.id AND l.remaining > l.held
                               AND l.available_from <= %(now)s)))
ORDER BY w.member_id LIMIT %(chunk)s
"""


@dataclass(slots=True)
class Night:
    """What a run did: members looked at, points that lapsed."""

    members: int = 0
    expired: int = 0


def post_expiry() -> Night:
    """Write down every lapse, time-out and settled debt that time has brought (B3)."""
    night = Night()
    for member_ids in _chunks(_DUE_FOR_EXPIRY):
        with transaction.atomic():
            # Locking opens the purses, and opening them lets time pass.
            purses = ledger.lock(member_ids, first_tier=publishing.first_tier)
            told = _moved(purses)
            night.expired -= sum(
                posting.points
                for purse in purses.values()
                for posting in purse.postings
                if posting.kind == "expire"
            )
            ledger.append(purses, told)
        night.members += len(member_ids)
    return night


def reassess_tiers(*, everybody: bool = False) -> Round:
    """Bring tiers in line with a new version, a cut and with time; warn whose tier will end (B1).

    `everybody`: look at all members by the version of now, whomever it concerns.
    """
    done = Round()
    tier_rounds.sweep(done, everybody=everybody)
    tier_rounds.cut(done)
    tier_rounds.reassess(done)
    tier_rounds.warn(done)
    return done


def _moved(purses: Purses) -> list[Change]:
    return [points_changed(purse, purse.postings[:], None) for purse in purses.values() if purse.postings]


def _chunks(query: str) -> Iterator[list[int]]:
    """Member ids for which there is something to do, walked once in their order."""
    after, now = 0, clock.read().now
    while True:
        with connection.cursor() as cursor:
            cursor.execute(query, {"after": after, "now": now, "chunk": CHUNK})
            member_ids = [row[0] for row in cursor.fetchall()]
        if not member_ids:
            return
        yield member_ids
        after = member_ids[-1]
