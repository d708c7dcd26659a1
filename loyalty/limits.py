"""How much limited rules may still give: per member, per member's day and month, and in all (B5).

Read off the rows of `RuleUse`, so that there is no counter to drift. Rules with a budget are locked for
the rest of the transaction, in the order of their codes: two batches cannot both spend the last point.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from django.db import connection

from loyalty.earning import Room
from loyalty.programme import Limits as Terms
from loyalty.programme import Rule
from loyalty.purse import Purse

UNLIMITED = Terms()
_LOCKS = 7411  # the namespace of advisory locks for budgets


@dataclass(slots=True)
class Limits:
    """What limited rules have given so far, and what they give while this batch goes on.

    A rule is known by its code through all versions; how much it may give is what the version of an order
    says, so a batch over two versions has one count and two limits.
    """

    codes: frozenset[str]
    total: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    by_day: dict[tuple[str, int], dict[date, int]] = field(default_factory=lambda: defaultdict(dict))

    def room(self, rules: Iterable[Rule], wallet_id: int, day: date) -> Room:
        """What each limited rule of one version may still add for one wallet on one day."""
        known = [rule for rule in rules if rule.code in self.codes]
        lefts = {rule.code: self.left(rule, wallet_id, day) for rule in limited(known)}
        return Room({code: min(left.values()) for code, left in lefts.items()}, lefts)

    def left(self, rule: Rule, wallet_id: int, day: date) -> dict[str, int]:
        """What is left of each limit of a rule, by its name in the programme; never below zero."""
        limits, used = rule.limits, self.by_day.get((rule.code, wallet_id), {})
        return {
            name: max(0, limit - spent)
            for name, limit, spent in (
                ("per_member_day", limits.per_member_day, used.get(day, 0)),
                ("per_member_month", limits.per_member_month, _in_month(used, day)),
                ("per_member", limits.per_member, sum(used.values())),
                ("budget", limits.budget, self.total[rule.code]),
            )
            if limit is not None
        }

    def use(self, wallet_id: int, day: date, uses: Mapping[str, int]) -> None:
        """Count what one order was given against the rooms of the orders after it."""
        for code, points in uses.items():
            if code in self.codes:
                self.total[code] += points
                days = self.by_day[(code, wallet_id)]
                days[day] = days.get(day, 0) + points


def holder(purse: Purse) -> int:
    """The wallet for which a person's uses are counted: merged members have one person's limits."""
    return min(each.wallet_id for each in purse.together)


def persons(purses: Iterable[Purse]) -> Mapping[int, int]:
    """By wallet, the one for which its uses are counted, where that is another."""
    return {purse.wallet_id: holder(purse) for purse in purses if purse.kin}


def _in_month(used: Mapping[date, int], day: date) -> int:
    return sum(points for at, points in used.items() if (at.year, at.month) == (day.year, day.month))


def load(
    running: Collection[Rule],
    wallet_ids: Collection[int],
    counted_for: Mapping[int, int] | None = None,
    *,
    to_spend: bool = True,
) -> Limits:
    """Read what those of these rules that are limited have given to these wallets, and in all.

    counted_for: what `persons` says of these wallets.
    to_spend: nobody else spends from these budgets until the transaction ends; who only looks needs not wait.
    """
    rules = limited(running)
    limits = Limits(frozenset(rule.code for rule in rules))
    if not rules:
        return limits
    budgeted = with_budget(rules)
    with connection.cursor() as cursor:
        if budgeted:
            if to_spend:
                take_turns(budgeted)
            cursor.execute(
                "SELECT rule, sum(points)::bigint FROM loyalty_ruleuse WHERE rule = ANY(%s) GROUP BY rule",
                [budgeted],
            )
            for code, points in cursor.fetchall():
                limits.total[code] = points
        cursor.execute(
            "SELECT rule, wallet_id, day, sum(points)::bigint FROM loyalty_ruleuse"
            " WHERE rule = ANY(%s) AND wallet_id = ANY(%s) GROUP BY rule, wallet_id, day",
            [list(limits.codes), list(wallet_ids)],
        )
        for code, wallet_id, day, points in cursor.fetchall():
            days = limits.by_day[(code, (counted_for or {}).get(wallet_id, wallet_id))]
            days[day] = days.get(day, 0) + points
    return limits


def limited(rules: Iterable[Rule]) -> list[Rule]:
    """Those of the rules that have a limit of any kind."""
    return [rule for rule in rules if rule.limits != UNLIMITED]


def with_budget(rules: Iterable[Rule]) -> list[str]:
    """The codes of the rules that have a budget, in the order in which their turns are taken."""
    return sorted({rule.code for rule in rules if rule.limits.budget is not None})


def take_turns(codes: Sequence[str]) -> None:
    """Wait until no other transaction spends from the budgets of these rules; `codes` are in order."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(%s, hashtext(code)) FROM unnest(%s::text[]) AS code",
            [_LOCKS, list(codes)],
        )
