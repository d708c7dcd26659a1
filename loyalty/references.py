"""What offers name that has to be there: tiers, channels and stores (B2, B6, B8).

A coupon for a channel that does not exist is nobody's, and nobody would notice: so whoever saves or publishes
a version is told. It is not refused, because a programme may be loaded before its channels are made, and be
shared between brands that have other ones; until then the thing is shown as not there.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from django.utils.translation import gettext_lazy as _

from loyalty import conditions, offers, referral_terms
from loyalty.conditions import Condition
from loyalty.programme import Programme
from members.models import Channel, Store

TIER, CHANNEL, STORE = "tier_unknown", "channel_unknown", "store_unknown"
_FIELDS = {"member.tier": TIER, "order.channel": CHANNEL, "order.store": STORE}
_WORDS = {
    TIER: _("%(path)s names the tier %(code)s, which does not exist."),
    CHANNEL: _("%(path)s names the channel %(code)s, which does not exist."),
    STORE: _("%(path)s names the store %(code)s, which does not exist."),
}


class Reference(NamedTuple):
    """One name of something: where it stands, and the problem that it would be."""

    path: str
    problem: str
    code: str


def slips(programme: Programme) -> list[str]:
    """What a programme names and is not there; one sentence each, by two statements at most."""
    return [str(_WORDS[each.problem]) % {"path": each.path, "code": each.code} for each in missing(programme)]


def missing(programme: Programme) -> list[Reference]:
    """What a programme's offers name and is not there, in the order of the document."""
    named = list(dict.fromkeys(_named(programme)))
    asked = {each.problem for each in named}
    known = {TIER: {tier.code for tier in programme.tiers}}
    if CHANNEL in asked:
        known[CHANNEL] = set(Channel.objects.values_list("code", flat=True))
    if STORE in asked:
        known[STORE] = set(Store.objects.values_list("code", flat=True))
    return [each for each in named if each.code not in known[each.problem]]


def _named(programme: Programme) -> Iterator[Reference]:
    rest = programme.rest
    for section in ("coupons", "rewards"):
        for position, item in enumerate(rest.get(section) or ()):
            for word, problem in (("tiers", TIER), ("channels", CHANNEL), ("stores", STORE)):
                for code in item.get(word) or ():
                    yield Reference(f"{section}[{position}].{word}", problem, code)
    for path, code in offers.named_tiers(rest):
        if path.startswith("referral"):
            yield Reference(path, TIER, code)
    for position, each in enumerate(programme.grants.milestones):
        path = f"milestones[{position}]"
        for prize in each.prizes:
            if prize.kind == "tier":
                yield Reference(f"{path}.then", TIER, prize.value)
        yield from _asked(f"{path}.when", each.when)
    referral = referral_terms.of(rest)
    for word, told in (("only_when", referral.only_when), ("multiply", referral.multiply)):
        if told is not None:
            yield from _asked(f"referral.{word}", told.when)


def _asked(path: str, condition: Condition | None) -> Iterator[Reference]:
    """What a condition compares with."""
    for check in conditions.checks(condition) if condition is not None else ():
        problem = _FIELDS.get(check.field)
        values: Any = check.value if isinstance(check.value, tuple | list | frozenset) else (check.value,)
        for code in sorted(values) if problem else ():
            yield Reference(path, problem or "", str(code))
