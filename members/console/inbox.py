"""The messages of platforms in the console: what is stuck and why, and the credentials of channels (A1, A15).

What a message says is never shown: who may replay it need not know whom it is about.
"""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from members import channels, credentials, inbox, platform_calls, platform_requests
from members.console.reasons import call_reason, reason_of
from members.errors import ChannelUnknown
from members.models import Channel, InboxDelivery, PlatformCall, PlatformRequest
from privacy import roles
from privacy.errors import ShukeError

VIEW, REPLAY, MANAGE, DECIDE = "inbox.view", "deliveries.replay", "channels.manage", "rights.decide"
PAGE = 30
TABS = {
    "": gettext_lazy("To look at"),
    "waiting": gettext_lazy("Waiting"),
    "done": gettext_lazy("Done"),
    "calls": gettext_lazy("Our calls"),
    "requests": gettext_lazy("Privacy requests"),
}
TONES = {"failed": "bad", "parked": "bad", "waiting": "warn", "done": "good", "sent": "good", "ignored": ""}
# What came of a message, or why nothing did.
OUTCOMES = {
    "new": gettext_lazy("New"),
    "changed": gettext_lazy("Changed"),
    "same": gettext_lazy("Known already"),
    "stale": gettext_lazy("Older than what we know"),
    "parked": gettext_lazy("Waits for its order"),
    "refused": gettext_lazy("Too few points, or nobody: answered so"),
    "account_unknown": gettext_lazy("Nobody we know"),
    "topic_not_used": gettext_lazy("Tells nothing that we use"),
    "nothing_refunded": gettext_lazy("No money went back"),
    "nothing_said": gettext_lazy("Says neither yes nor no"),
    "nothing_told": gettext_lazy("Tells nothing that we use"),
    "nobody_named": gettext_lazy("Names nobody; the join itself follows"),
    "draft": gettext_lazy("A draft, not yet an order"),
    "deleted_is_kept": gettext_lazy("Deleted there, kept here"),
}
_STATES = {"": inbox.STUCK, "waiting": ("waiting",), "done": ("done", "ignored")}


# --- messages ---------------------------------------------------------------------------------------


@require_GET
def _overview(request: HttpRequest) -> HttpResponse:
    """The messages of one tab, those that are stuck first of all."""
    asked = request.GET.get("list", "")
    tab = asked if asked in TABS else ""
    context = {
        **admin.site.each_context(request),
        "title": _("Messages of platforms"),
        "tabs": [(name, label, name == tab) for name, label in TABS.items()],
        "tab": tab,
        "may_replay": roles.can(request.user, REPLAY),
        "may_decide": roles.can(request.user, DECIDE),
        **_LISTS[tab](request),
    }
    return render(request, "members/inbox/overview.html", context)


def _messages(request: HttpRequest) -> dict[str, Any]:
    asked = request.GET.get("list", "")
    tab = asked if asked in _STATES else ""
    rows = InboxDelivery.objects.filter(state__in=_STATES[tab]).select_related("channel").defer("body")
    page = Paginator(rows.order_by("-received_at", "-id"), PAGE).get_page(request.GET.get("page"))
    return {
        "page": page,
        "deliveries": [
            {
                "row": row,
                "tone": TONES[row.state],
                "reason": reason_of(row.error_code) if row.error_code else "",
                "outcome": OUTCOMES.get(row.outcome, row.outcome),
            }
            for row in page
        ],
    }


def _calls(request: HttpRequest) -> dict[str, Any]:
    rows = PlatformCall.objects.select_related("channel").defer("arguments").order_by("-id")
    page = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    return {"page": page, "calls": [_call(row) for row in page]}


def _call(row: PlatformCall) -> dict[str, Any]:
    return {"row": row, "tone": TONES.get(row.state, ""), "reason": call_reason(row.error_code)}


def _requests(request: HttpRequest) -> dict[str, Any]:
    rows = PlatformRequest.objects.select_related("channel", "account__member", "done_by").defer("details")
    page = Paginator(rows.order_by("done_at", "due_at", "id"), PAGE).get_page(request.GET.get("page"))
    return {"page": page, "requests": list(page)}


_LISTS: dict[str, Callable[[HttpRequest], dict[str, Any]]] = {
    "": _messages,
    "waiting": _messages,
    "done": _messages,
    "calls": _calls,
    "requests": _requests,
}


@require_POST
def _replay(request: HttpRequest, delivery_id: int) -> HttpResponse:
    """Let one message be worked on again."""
    try:
        inbox.replay(delivery_id)
        messages.success(request, _("The message is worked on again."))
    except ShukeError as refusal:
        messages.error(request, str(refusal))
    return redirect("inbox:overview")


@require_POST
def _replay_all(request: HttpRequest) -> HttpResponse:
    """Let all that are stuck be worked on again."""
    count = inbox.replay_all()
    said = ngettext("%(count)s message is worked on again.", "%(count)s messages are worked on again.", count)
    messages.success(request, said % {"count": count})
    return redirect("inbox:overview")


@require_POST
def _call_again(request: HttpRequest, call_id: int) -> HttpResponse:
    """Let a call that was given up be tried again."""
    platform_calls.again(call_id)
    return _to("calls")


@require_POST
def _finish(request: HttpRequest, request_id: int) -> HttpResponse:
    """Note that a platform's request has been dealt with."""
    platform_requests.finish(request_id, request.user.pk)  # type: ignore[arg-type]  # nobody else comes in
    return _to("requests")


def _to(tab: str) -> HttpResponseRedirect:
    return HttpResponseRedirect(f"{reverse('inbox:overview')}?list={tab}")


# --- credentials of a channel -----------------------------------------------------------------------


@require_http_methods(["GET", "POST"])
def _credentials(request: HttpRequest, code: str) -> HttpResponse:
    """What a channel's platform gave us: which there are; new ones are written and never shown."""
    try:
        channel = channels.get(code)
    except ChannelUnknown:
        raise Http404 from None
    names = credentials.NAMES.get(channel.platform, ())
    if request.method == "POST":
        return _keep(request, channel, names)
    since = credentials.kept(channel)
    context = {
        **admin.site.each_context(request),
        "title": _("Credentials of %(channel)s") % {"channel": channel.name},
        "channel": channel,
        "fields": [(name, since.get(name)) for name in names],
        "address": request.build_absolute_uri(f"/api/v1/hooks/{channel.code}/"),
    }
    return render(request, "members/inbox/credentials.html", context)


def _keep(request: HttpRequest, channel: Channel, names: tuple[str, ...]) -> HttpResponse:
    told = {name: request.POST.get(name, "").strip() for name in names}
    values = {name: value for name, value in told.items() if value}
    values |= {name: "" for name in request.POST.getlist("forget") if name in names}
    credentials.keep(channel, values)
    messages.success(request, _("The credentials are kept."))
    return redirect("inbox:credentials", channel.code)


def _inside(verb: str, view: Callable[..., HttpResponse]) -> Any:
    """A page of the console for those whose role includes it."""

    def page(request: HttpRequest, **arguments: Any) -> HttpResponse:
        if not roles.can(request.user, verb):
            raise PermissionDenied
        return view(request, **arguments)

    return admin.site.admin_view(page)


overview = _inside(VIEW, _overview)
replay, replay_all = _inside(REPLAY, _replay), _inside(REPLAY, _replay_all)
call_again, finish = _inside(REPLAY, _call_again), _inside(DECIDE, _finish)
credentials_of = _inside(MANAGE, _credentials)
