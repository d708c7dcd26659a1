"""How money, points and instants are written on pages: `¥1,234.50`, `12,340 pts`, `2026-11-22 14:05`."""

from datetime import datetime
from decimal import Decimal

from django import template
from django.utils import timezone
from django.utils.translation import ngettext

register = template.Library()

MINUS = "−"


@register.filter
def yuan(amount: Decimal | int | None) -> str:
    """Money in yuan with two places and its sign before the ¥; "" for None."""
    if amount is None:
        return ""
    return f"{MINUS if amount < 0 else ''}¥{abs(amount):,.2f}"


@register.filter
def count(number: int | None) -> str:
    """A whole number with thousands parted; "" for None."""
    return "" if number is None else f"{number:,}".replace("-", MINUS)


@register.filter
def points(number: int | None) -> str:
    """Points with their unit, in the reader's language; "" for None."""
    if number is None:
        return ""
    return ngettext("%(points)s pt", "%(points)s pts", abs(number)) % {"points": count(number)}


@register.filter
def signed(number: int | None) -> str:
    """Points with + or − before them."""
    if number is None:
        return ""
    return f"+{number:,}" if number > 0 else count(number)


@register.filter
def day(at: datetime | None) -> str:
    """The local day, as `2026-11-22`: no reader mistakes the month for the day."""
    return "" if at is None else timezone.localtime(at).strftime("%Y-%m-%d")


@register.filter
def minute(at: datetime | None) -> str:
    """The local day and minute, as `2026-11-22 14:05`."""
    return "" if at is None else timezone.localtime(at).strftime("%Y-%m-%d %H:%M")


@register.filter
def percent(ratio: Decimal | float | None) -> str:
    """A share with one place, as `43.5%`; "" for None."""
    return "" if ratio is None else f"{ratio:.1%}"
