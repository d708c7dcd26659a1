"""Who never left the lowest tier, as their sums tell: their looks need not be repeated one by one (law 8).

A member rises only where `Ladder.could_rise` says so of everything they bought and grew, whenever it was;
the trade itself looks no further where it says no (`loyalty.climbing`). Who stands in the lowest tier of
every version, without a step, an end or a merge, at whom nobody looked but for orders, and whom all that
those looks ever counted could not raise by any version, is therefore made again as they stand. The recount
repeats everybody else: who was raised, given something or merged, or was tampered with to look as if.
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal

from loyalty.publishing import Programmes
from loyalty.tiers import Ladder, Standing
from members import columns

STRETCH = 20_000  # wallets that are asked about at once

# Sums are taken of every look, also of those that a later look at the same order replaced: they can only be
# larger than what ever counted. Growth value must be looked at once for each order, or it would not add up.
_UNMOVED = """
SELECT w.id, w.tier, coalesce(l.spend, 0), coalesce(l.orders, 0), coalesce(l.most_growth, 0)::bigint
  FROM loyalty_wallet w
  LEFT JOIN (SELECT wallet_id, bool_and(kind = 'order' AND source_id IS NULL) AS is_plain,
                    sum(kept) FILTER (WHERE kept > 0) AS spend, count(*) FILTER (WHERE kept > 0) AS orders,
                    sum(growth) AS growth, sum(greatest(growth, 0)) AS most_growth,
                    bool_and(growth = 0) OR count(DISTINCT order_id) = count(*) AS is_sum
               FROM loyalty_tierlook WHERE wallet_id > %(after)s AND wallet_id <= %(last)s
              GROUP BY wallet_id) AS l ON l.wallet_id = w.id
  LEFT JOIN (SELECT wallet_id, sum(growth) AS growth
               FROM loyalty_growthentry WHERE wallet_id > %(after)s AND wallet_id <= %(last)s
              GROUP BY wallet_id) AS g ON g.wallet_id = w.id
 WHERE w.id > %(after)s AND w.id <= %(last)s
   AND w.tier_steps = 0 AND w.tier_since IS NULL AND w.tier_until IS NULL AND w.person_id IS NULL
   AND coalesce(l.is_plain AND l.is_sum, true) AND coalesce(l.growth, 0) = coalesce(g.growth, 0)
   AND NOT EXISTS (SELECT FROM loyalty_tierchange c WHERE c.wallet_id = w.id)
   AND NOT EXISTS (SELECT FROM loyalty_tierbeforemerge b WHERE b.wallet_id = w.id)
"""


def leave_out(programmes: Programmes) -> Iterator[list[int]]:
    """The wallets of all but those who never moved, stretch by stretch, in the order of ids."""
    ladders = [Ladder(held.programme, held.id) for held in programmes.versions]
    after = 0
    while ids := _next(after):
        asked = {"after": after, "last": ids[-1]}
        unmoved = {
            id_
            for id_, tier, spend, orders, growth in columns.ask(_UNMOVED, asked)
            if _stays(tier, Standing(Decimal(spend), orders, growth), programmes, ladders)
        }
        yield [id_ for id_ in ids if id_ not in unmoved]
        after = ids[-1]


def _next(after: int) -> list[int]:
    rows = columns.ask(f"SELECT id FROM loyalty_wallet WHERE id > %s ORDER BY id LIMIT {STRETCH}", [after])
    return [id_ for (id_,) in rows]


def _stays(tier: str, everything: Standing, programmes: Programmes, ladders: Sequence[Ladder]) -> bool:
    """Whether everything together could not have raised somebody who stands here, by any version."""
    return tier in programmes.lowest_tiers() and not any(
        ladder.tier(tier).rank or ladder.could_rise(0, everything) for ladder in ladders
    )
