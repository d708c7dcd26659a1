"""Two buyers made one person, and parted again, beside limit L: each has points, orders and a tier."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from django.db import connection

from benchmarks.bench import Bench, Limit, Row
from benchmarks.clients import Answers
from benchmarks.stopwatch import stopwatch
from loyalty.models import Wallet
from members import merging
from members.models import Merge

MOST = 2_000  # merges at scale 1
REASON = "the same person, as the benchmark says"
# What a merge may not change for good: what each wallet holds, and of which lots.
_HOLDINGS = """
WITH lots AS (
    SELECT wallet_id, array_agg((id, remaining) ORDER BY id)::text AS held FROM loyalty_lot GROUP BY wallet_id
)
SELECT w.member_id, w.balance, w.held, w.debt, w.tier, lots.held
  FROM loyalty_wallet w LEFT JOIN lots ON lots.wallet_id = w.id
 WHERE w.member_id = ANY(%s) ORDER BY w.member_id
"""


def measure_merges(bench: Bench) -> Iterator[Row]:
    """Merge buyers two by two, then undo it all; afterwards each holds what each held before."""
    buyers = list(
        Wallet.objects.filter(balance__gt=0, person=None).values_list("member_id", flat=True)[
            : 2 * bench.rows(MOST)
        ]
    )
    pairs = list(zip(buyers[::2], buyers[1::2], strict=False))
    before = _holdings(buyers)
    with bench.beside_l() as limit:
        made, merging_took = _timed([partial(_merge, *pair) for pair in pairs])
    joined = Wallet.objects.filter(member__in=buyers, person__isnull=False).count()
    yield _row("merge of two buyers", merging_took, limit, faults=2 * len(pairs) - joined)
    with bench.beside_l() as limit:
        _parted, parting_took = _timed([partial(_unmerge, merge.pk) for merge in made])
    different = sum(one != other for one, other in zip(before, _holdings(buyers), strict=True))
    yield _row("unmerge of the two", parting_took, limit, faults=different)


def _row(work: str, done: Answers, limit: Limit, *, faults: int) -> Row:
    return Row(
        work=work,
        size=f"{len(done.milliseconds):,} pairs, one process",
        measured=str(done),
        beside=str(limit),
        ratio=done.rate / limit.rate,
        faults=faults,
    )


def _timed(works: list[Callable[[], Merge]]) -> tuple[list[Merge], Answers]:
    """What each answered, and how long it took."""
    merges, milliseconds = [], []
    for work in works:
        with stopwatch() as seconds:
            merges.append(work())
        milliseconds.append(seconds() * 1000)
    return merges, Answers(seconds=sum(milliseconds) / 1000, milliseconds=milliseconds, statuses={})


def _merge(survivor_id: int, other_id: int) -> Merge:
    return merging.merge(survivor_id, other_id, actor_id=None, reason=REASON)


def _unmerge(merge_id: int) -> Merge:
    return merging.unmerge(merge_id, actor_id=None, reason=REASON)


def _holdings(member_ids: list[int]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(_HOLDINGS, [member_ids])
        return cursor.fetchall()
