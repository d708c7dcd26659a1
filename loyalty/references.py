"""What offers name that has to be there: its tiers, channels and stores that are known (B2, B6, B8).

A coupon for a channel that does not exist is nobody's, and nobody would notice. So a version is not saved or
published when it names such a thing anew; what an older version named stays readable, and is shown as gone.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from django.utils.translation import gettext_lazy as _

from loyalty import conditions, offers, referral_terms
from loyalty.conditions import Condition
from loyalty.errors import ProgrammeInvalid
from loyalty.programme import Programme
from members.models import Channel, Store

TIER, CHANNEL, STORE = "tier_unknown", "channel_unknown", "store_unknown"
_FIELDS = {"member.tier": TIER, "order.channel": CHANNEL, "order.store": STORE}
_WORDS = {
    TIER: _("The programme has no tier %(code)s."),
    CHANNEL: _("There is no channel %(code)s. Make it first, or name another."),
    STORE: _("There is no store %(code)s. Make it first, or name another."),
}


class Reference(NamedTuple):
    """One name of something: where it stands, `item` without positions; the problem that it would be."""

    path: str
    item: str
    problem: str
    code: str


def check(programme: Programme, before: Programme | None) -> None:
    """Refuse a programme that names what is not there, unless the one `before` it did already.

    Raises ProgrammeInvalid with `{path, code, message}` of each; costs two statements at most.
    """
    inherited = {each[1:] for each in missing(before)} if before is not None else set()
    problems = [
        {
            "path": each.path,
            "code": each.problem,
            "message": str(_WORDS[each.problem]) % {"code": each.code},
        }
        for each in missing(programme)
        if each[1:] not in inherited
    ]
    if problems:
        raise ProgrammeInvalid(problems)


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
                    path = f"{section}[{position}].{word}"
                    yield Reference(path, f"{section}.{item['code']}.{word}", problem, code)
    for path, code in offers.named_tiers(rest):
        if path.startswith("referral"):
            yield Reference(path, path, TIER, code)
    for position, each in enumerate(programme.grants.milestones):
        path, item = f"milestones[{position}]", f"milestones.{each.code}"
        for prize in each.prizes:
            if prize.kind == "tier":
                yield Reference(f"{path}.then", f"{item}.then", TIER, prize.value)
        yield from _asked(f"{path}.when", f"{item}.when", each.when)
    referral = referral_terms.of(rest)
    for word, told in (("only_when", referral.only_when), ("multiply", referral.multiply)):
        if told is not None:
            yield from _asked(f"referral.{word}", f"referral.{word}", told.when)


def _asked(path: str, item: str, condition: Condition | None) -> Iterator[Reference]:
    """What a condition compares with."""
    for check in conditions.checks(condition) if condition is not None else ():
        problem = _FIELDS.get(check.field)
        values: Any = check.value if isinstance(check.value, tuple | list | frozenset) else (check.value,)
        for code in sorted(values) if problem else ():
            yield Reference(path, item, problem or "", str(code))
