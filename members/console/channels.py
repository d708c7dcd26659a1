"""Channel health: how each channel is told of changes, and the endpoints at which it is (A14, A15)."""

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import patch_cache_control
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from members import channel_health, endpoints, platform_queues
from members.channel_health import Hour, Seen, SeenQueue
from members.console.endpoint_form import EndpointForm
from members.console.reasons import call_reason
from members.endpoints import Made
from members.errors import EndpointUnknown
from members.models import Topic, WebhookEndpoint
from privacy import roles
from privacy.errors import ShukeError

VIEW, MANAGE = "channels.view", "channels.manage"
BAR_WIDTH, BAR_HEIGHT = 6, 32  # of the drawing's own units

DONE = {
    "enable": gettext_lazy("It is switched on. What waits is sent now."),
    "disable": gettext_lazy("It is switched off. What happens now waits."),
    "remove": gettext_lazy("The webhook endpoint is removed."),
}


def staff_who(verb: str) -> Callable[[Callable[..., HttpResponse]], Any]:
    """A page of the console for who may do this (role matrix); kept by no cache."""

    def guard(view: Callable[..., HttpResponse]) -> Any:
        @wraps(view)
        def page(request: HttpRequest, **arguments: Any) -> HttpResponse:
            if not roles.can(request.user, verb):
                raise PermissionDenied
            try:
                response = view(request, **arguments)
            except EndpointUnknown as unknown:
                raise Http404 from unknown
            patch_cache_control(response, no_store=True, private=True)
            return response

        return admin.site.admin_view(page)

    return guard


@staff_who(VIEW)
@require_GET
def health(request: HttpRequest) -> HttpResponse:
    """Every channel with its endpoints: their state, what waits, for how long, and the last day."""
    now = timezone.now()
    seen = channel_health.seen(list(endpoints.live().order_by("id")), now)
    by_channel: dict[int, list[Seen]] = {}
    for each in seen:
        by_channel.setdefault(each.endpoint.channel_id, []).append(each)
    channels = list(platform_queues.with_queues())
    told = [
        (channel, [described(each) for each in by_channel[channel.pk]])
        for channel in channels
        if channel.pk in by_channel
    ]
    context = {
        "title": _("Channel health"),
        "told": told,
        "silent": [channel for channel in channels if channel.pk not in by_channel],
        "queues": [described_queue(each) for each in channel_health.queues(channels, now)],
        "waiting": sum(each.backlog.waiting for each in seen),
        "dead": sum(each.backlog.dead for each in seen),
        "delivered": sum(each.delivered for each in seen),
        "failed": sum(each.failed for each in seen),
    }
    return _page(request, "health", context)


@staff_who(MANAGE)
@require_http_methods(["GET", "POST"])
def make(request: HttpRequest) -> HttpResponse:
    """A form for a new endpoint; what it makes is shown with its secret, this once."""
    form = EndpointForm(request.POST or None, initial={"channel": request.GET.get("channel")})
    if request.method == "POST" and form.is_valid():
        asked = form.cleaned_data
        try:
            return _one(request, endpoints.make(asked["channel"], asked["url"], asked["topics"]))
        except ShukeError as error:
            form.add_error("url", str(error))
    context = {"title": _("New webhook endpoint"), "form": form, "topics": _boxes(form)}
    return _page(request, "make", context, status=400 if form.errors else 200)


@staff_who(VIEW)
@require_http_methods(["GET", "POST"])
def show(request: HttpRequest, endpoint_id: int) -> HttpResponse:
    """One endpoint: how it does; for who may, its form."""
    endpoint = endpoints.find(endpoint_id)
    if request.method == "GET":
        return _one(request, endpoint)
    if not roles.can(request.user, MANAGE):
        raise PermissionDenied
    form = EndpointForm(request.POST, has_channel=True)
    if form.is_valid():
        try:
            endpoints.edit(endpoint, url=form.cleaned_data["url"], topics=form.cleaned_data["topics"])
        except ShukeError as error:
            form.add_error("url", str(error))
        else:
            messages.success(request, _("Saved."))
            return HttpResponseRedirect(reverse("channels:endpoint", args=[endpoint_id]))
    return _one(request, endpoints.find(endpoint_id), form=form)


@staff_who(MANAGE)
@require_POST
def act(request: HttpRequest, endpoint_id: int, action: str) -> HttpResponse:
    """Switch an endpoint on or off, give it a new secret, or remove it."""
    endpoint = endpoints.find(endpoint_id)
    if action == "rotate":
        return _one(request, endpoints.rotate(endpoint))
    work: Callable[[WebhookEndpoint], object] = {
        "enable": endpoints.enable,
        "disable": endpoints.disable,
        "remove": endpoints.remove,
    }[action]
    try:
        work(endpoint)
    except ShukeError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, str(DONE[action]))
    if action == "remove":
        return HttpResponseRedirect(reverse("channels:health"))
    return HttpResponseRedirect(reverse("channels:endpoint", args=[endpoint_id]))


def _one(
    request: HttpRequest, row: WebhookEndpoint | Made, *, form: EndpointForm | None = None
) -> HttpResponse:
    endpoint = row.endpoint if isinstance(row, Made) else row
    (seen,) = channel_health.seen([endpoint], timezone.now())
    form = form or EndpointForm(initial={"url": endpoint.url, "topics": endpoint.topics}, has_channel=True)
    context = {
        "title": _("Webhook endpoint"),
        "each": described(seen),
        "secret": row.secret if isinstance(row, Made) else "",
        "form": form,
        "topics": _boxes(form),
        "may_manage": roles.can(request.user, MANAGE),
    }
    return _page(request, "endpoint", context, status=400 if form.errors else 200)


def _boxes(form: EndpointForm) -> list[tuple[str, Any, bool]]:
    """A box for each topic: its word, what it means, and whether it is ticked."""
    chosen = form["topics"].value() or ()
    return [(topic.value, topic.label, topic.value in chosen) for topic in Topic]


def described(seen: Seen) -> dict[str, Any]:
    """An endpoint in words, with the drawing of its last day."""
    endpoint, lag = seen.endpoint, seen.lag
    return {
        "row": endpoint,
        "state": channel_health.STATES[seen.state],
        "word": seen.state,
        "tone": channel_health.TONES[seen.state],
        "topics": [Topic(topic).label for topic in endpoint.topics],
        "backlog": seen.backlog,
        "is_more": seen.backlog.waiting >= channel_health.MOST,
        "lag": lag,
        "is_late": lag is not None and lag > channel_health.LATE,
        "delivered": seen.delivered,
        "failed": seen.failed,
        "bars": bars(seen.hours),
        "width": BAR_WIDTH * channel_health.HOURS,
        "height": BAR_HEIGHT,
    }


def described_queue(seen: SeenQueue) -> dict[str, Any]:
    """A queue in words."""
    return {
        "seen": seen,
        "row": seen.row,
        "state": channel_health.STATES[seen.state],
        "tone": channel_health.TONES[seen.state],
        "reason": call_reason(seen.row.error_code) if seen.row.error_code else "",
    }


def bars(hours: Sequence[Hour]) -> list[dict[str, Any]]:
    """The bars of a day: what was delivered stands on what failed."""
    most = max((hour.delivered + hour.failed for hour in hours), default=0) or 1
    found = []
    for place, hour in enumerate(hours):
        failed, delivered = (
            max(1.0, BAR_HEIGHT * count / most) if count else 0.0 for count in (hour.failed, hour.delivered)
        )
        delivered = min(delivered, BAR_HEIGHT - failed)
        found.append(
            {
                "hour": hour,
                "x": place * BAR_WIDTH,
                "failed_y": f"{BAR_HEIGHT - failed:.1f}",
                "failed": f"{failed:.1f}",
                "delivered_y": f"{BAR_HEIGHT - failed - delivered:.1f}",
                "delivered": f"{delivered:.1f}",
            }
        )
    return found


def _page(request: HttpRequest, name: str, context: dict[str, Any], status: int = 200) -> HttpResponse:
    context = {
        **admin.site.each_context(request),
        "may_manage": roles.can(request.user, MANAGE),
        **context,
    }
    return render(request, f"members/channels/{name}.html", context, status=status)
