"""Webhook endpoints by API: where this channel is told of changes, and what did not reach it (A14, A15)."""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from members import channel_health, dead_letters, endpoints
from members.api import webhook_shapes as shapes
from members.api.answers import address_of_next, asked_limit, asked_number, moment, refuse
from members.api.shapes import LIMIT, OpenApiParameter, described
from members.api.view import ApiView, unknown
from members.bodies import MOST_VERSION, OUT_OF_RANGE, Body
from members.dead_letters import Wanted
from members.models import Scope, Topic, WebhookDelivery, WebhookEndpoint
from members.webhook_messages import webhook_id

LONGEST_TOPIC = 30


class EndpointView(ApiView):
    """What all of them share: the scope, and that a channel has only its own."""

    scope = Scope.CHANGES

    def find(self, endpoint_id: int) -> WebhookEndpoint:
        """An endpoint of the key's channel. Raises EndpointUnknown."""
        return endpoints.find(endpoint_id, self.channel)


class WebhookEndpoints(EndpointView):
    """GET and POST /webhook-endpoints/."""

    @described("webhook_endpoints_list", answers={200: shapes.Endpoints})
    def get(self, request: Request) -> Response:
        """Where this channel is told of changes."""
        rows = endpoints.live(self.channel).order_by("id")
        return Response({"webhook_endpoints": [_shown(row) for row in rows]})

    @described(
        "webhook_endpoints_make",
        request=shapes.EndpointAsked,
        answers={201: shapes.EndpointMade},
        refusals=(409,),
    )
    def post(self, request: Request) -> Response:
        """Be told of changes at a URL, from now on; the secret that signs is shown this once."""
        body = Body(request.data)
        url = body.required("url", body.exact("url", 500))
        topics = _topics(body)
        body.settle()
        made = endpoints.make(self.channel, url, topics or ())
        return Response(_shown(made.endpoint) | {"secret": made.secret} | unknown(body), status=201)


class OneWebhookEndpoint(EndpointView):
    """GET, PATCH and DELETE /webhook-endpoints/{id}/."""

    @described("webhook_endpoints_get", answers={200: shapes.EndpointBacklog}, refusals=(404,))
    def get(self, request: Request, endpoint_id: int) -> Response:
        """How an endpoint does, and what waits for it."""
        endpoint = self.find(endpoint_id)
        backlog = channel_health.backlogs([endpoint])[endpoint.pk]
        waits = {
            "waiting": backlog.waiting,
            "dead": backlog.dead,
            "oldest_at": moment(backlog.oldest_at),
        }
        return Response(_shown(endpoint) | waits)

    @described(
        "webhook_endpoints_edit",
        request=shapes.EndpointEdited,
        answers={200: shapes.Endpoint},
        refusals=(404, 409),
    )
    def patch(self, request: Request, endpoint_id: int) -> Response:
        """Change its URL or its topics, or switch it off and on."""
        body = Body(request.data)
        url, topics, enabled = body.exact("url", 500), _topics(body), body.flag("enabled")
        body.settle()
        endpoint = endpoints.edit(self.find(endpoint_id), url=url, topics=topics)
        if enabled is not None:
            endpoint = endpoints.enable(endpoint) if enabled else endpoints.disable(endpoint)
        return Response(_shown(endpoint) | unknown(body))

    @described("webhook_endpoints_remove", answers={204: None}, refusals=(404,))
    def delete(self, request: Request, endpoint_id: int) -> Response:
        """Remove it; nothing more is sent there, and what waits is forgotten."""
        endpoints.remove(self.find(endpoint_id))
        return Response(status=204)


class EnableWebhookEndpoint(EndpointView):
    """POST /webhook-endpoints/{id}/enable/."""

    @described("webhook_endpoints_enable", answers={200: shapes.Endpoint}, refusals=(404,))
    def post(self, request: Request, endpoint_id: int) -> Response:
        """Send to it again, beginning with what waits."""
        return Response(_shown(endpoints.enable(self.find(endpoint_id))))


class RotateWebhookEndpoint(EndpointView):
    """POST /webhook-endpoints/{id}/rotate/."""

    @described("webhook_endpoints_rotate", answers={200: shapes.EndpointMade}, refusals=(404,))
    def post(self, request: Request, endpoint_id: int) -> Response:
        """A new secret, shown this once; for 24 hours messages are signed with the one before as well."""
        made = endpoints.rotate(self.find(endpoint_id))
        return Response(_shown(made.endpoint) | {"secret": made.secret})


class ReplayWebhookEndpoint(EndpointView):
    """POST /webhook-endpoints/{id}/replay/."""

    @described(
        "webhook_endpoints_replay",
        request=shapes.ReplayAsked,
        answers={200: shapes.Replayed},
        refusals=(404,),
    )
    def post(self, request: Request, endpoint_id: int) -> Response:
        """Send one change again, or a range of them, each under the webhook-id that it had."""
        body = Body(request.data)
        replayed = dead_letters.replay(self.find(endpoint_id), _wanted(body))
        return Response({"replayed": replayed} | unknown(body))


class Deliveries(EndpointView):
    """GET /webhook-endpoints/{id}/deliveries/."""

    @described(
        "webhook_endpoints_deliveries",
        answers={200: shapes.Letters},
        refusals=(404,),
        parameters=(
            OpenApiParameter("state", str, enum=shapes.DELIVERY_STATES, description="`dead` unless told."),
            LIMIT,
            OpenApiParameter("cursor", int, description="Taken from `next`."),
        ),
    )
    def get(self, request: Request, endpoint_id: int) -> Response:
        """What was given up, what waits, or what was delivered lately; latest first."""
        state = request.query_params.get("state", "dead")
        if state not in WebhookDelivery.State.values:
            raise refuse("state", "word_unknown")
        limit = asked_limit(request)
        before = asked_number(request, "cursor", None, least=1, most=MOST_VERSION)
        rows = WebhookDelivery.objects.filter(endpoint=self.find(endpoint_id), state=state)
        if before is not None:
            rows = rows.filter(pk__lt=before)
        found = list(rows.select_related("event").order_by("-pk")[: limit + 1])
        page = found[:limit]
        following = address_of_next(request, cursor=page[-1].pk) if len(found) > limit else None
        return Response({"deliveries": [_letter(row) for row in page], "next": following})


def _topics(body: Body) -> tuple[str, ...] | None:
    """The topics that were asked for; None when nothing was said."""
    if not body.has("topics"):
        return None
    topics = body.texts("topics", LONGEST_TOPIC, len(Topic.values))
    for number, topic in enumerate(topics):
        if topic not in Topic.values:
            body.note(f"topics.{number}", "word_unknown")
    return topics


def _wanted(body: Body) -> Wanted:
    """Which deliveries a replay is to take. Raises BodyInvalid when nothing says which."""
    one = body.whole("id", 1, MOST_VERSION)
    first, last = body.whole("from", 1, MOST_VERSION), body.whole("to", 1, MOST_VERSION)
    since, until = body.moment("since"), body.moment("until")
    delivered = body.flag("delivered")
    if first is not None and last is not None and last < first:
        body.note("to", OUT_OF_RANGE)
    if since is not None and until is not None and until <= since:
        body.note("until", OUT_OF_RANGE)
    if one is None and first is None and since is None:
        body.required("id", None)
    if one is not None and any(bound is not None for bound in (first, last, since, until)):
        body.note("id", "one_of_many")
    body.settle()
    if one is not None:
        first = last = one
    return Wanted(first, last, since, until, only_dead=not delivered)


def _shown(row: WebhookEndpoint) -> dict[str, Any]:
    return {
        "id": row.pk,
        "url": row.url,
        "topics": row.topics,
        "state": "disabled" if row.disabled_at else channel_health.state_of(row),
        "disabled_at": moment(row.disabled_at),
        "disabled_why": row.disabled_why or None,
        "failures": row.failures,
        "failing_since": moment(row.failing_since),
        "paused_until": moment(row.paused_until),
        "last_success_at": moment(row.last_success_at),
        "last_failure_at": moment(row.last_failure_at),
        "last_problem": row.last_problem or None,
        "last_status": row.last_status,
        "previous_secret_until": moment(row.previous_until),
        "created_at": moment(row.created_at),
    }


def _letter(row: WebhookDelivery) -> dict[str, Any]:
    is_waiting = row.state == WebhookDelivery.State.WAITING
    return {
        "id": row.event_id,
        "webhook_id": webhook_id(row.event_id),
        "topic": row.event.topic,
        "change": row.event.change,
        "state": row.state,
        "failed_tries": row.tries,
        "problem": row.problem or None,
        "status": row.status,
        "at": moment(row.event.created_at),
        "due_at": moment(row.due_at) if is_waiting else None,
        "settled_at": moment(row.settled_at),
    }
