"""The shapes of webhook endpoints and their deliveries, for the API's description."""

from typing import Any

from rest_framework import serializers

from members.api.shapes import Unknown
from members.models import DeliveryProblem, Topic

ENDPOINT_STATES = ["working", "failing", "paused", "disabled"]
DISABLED_WHY = ["asked", "gone", "failing"]
DELIVERY_STATES = ["waiting", "delivered", "dead"]
PROBLEMS = DeliveryProblem.values
TOPICS = Topic.values


class EndpointAsked(serializers.Serializer[Any]):
    url = serializers.CharField(max_length=500, help_text="https, of the public internet")
    topics = serializers.ListField(
        child=serializers.ChoiceField(TOPICS), required=False, help_text="None for all"
    )


class EndpointEdited(EndpointAsked):
    url = serializers.CharField(max_length=500, required=False)
    enabled = serializers.BooleanField(
        required=False, help_text="false switches it off; what happens then waits"
    )


class Endpoint(Unknown):
    id = serializers.IntegerField()
    url = serializers.CharField()
    topics = serializers.ListField(child=serializers.ChoiceField(TOPICS))
    state = serializers.ChoiceField(ENDPOINT_STATES)
    disabled_at = serializers.DateTimeField(allow_null=True)
    disabled_why = serializers.ChoiceField(DISABLED_WHY, allow_null=True)
    failures = serializers.IntegerField(help_text="In a row; from the fifth on only probes are sent")
    failing_since = serializers.DateTimeField(allow_null=True)
    paused_until = serializers.DateTimeField(allow_null=True)
    last_success_at = serializers.DateTimeField(allow_null=True)
    last_failure_at = serializers.DateTimeField(allow_null=True)
    last_problem = serializers.ChoiceField(PROBLEMS, allow_null=True)
    last_status = serializers.IntegerField(allow_null=True)
    previous_secret_until = serializers.DateTimeField(
        allow_null=True, help_text="Until then the secret before the last rotation signs too"
    )
    created_at = serializers.DateTimeField()


class EndpointMade(Endpoint):
    secret = serializers.CharField(help_text="`whsec_…`; shown now and never again")


class EndpointBacklog(Endpoint):
    waiting = serializers.IntegerField(help_text="Changes on their way, 10,000 for as many or more")
    dead = serializers.IntegerField(help_text="Dead letters, 10,000 for as many or more")
    oldest_at = serializers.DateTimeField(allow_null=True, help_text="When the oldest that waits happened")


class Endpoints(serializers.Serializer[Any]):
    webhook_endpoints = Endpoint(many=True)


class ReplayAsked(serializers.Serializer[Any]):
    """One change by its `id`, or a range: of ids (`from`, `to`, both included), or of times."""

    id = serializers.IntegerField(required=False, help_text="As in `data.id` and in GET /changes/")
    to = serializers.IntegerField(required=False)
    since = serializers.DateTimeField(required=False)
    until = serializers.DateTimeField(required=False)
    delivered = serializers.BooleanField(
        required=False, help_text="Send again what was delivered too; unless told, dead letters only"
    )

    def get_fields(self) -> dict[str, Any]:
        """`from` is no name in Python."""
        return {**super().get_fields(), "from": serializers.IntegerField(required=False)}


class Replayed(Unknown):
    replayed = serializers.IntegerField(help_text="10,000 at the most: ask again for the next")


class Letter(serializers.Serializer[Any]):
    """One change on its way to the endpoint."""

    id = serializers.IntegerField(help_text="Of the change")
    webhook_id = serializers.CharField()
    topic = serializers.CharField()
    change = serializers.CharField()
    state = serializers.ChoiceField(DELIVERY_STATES)
    failed_tries = serializers.IntegerField()
    problem = serializers.ChoiceField(PROBLEMS, allow_null=True)
    status = serializers.IntegerField(allow_null=True)
    at = serializers.DateTimeField(help_text="When the change happened")
    due_at = serializers.DateTimeField(allow_null=True)
    settled_at = serializers.DateTimeField(allow_null=True)


class Letters(serializers.Serializer[Any]):
    deliveries = Letter(many=True)
    next = serializers.CharField(allow_null=True, help_text="The address of the next page")
