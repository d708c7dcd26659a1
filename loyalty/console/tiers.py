"""The page of a member's tier: the path with its reasons, what leads on, and tiers given by hand (B1, B2)."""

from datetime import date, datetime, timedelta
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from loyalty import benefits, publishing, tier_events, tier_paths, tier_words
from loyalty.calendar import end_of
from loyalty.clauses import Book
from loyalty.console import versions
from loyalty.console.member_page import staff_only
from loyalty.models import GrowthEntry, TierEvent, TierWarning
from loyalty.names import in_words
from loyalty.tier_paths import Standing
from members.models import Member
from privacy import access, roles
from privacy.access import Occasion
from privacy.errors import ShukeError

REASON_LENGTH = 5
UNPROCESSABLE = 422


class TierForm(forms.Form):
    """A tier to be given: which, through which day, and why."""

    tier = forms.ChoiceField(label=gettext_lazy("Tier"))
    until = forms.DateField(
        label=gettext_lazy("Through"),
        required=False,
        widget=forms.DateInput({"type": "date", "class": "sk-input"}),
        help_text=gettext_lazy("Its last day. An invitation needs none."),
    )
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        min_length=REASON_LENGTH,
        max_length=300,
        widget=forms.TextInput({"class": "sk-input", "autocomplete": "off"}),
        help_text=gettext_lazy("The member and an auditor read it: no phone, no name."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        tiers = publishing.current().programme.tiers[1:]
        chosen: Any = self.fields["tier"]
        chosen.choices = [(tier.code, in_words(tier.name)) for tier in tiers]
        chosen.widget.attrs["class"] = "sk-input"

    def end(self) -> datetime | None:
        """The instant at which the tier ends: the midnight after its last day."""
        last: date | None = self.cleaned_data["until"]
        return end_of(last, publishing.current().programme.time_zone) if last else None


@require_GET
@staff_only
def show(request: HttpRequest, member: Member) -> HttpResponse:
    """The page."""
    if not roles.can(request.user, "points.view"):
        raise PermissionDenied
    access.note(
        request.user,
        access.Action.VIEW,
        model=Member._meta.label,
        member=member,
        occasion=Occasion(
            request_id=getattr(request, "request_id", ""), ip=request.META.get("REMOTE_ADDR", "")
        ),
    )
    return _page(request, member, TierForm())


@require_POST
@staff_only
def ask(request: HttpRequest, member: Member) -> HttpResponse:
    """Ask that a tier be given; a second person decides."""
    form = TierForm(request.POST)
    if not form.is_valid():
        return _page(request, member, form, status=UNPROCESSABLE)
    person: Any = request.user
    try:
        tier_events.ask(member, form.cleaned_data["tier"], form.end(), form.cleaned_data["reason"], person)
    except ShukeError as refusal:
        return _page(request, member, form, refused=str(refusal), status=refusal.status)
    return _asked(request, member)


@require_POST
@staff_only
def ask_end(request: HttpRequest, member: Member, event_id: int) -> HttpResponse:
    """Ask that something given end now; a second person decides."""
    event = TierEvent.objects.select_related("wallet").filter(pk=event_id, wallet__member=member).first()
    if event is None:
        raise Http404
    person: Any = request.user
    try:
        tier_events.ask_end(event, request.POST.get("reason", ""), person)
    except ShukeError as refusal:
        return _page(request, member, TierForm(), refused=str(refusal), status=refusal.status)
    return _asked(request, member)


def _asked(request: HttpRequest, member: Member) -> HttpResponseRedirect:
    messages.success(request, _("Asked. A second person decides; it is in the list of approvals."))
    return HttpResponseRedirect(reverse("member:tier", args=[member.number]))


def _page(
    request: HttpRequest, member: Member, form: TierForm, *, refused: str = "", status: int = 200
) -> HttpResponse:
    standing = tier_paths.stand(member.pk)
    tier, purse = standing.tier, standing.purse
    until = purse.tier_until if purse else None
    book = Book()
    context = {
        **admin.site.each_context(request),
        "title": member.number,
        "member": member,
        "tier_name": in_words(tier.name),
        "badge": tier.benefits.badge,
        "until": until,
        "judged_at": until + timedelta(days=tier.keep.grace_days) if until and tier.keep else None,
        **_ways(standing),
        "given": tier_paths.given(standing),
        "benefits": benefits.lasting(tier),
        "uses": benefits.left(member.pk, tier, standing.held, standing.now),
        "steps": [(step, book.of_grant(step.why)) for step in tier_paths.steps(member.pk)],
        "versions": versions.addresses(request.user),
        "growth": [(entry, _growth_sentence(entry)) for entry in tier_paths.growth(member.pk)],
        "growth_total": tier_paths.growth_in_all(member.pk),
        "warning": TierWarning.objects.filter(wallet__member=member, until=until).first() if until else None,
        "may_set": roles.can(request.user, tier_events.VERB),
        "form": form,
        "refused": refused,
    }
    return render(request, "loyalty/member/tier.html", context, status=status)


def _ways(standing: Standing) -> dict[str, Any]:
    up, keep = standing.next, standing.to_keep
    return {
        "next": up,
        "next_name": in_words(up.tier.name) if up else "",
        "next_needs": tier_words.needs(up) if up else [],
        "keep": keep,
        "keep_needs": tier_words.needs(keep) if keep else [],
    }


def _growth_sentence(entry: GrowthEntry) -> str:
    """For what growth value came about: `Order T-1: 200.00 × 1 = 200`."""
    return tier_words.growth_sentence(entry.why, entry.order.number if entry.order else "")
