"""Links that lists and pages show."""

from django.urls import reverse
from django.utils.html import format_html

from members.models import Member


def to_member(member: Member | None) -> str:
    """A member's number, leading to their page; a dash for nobody."""
    if member is None:
        return "—"
    address = reverse("member:show", args=[member.number])
    return format_html('<a class="sk-link" href="{}">{}</a>', address, member.number)
