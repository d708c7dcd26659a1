"""What a programme says that is allowed, but that whoever publishes it should know."""

from datetime import datetime

from django.utils.translation import gettext_lazy as _

from loyalty import conditions, grant_terms, offers, prizes
from loyalty.benefit_terms import REGIONAL
from loyalty.comparison import PLACES
from loyalty.programme import Programme

# Sections that this release acts upon.
ACTED_UPON = frozenset({"activities", "coupons", "milestones", "referral", "rewards"})


def not_acted_upon_yet(programme: Programme) -> list[str]:
    """What the programme says and Shuke keeps, but does not act upon in this release; one sentence each."""
    kept = [
        _("%(section)s: kept, but not acted upon yet.") % {"section": PLACES[section]}
        for section in offers.SECTIONS
        if section not in ACTED_UPON and programme.rest.get(section)
    ]
    for rule in programme.rules:
        if rule.when and any(check.field == "member.segments" for check in conditions.checks(rule.when)):
            kept.append(
                _("Rule %(code)s: segments are not known yet; every member counts as in none.")
                % {"code": rule.code}
            )
    return kept


def cautions(programme: Programme, now: datetime, *, first: bool = False) -> list[str]:
    """What is probably a slip; one sentence each. `first`: no programme was published before it."""
    slips = _missing_things(programme)
    slips += _slips_of_tiers(programme)
    for lower, higher in zip(programme.tiers, programme.tiers[1:], strict=False):
        low, high = lower.benefits, higher.benefits
        if (
            high.discount > low.discount
            or high.coefficient < low.coefficient
            or high.points_per_yuan > low.points_per_yuan
        ):
            slips.append(
                _("Tier %(higher)s gives less than tier %(lower)s below it.")
                % {"higher": higher.code, "lower": lower.code}
            )
    for tier in programme.tiers:
        slips += [
            _("Tier %(code)s has no name in %(language)s.") % {"code": tier.code, "language": language}
            for language in offers.languages_missing(tier.name)
        ]
    for rule in programme.rules:
        if rule.ends_at is not None and rule.ends_at <= now:
            slips.append(_("Rule %(code)s is over.") % {"code": rule.code})
    if not first and programme.effective_from is not None and programme.effective_from < now:
        slips.append(
            str(_("It holds from a time in the past; what was already earned stays as it was decided."))
        )
    return slips


def _missing_things(programme: Programme) -> list[str]:
    """Coupons and gifts that something gives, and that the programme does not have: nobody would get them."""
    have = {
        "coupon": {item["code"] for item in programme.rest.get("coupons") or ()},
        "gift": {item["code"] for item in programme.rest.get("rewards") or ()},
    }
    promised = [(f"rules.{rule.code}", prizes.of(rule.other)) for rule in programme.rules]
    promised += [
        (f"tiers.{tier.code}.birthday", prizes.of(tier.benefits.birthday)) for tier in programme.tiers
    ]
    promised += grant_terms.promised(programme.rest)
    phrase = {
        "coupon": _("%(path)s gives the coupon %(code)s, which does not exist."),
        "gift": _("%(path)s gives the gift %(code)s, which is no reward."),
    }
    return [
        phrase[kind] % {"path": path, "code": code}
        for path, given in promised
        for kind, code in given
        if kind in have and code not in have[kind]
    ]


def _slips_of_tiers(programme: Programme) -> list[str]:
    """What a tier says that will hardly be meant."""
    slips = []
    for tier in programme.tiers:
        given, asked = tier.benefits, tier.qualify
        if given.shipping == REGIONAL and not given.provinces:
            slips.append(
                _("Tier %(code)s ships free to some regions, but names no province.") % {"code": tier.code}
            )
        if asked is not None and asked.window.calendar and tier.keep is not None and tier.keep.years is None:
            slips.append(
                _("Tier %(code)s counts calendar years, but ends in the middle of one.") % {"code": tier.code}
            )
        if asked is not None and not asked.is_bought and tier.keep is not None and tier.keep.needs is None:
            words = _("Tier %(code)s is by invitation and says nothing on how it is kept: it lapses.")
            if asked.by_invitation:
                slips.append(words % {"code": tier.code})
    return slips
