"""How much earning rules have given so far, to how many, and what is left of their budgets (B5).

Read off the rows that the rules' own limits are read off, and off the grants; there is no counter to drift.
"""

from collections.abc import Collection
from dataclasses import dataclass

from django.db.models import Count, Sum

from loyalty.models import Grant, RuleUse
from loyalty.programme import Rule


@dataclass(frozen=True, slots=True)
class Use:
    """What one rule has given under all versions that had it. `things` are coupons, gifts and tiers."""

    points: int = 0
    members: int = 0
    things: int = 0
    thing_members: int = 0
    budget: int | None = None

    @property
    def left(self) -> int | None:
        """The points that are left of the budget; None is no budget."""
        return None if self.budget is None else max(0, self.budget - self.points)


def of(rules: Collection[Rule]) -> dict[str, Use]:
    """The use of each rule by its code, in two statements."""
    codes = [rule.code for rule in rules]
    points = {
        code: (total or 0, members)
        for code, total, members in RuleUse.objects.filter(rule__in=codes)
        .values_list("rule")
        .annotate(total=Sum("points"), members=Count("wallet", distinct=True))
    }
    things = {
        code: (count, members)
        for code, count, members in Grant.objects.filter(
            source=Grant.Source.RULE, state=Grant.State.GIVEN, code__in=codes
        )
        .values_list("code")
        .annotate(count=Count("pk"), members=Count("member", distinct=True))
    }
    return {
        rule.code: Use(*points.get(rule.code, (0, 0)), *things.get(rule.code, (0, 0)), rule.limits.budget)
        for rule in rules
    }
