"""Dead letters in the console: what did not reach a channel in three days, and sending it again (A15)."""

from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import admin, messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from members import dead_letters, endpoints
from members.console.channels import VIEW, staff_who
from members.dead_letters import Wanted
from members.models import DeliveryProblem, Topic, WebhookDelivery, WebhookEndpoint
from members.numbers import number_of
from privacy import roles

REPLAY = "deliveries.replay"
PAGE = 50
_LOCAL = "%Y-%m-%dT%H:%M"


class FilterForm(forms.Form):
    """Which dead letters: of one endpoint, about one thing, for one reason, and when they happened."""

    endpoint = forms.IntegerField(required=False, min_value=1)
    topic = forms.ChoiceField(choices=Topic.choices, required=False)
    problem = forms.ChoiceField(choices=DeliveryProblem.choices, required=False)
    since = forms.DateTimeField(required=False, input_formats=[_LOCAL])
    until = forms.DateTimeField(required=False, input_formats=[_LOCAL])

    def asked(self, name: str) -> Any:
        """What was asked for; what cannot be read asks for nothing."""
        self.is_valid()
        return self.cleaned_data.get(name)

    def wanted(self) -> Wanted:
        return Wanted(
            since=self.asked("since"),
            until=self.asked("until"),
            about=self.asked("topic") or "",
            problem=self.asked("problem") or "",
        )

    def endpoint_row(self) -> WebhookEndpoint | None:
        """The endpoint that was chosen. Raises EndpointUnknown."""
        chosen = self.asked("endpoint")
        return endpoints.find(chosen) if chosen else None

    def kept(self) -> dict[str, str]:
        """The filter as a link has it."""
        self.is_valid()
        return {
            name: timezone.localtime(value).strftime(_LOCAL) if isinstance(value, datetime) else str(value)
            for name, value in self.cleaned_data.items()
            if value
        }


def _letter(row: WebhookDelivery) -> tuple[WebhookDelivery, str, Any]:
    """A dead letter, the number of the member it is about, and its topic in words."""
    member_no = number_of(row.member_id) if row.member_id else ""
    return row, member_no, dict(Topic.choices).get(row.event.topic, row.event.topic)


@staff_who(VIEW)
@require_GET
def overview(request: HttpRequest) -> HttpResponse:
    """The dead letters that a filter lets through, latest first."""
    form = FilterForm(request.GET)
    endpoint = form.endpoint_row()
    rows = dead_letters.listed(endpoint, form.wanted())
    page = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    kept = form.kept()
    context = {
        **admin.site.each_context(request),
        "title": _("Dead letters"),
        "endpoint": endpoint,
        "endpoints": list(endpoints.live()),
        "topics": Topic.choices,
        "problems": DeliveryProblem.choices,
        "kept": kept,
        "query": urlencode(kept),
        "page": page,
        "letters": [_letter(row) for row in page],
        "total": page.paginator.count,
        "may_replay": roles.can(request.user, REPLAY),
    }
    return render(request, "members/channels/dead_letters.html", context)


@staff_who(REPLAY)
@require_POST
def replay(request: HttpRequest) -> HttpResponse:
    """Send one dead letter again, or all that the filter lets through."""
    form = FilterForm(request.POST)
    endpoint = form.endpoint_row()
    one = request.POST.get("change", "")
    if endpoint is None:
        messages.error(request, _("Choose a webhook endpoint first."))
    else:
        wanted = Wanted(first=int(one), last=int(one)) if one.isdigit() else form.wanted()
        count = dead_letters.replay(endpoint, wanted)
        said = ngettext(
            "%(count)s dead letter is sent again.", "%(count)s dead letters are sent again.", count
        )
        messages.success(request, said % {"count": f"{count:,}"})
    kept = form.kept()
    if request.POST.get("all_endpoints"):
        kept.pop("endpoint", None)
    return HttpResponseRedirect(f"{reverse('channels:dead-letters')}?{urlencode(kept)}")
