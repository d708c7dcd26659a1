"""Points by hand, from the member's page: type, look at what would be, then do it or ask for it (B3)."""

from typing import Any
from uuid import uuid4

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from loyalty import adjustments, statement
from loyalty.adjustments import Preview
from loyalty.approval_words import figures_in_words
from loyalty.console.member_page import staff_only
from members.models import Member
from members.templatetags.amounts import count, day, signed
from privacy import approvals, roles
from privacy.errors import ShukeError
from privacy.models import Approval

MOST = 10**9
UNPROCESSABLE = 422


class AdjustForm(forms.Form):
    """Points given or taken, why, and what they correct. The nonce names it: sent twice, it counts once."""

    nonce = forms.UUIDField(initial=uuid4, widget=forms.HiddenInput)
    way = forms.ChoiceField(
        label=gettext_lazy("What to do"),
        choices=[("give", gettext_lazy("Give points")), ("take", gettext_lazy("Take points"))],
        initial="give",
    )
    amount = forms.IntegerField(
        label=gettext_lazy("How many"),
        min_value=1,
        max_value=MOST,
        error_messages={"invalid": gettext_lazy("Type whole points, such as 600.")},
    )
    reason = forms.CharField(
        label=gettext_lazy("Why"),
        min_length=adjustments.REASON_LENGTH,
        max_length=300,
        help_text=gettext_lazy("The member and an auditor read it: no phone, no name."),
    )
    reverses = forms.TypedChoiceField(
        label=gettext_lazy("Corrects"), required=False, coerce=int, empty_value=None
    )

    def __init__(self, *args: Any, member_id: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        entries = [
            (entry.pk, _entry_in_words(statement.line(entry), left))
            for entry, left in adjustments.reversible(member_id)
        ]
        field = self.fields["reverses"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", _("Nothing: it is new")), *entries]
        for name in ("way", "amount", "reason", "reverses"):
            self.fields[name].widget.attrs["class"] = "sk-input"
        self.fields["amount"].widget.attrs["inputmode"] = "numeric"
        self.fields["reason"].widget.attrs["autocomplete"] = "off"

    @property
    def points(self) -> int:
        """With a sign, as the ledger writes them."""
        amount: int = self.cleaned_data["amount"]
        return amount if self.cleaned_data["way"] == "give" else -amount


def _entry_in_words(line: statement.Line, left: int) -> str:
    """`2026-11-22 Adjusted by hand +300: Late parcel (no. 17, 200 left)`."""
    return _("%(day)s %(kind)s %(points)s: %(reason)s (no. %(number)s, %(left)s left)") % {
        "day": day(line.happened_at),
        "kind": line.kind_label,
        "points": signed(line.points),
        "reason": line.reason or line.cause,
        "number": line.id,
        "left": count(abs(left)),
    }


@require_http_methods(["GET", "POST"])
@staff_only
def adjust(request: HttpRequest, member: Member) -> HttpResponse:
    """The form; its preview; and the deed, which within the limit is done and above it is asked for."""
    person = request.user
    if not isinstance(person, User) or not roles.can(person, adjustments.VERB):
        raise PermissionDenied
    if request.method == "GET":
        return _page(request, member, AdjustForm(member_id=member.pk))
    form = AdjustForm(request.POST, member_id=member.pk)
    if not form.is_valid():
        return _page(request, member, form, status=UNPROCESSABLE)
    try:
        if request.POST.get("step") == "do":
            return _do(request, member, person, form)
        seen = adjustments.preview(member.pk, form.points, person, reverses=form.cleaned_data["reverses"])
    except ShukeError as refusal:
        form.add_error(None, str(refusal))
        return _page(request, member, form, status=refusal.status)
    return _page(request, member, form, seen=seen)


def _do(request: HttpRequest, member: Member, person: User, form: AdjustForm) -> HttpResponse:
    done = adjustments.adjust(
        member.pk,
        form.points,
        form.cleaned_data["reason"],
        person,
        cause=str(form.cleaned_data["nonce"]),
        reverses=form.cleaned_data["reverses"],
    )
    if done.receipt is not None:
        words = {"points": signed(done.receipt.points), "available": count(done.receipt.figures.available)}
        messages.success(request, _("%(points)s points by hand. Available now: %(available)s.") % words)
        return HttpResponseRedirect(reverse("member:show", args=[member.number]))
    assert done.approval is not None
    if approvals.state_of(done.approval) == Approval.State.WAITING:
        messages.info(request, _("A second person decides. It is done when they approve."))
    return HttpResponseRedirect(reverse("approvals:show", args=[done.approval.pk]))


def _page(
    request: HttpRequest, member: Member, form: AdjustForm, *, seen: Preview | None = None, status: int = 200
) -> HttpResponse:
    context = {
        **admin.site.each_context(request),
        "title": _("Points by hand"),
        "member": member,
        "form": form,
        "seen": seen,
        "will_be": seen and _in_words(seen),
    }
    return render(request, "loyalty/member/adjust.html", context, status=status)


def _in_words(seen: Preview) -> str:
    outcome = seen.outcome
    return figures_in_words(outcome.before, outcome.after, day(outcome.expires_at))
