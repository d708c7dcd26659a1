"""Versions of the programme on pages: the version that decided, as a link for who may open it."""

from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.translation import gettext as _

register = template.Library()


@register.simple_tag(takes_context=True)
def version(context: dict[str, Any], number: int | None) -> str:
    """`version 3`, linked where the page's `versions` has its address (`console.versions`); "" for None."""
    if number is None:
        return ""
    words, address = _("version %(number)s") % {"number": number}, version_address(context, number)
    return format_html('<a class="sk-link" href="{}">{}</a>', address, words) if address else words


@register.simple_tag(takes_context=True)
def version_address(context: dict[str, Any], number: int) -> str:
    """Where a version is, by the page's `versions`; "" for who may not open it."""
    return (context.get("versions") or {}).get(number, "")
