"""How the two sides of a difference are written: what differs in full voice, what does not in a lower one."""

from typing import Any

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from members.models import Order, ReconciliationDifference
from members.templatetags.amounts import yuan

register = template.Library()
Kind = ReconciliationDifference.Kind
_STATUSES = dict(Order.Status.choices)


@register.filter
def theirs(found: ReconciliationDifference) -> SafeString:
    """What the channel holds; a dash for nothing."""
    return _side(found, "", "our_", is_missing=found.kind == Kind.MISSING_THERE)


@register.filter
def ours(found: ReconciliationDifference) -> SafeString:
    """What we held when it was compared; a dash for nothing."""
    return _side(found, "our_", "", is_missing=found.kind == Kind.MISSING_HERE)


def _side(found: ReconciliationDifference, side: str, other: str, *, is_missing: bool) -> SafeString:
    if is_missing:
        return SafeString("—")
    lines = []
    for name, written in _WRITTEN.items():
        here, there = getattr(found, side + name), getattr(found, other + name)
        if here is None:
            continue
        lines.append(("rc-same" if here == there or there is None else "", written(here)))
    return format_html(
        '<div class="rc-figures">{}</div>', format_html_join("", '<span class="{}">{}</span>', lines)
    )


def _labelled(label: Any, text: str) -> str:
    return f"{label} {text}"


_WRITTEN: dict[str, Any] = {
    "status": lambda status: str(_STATUSES[status]),
    "net": lambda amount: _labelled(_("Net"), yuan(amount)),
    "paid": lambda amount: _labelled(pgettext("amount", "Paid"), yuan(amount)),
    "refunded": lambda amount: _labelled(_("Refunded"), yuan(amount)),
}
