"""Ending an account of a member, from the member's page: what will be, why, and then it is done (A2)."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from loyalty.console.member_page import staff_only
from members import leaving
from members.errors import AccountNotFound
from members.models import Account, Member
from privacy import access, roles

UNPROCESSABLE = 422


class UnbindForm(forms.Form):
    """Why an account is ended."""

    reason = forms.CharField(
        label=gettext_lazy("Why"),
        min_length=leaving.REASON_LENGTH,
        max_length=300,
        widget=forms.TextInput({"class": "sk-input", "autocomplete": "off"}),
        help_text=gettext_lazy("The member and an auditor read it: no phone, no name."),
    )


@require_http_methods(["GET", "POST"])
@staff_only
def unbind(request: HttpRequest, member: Member, account_id: int) -> HttpResponse:
    """What ending this account means, with the form that does it."""
    if not roles.can(request.user, leaving.VERB):
        raise PermissionDenied
    try:
        account = leaving.account_of(member.pk, account_id)
    except AccountNotFound as unknown:
        raise Http404 from unknown
    if request.method == "GET":
        return _page(request, member, account, UnbindForm())
    form = UnbindForm(request.POST)
    if not form.is_valid():
        return _page(request, member, account, form, status=UNPROCESSABLE)
    person: Any = request.user
    left = leaving.end(
        member.pk,
        account.pk,
        actor_id=person.pk,
        reason=form.cleaned_data["reason"],
        now=timezone.now(),
    )
    if left.told:
        messages.success(request, _("The account is unbound. The platform is being told."))
    elif left.ended:
        messages.success(request, _("The account is unbound."))
    else:
        messages.info(request, _("The account was unbound already."))
    return HttpResponseRedirect(reverse("member:show", args=[member.number]))


def _page(
    request: HttpRequest, member: Member, account: Account, form: UnbindForm, *, status: int = 200
) -> HttpResponse:
    context = {
        **admin.site.each_context(request),
        "title": _("Unbind an account"),
        "member": member,
        "account": account,
        "id": access.masked(account, "external_id"),
        "is_told": leaving.is_told(account),
        "form": form,
    }
    return render(request, "loyalty/member/unbind.html", context, status=status)
