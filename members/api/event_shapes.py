"""The shapes of events and cases, for the API's description; `members.reading` reads the bodies."""

from typing import Any

from rest_framework import serializers

from members.api.shapes import VERSION, Buyer, Identifiers, Refusal
from members.facts import CaseKind, CaseState, EventKind

EVENT_OUTCOMES = ["new", "same"]
EVENT_KINDS = [kind.value for kind in EventKind]
CASE_OUTCOMES = ["new", "changed", "same", "stale"]
CASE_KINDS = [kind.value for kind in CaseKind]
CASE_STATES = [state.value for state in CaseState]


class EventItem(serializers.Serializer[Any]):
    """One thing a buyer did. Who it was is told by external_id, identifiers or member_no."""

    event_id = serializers.CharField(help_text="Unique in this channel, for as long as events are kept")
    kind = serializers.ChoiceField(EVENT_KINDS)
    at = serializers.DateTimeField()
    external_id = serializers.CharField(required=False)
    identifiers = Identifiers(required=False)
    member_no = serializers.CharField(required=False)
    session = serializers.CharField(required=False)
    path = serializers.CharField(required=False, help_text="Kept without host, query and fragment")
    entrance = serializers.CharField(required=False, help_text="Where the session came from")
    keyword = serializers.CharField(required=False)
    product = serializers.CharField(required=False)
    category = serializers.CharField(required=False)
    duration = serializers.IntegerField(required=False, help_text="Seconds")


class EventBatch(serializers.Serializer[Any]):
    items = EventItem(many=True)


class EventOfBatch(Refusal):
    status = serializers.IntegerField()
    event_id = serializers.CharField(required=False)
    outcome = serializers.ChoiceField(EVENT_OUTCOMES, required=False)
    ignored = serializers.ListField(child=serializers.CharField(), required=False)


class EventsOfBatch(serializers.Serializer[Any]):
    items = EventOfBatch(many=True)


class Case(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(CASE_KINDS)
    state = serializers.ChoiceField(
        CASE_STATES,
        required=False,
        help_text="Unless told: resolved when closed, working when answered, open",
    )
    opened_at = serializers.DateTimeField()
    buyer = Buyer(required=False, help_text="Without one, whose order it is")
    order_no = serializers.CharField(required=False)
    product = serializers.CharField(required=False)
    question_type = serializers.CharField(required=False)
    feedback_channel = serializers.CharField(required=False)
    text = serializers.CharField(required=False, help_text="What the member said; kept encrypted")
    answer = serializers.CharField(required=False, help_text="What was answered; kept encrypted")
    first_response_at = serializers.DateTimeField(required=False)
    closed_at = serializers.DateTimeField(required=False)
    state_at = serializers.DateTimeField(required=False, help_text="When it came to this state")
    satisfaction = serializers.IntegerField(required=False, min_value=0, max_value=10)
    version = serializers.IntegerField(required=False, help_text=VERSION)


class CaseStep(serializers.Serializer[Any]):
    state = serializers.ChoiceField(CASE_STATES)
    at = serializers.DateTimeField()


class CaseSeen(serializers.Serializer[Any]):
    external_id = serializers.CharField()
    channel = serializers.CharField()
    kind = serializers.ChoiceField(CASE_KINDS)
    state = serializers.ChoiceField(CASE_STATES)
    is_open = serializers.BooleanField()
    member_no = serializers.CharField(allow_null=True)
    order_no = serializers.CharField(allow_null=True)
    product = serializers.CharField(allow_blank=True)
    question_type = serializers.CharField(allow_blank=True)
    feedback_channel = serializers.CharField(allow_blank=True)
    opened_at = serializers.DateTimeField()
    first_response_at = serializers.DateTimeField(allow_null=True)
    closed_at = serializers.DateTimeField(allow_null=True)
    response_seconds = serializers.IntegerField(allow_null=True)
    satisfaction = serializers.IntegerField(allow_null=True)
    version = serializers.IntegerField(allow_null=True)
    steps = CaseStep(many=True)
    flow = serializers.ListField(
        child=serializers.ChoiceField(CASE_STATES), help_text="The usual way of a return or an exchange"
    )


class CaseAnswer(CaseSeen):
    outcome = serializers.ChoiceField(CASE_OUTCOMES)
    stale = serializers.BooleanField()
    ignored = serializers.ListField(child=serializers.CharField(), required=False)


class Cases(serializers.Serializer[Any]):
    cases = CaseSeen(many=True)
    next = serializers.CharField(allow_null=True, help_text="The address of the next page")
