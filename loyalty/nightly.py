"""What time does, written down each night: points that lapsed, holds that timed out, tiers that ran out.

Nothing depends on it: whoever opens a purse sees the same. The night's work keeps the records short of
nothing for members nobody has asked about. Chunk by chunk, so that no lock is held for long.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.db import connection, transaction

from loyalty import clock, ledger, publishing, tiers
from loyalty.ledger import Purses
from loyalty.tellings import points_changed, tier_changed
from loyalty.tiers import Ladder
from members import outbox
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

_DUE_FOR_JUDGEMENT = """
SELECT member_id FROM loyalty_wallet WHERE member_id > %(after)s AND tier_until <= %(now)s
ORDER BY member_id LIMIT %(chunk)s
"""


@dataclass(slots=True)
class Night:
    """What a run did. `renewed` counts tiers kept for another period."""

    members: int = 0
    expired: int = 0
    lowered: int = 0
    renewed: int = 0


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
            ledger.append(purses)
            outbox.put(told)
        night.members += len(member_ids)
    return night


def reassess_tiers() -> Night:
    """Renew or lower the tiers whose validity and grace have run out (B1)."""
    night = Night()
    for member_ids in _chunks(_DUE_FOR_JUDGEMENT):
        with transaction.atomic():
            _reassess(member_ids, night)
        night.members += len(member_ids)
    return night


def _reassess(member_ids: Sequence[int], night: Night) -> None:
    held = publishing.current()
    ladder = Ladder(held.programme, held.id)
    purses = ledger.lock(member_ids, first_tier=publishing.first_tier)
    ends = [purse.tier_until for purse in purses.values() if purse.tier_until is not None]
    bought = tiers.purchases(member_ids, ladder.since(min([*ends, purses.now])))
    for member_id, purse in purses.items():
        steps, until = len(ladder.steps), purse.tier_until
        ladder.lapse(purse, bought.get(member_id, []), now=purses.now)
        night.lowered += len(ladder.steps) > steps
        night.renewed += len(ladder.steps) == steps and purse.tier_until != until
    told = _moved(purses)
    ledger.append(purses)
    tiers.write(ladder.steps)
    outbox.put([*told, *(tier_changed(step, None) for step in ladder.steps)])


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
