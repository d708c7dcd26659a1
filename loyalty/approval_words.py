"""What requests for a second person say: the change that is frozen in them, and what it will lead to.

Named in `settings.APPROVABLE`; the words are made when they are read, in the reader's language.
"""

from collections.abc import Mapping
from decimal import Decimal
from functools import reduce
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from loyalty import adjustments
from loyalty.purse import Figures
from members.models import Channel
from members.numbers import number_of
from members.templatetags.amounts import count, day, yuan
from privacy.errors import ShukeError

Change = Mapping[str, Any]


def adjustment(change: Change) -> str:
    """`Give 1,500 points to SK-…; it corrects entry 17.`"""
    points, member = change["points"], number_of(change["member_id"])
    said = {"points": count(abs(points)), "member": member, "entry": change["reverses"]}
    if points > 0:
        text = ngettext(
            "Give %(points)s point to %(member)s.", "Give %(points)s points to %(member)s.", points
        )
    else:
        text = ngettext(
            "Take %(points)s point from %(member)s.", "Take %(points)s points from %(member)s.", -points
        )
    if change["reverses"] is None:
        return text % said
    return _("%(text)s It corrects entry %(entry)s.") % {"text": text % said, "entry": change["reverses"]}


def adjustment_after(change: Change) -> str:
    """What the member would have if it ran now, or why it could not run."""
    try:
        seen = adjustments.foresee(change["member_id"], change["points"], reverses=change["reverses"])
    except ShukeError as refusal:
        return _("It cannot be done as things are: %(why)s") % {"why": refusal}
    return figures_in_words(seen.before, seen.after, day(seen.expires_at))


def figures_in_words(before: Figures, after: Figures, expires_on: str) -> str:
    """`Available: 100 → 1,600. They expire on 2027-11-30.`"""
    parts = [
        _("Available: %(before)s → %(after)s.")
        % {"before": count(before.available), "after": count(after.available)}
    ]
    if before.debt or after.debt:
        parts.append(
            _("Owed: %(before)s → %(after)s.") % {"before": count(before.debt), "after": count(after.debt)}
        )
    if expires_on:
        parts.append(_("The points given expire on %(day)s.") % {"day": expires_on})
    # Chinese sets no space between sentences.
    return reduce(lambda said, more: _("%(said)s %(more)s") % {"said": said, "more": more}, parts)


def refund(change: Change) -> str:
    """`Refund ¥1,200.00 of order T-1 (Tmall).`"""
    channel = Channel.objects.filter(pk=change["channel_id"]).first()
    said = {
        "amount": yuan(Decimal(change["goods"]) + Decimal(change["postage"])),
        "order": change["order_number"],
        "channel": channel.name if channel else "",
    }
    return _("Refund %(amount)s of order %(order)s (%(channel)s).") % said


def refund_after(change: Change) -> str:
    """What follows from a refund, whatever stands on the order by then."""
    return _(
        "The order's points are settled at once: what it had earned is taken back in proportion, and"
        " points that paid for it return. Then give the money back."
    )
