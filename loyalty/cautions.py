"""What a programme says that is allowed, but that whoever publishes it should know."""

from datetime import datetime

from django.utils.translation import gettext_lazy as _

from loyalty import conditions, offers
from loyalty.comparison import PLACES
from loyalty.programme import Programme


def not_acted_upon_yet(programme: Programme) -> list[str]:
    """What the programme says and Shuke keeps, but does not act upon in this release; one sentence each."""
    kept = [
        _("%(section)s: kept, but not acted upon yet.") % {"section": PLACES[section]}
        for section in offers.SECTIONS
        if programme.rest.get(section)
    ]
    for tier in programme.tiers:
        asked = tier.qualify
        if asked is not None and (asked.by_invitation or asked.growth is not None or asked.top_percent):
            kept.append(
                _("Tier %(code)s: growth value, invitations and cuts are kept, but not acted upon yet.")
                % {"code": tier.code}
            )
        if tier.benefits.birthday:
            kept.append(
                _("Tier %(code)s: the birthday treat is kept, but not acted upon yet.") % {"code": tier.code}
            )
    for rule in programme.rules:
        if rule.when and any(check.field == "member.segments" for check in conditions.checks(rule.when)):
            kept.append(
                _("Rule %(code)s: segments are not known yet; every member counts as in none.")
                % {"code": rule.code}
            )
        if rule.other:
            kept.append(
                _("Rule %(code)s: coupons, gifts and tiers are kept, but not acted upon yet.")
                % {"code": rule.code}
            )
    return kept


def cautions(programme: Programme, now: datetime, *, first: bool = False) -> list[str]:
    """What is probably a slip; one sentence each. `first`: no programme was published before it."""
    known = {tier.code for tier in programme.tiers}
    slips = [
        _("%(path)s names the tier %(code)s, which does not exist.") % {"path": path, "code": code}
        for path, code in offers.named_tiers(programme.rest)
        if code not in known
    ]
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
