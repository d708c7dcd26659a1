"""Reasons: why a row of a package was not brought, in words; beside those of `members.cleaning`."""

from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from members.importing import report

REASONS: Final[dict[str, str | Promise]] = {
    "points_negative": _("Points and growth value that are brought cannot be negative."),
    "earned_in_future": _("The day on which it was earned lies in the future."),
    "expiry_before_earning": _("It would expire before it was earned."),
    "lots_do_not_add_up": _("The member's lots do not add up to the balance that is told."),
    "member_unknown": _("The file of members does not have this old id, and neither has the channel."),
    "brought_otherwise": _("It was brought before with other content. Take that migration back first."),
    "tier_unknown": _("The programme has no such tier."),
    "until_missing": _("This tier runs out in the programme, and nothing says until when it holds."),
    "tier_over": _("The tier ended before it could be brought."),
    "growth_unused": _("The programme has no growth value."),
    "campaign_unknown": _("The programme has no such coupon."),
    "coupon_used": _("The coupon was used, withdrawn or expired in the old system."),
    "coupon_over": _("The coupon can no longer be used."),
    "code_invalid": _("A code has 4 to 32 letters and digits."),
    "code_taken": _("There is a coupon with this code already."),
    "purpose_unknown": _("This purpose is not one of ours."),
    "party_missing": _("A third party is named to whom data may be passed, or nobody agreed to anything."),
    "consent_unclear": _("This is neither a yes nor a no."),
    "way_unknown": _("This way of reaching somebody is not known."),
    "method_unknown": _("How it was said is not one of the words for it."),
    "proof_is_no_reference": _("A proof is named by a number or a version, not told in words."),
    "referrer_unknown": _("Neither the file of members nor the channel has the old id of the referrer."),
    "referrer_is_oneself": _("Nobody brings themselves."),
    "brought_by_another": _("This member is known as brought by somebody else."),
}


def reason(code: str) -> str:
    """Why a row was rejected, in the language that is active."""
    text = REASONS.get(code)
    return str(text) if text is not None else report.reason(code)
