"""Growth value 成长值: the unit that decides tiers, and that nothing spends (B1). Pure.

An order brings `floor(kept × per yuan)`, counted at the time it was paid; what a refund changes of it is an
entry of its own, the difference. What is given beside orders comes by `loyalty.tier_events.give_growth`.
"""

from decimal import Decimal
from math import floor
from typing import Any

from loyalty.tier_terms import Growth


def of_order(kept: Decimal | None, terms: Growth | None) -> int:
    """The growth value of an order of which so much (yuan) is kept; None for one that does not count."""
    return 0 if kept is None or terms is None else floor(kept * terms.per_yuan)


def explained(kept: Decimal | None, terms: Growth | None, *, total: int, before: int) -> dict[str, Any]:
    """The numbers behind an entry: `kept × per_yuan = total`, and what there was before."""
    why: dict[str, Any] = {"total": total}
    if kept is not None and terms is not None:
        why |= {"kept": str(kept), "per_yuan": str(terms.per_yuan)}
    return why | ({"before": before} if before else {})
