"""How a statement may be narrowed by those who read it over the API."""

from django_filters import rest_framework as filters
from rest_framework.request import Request

from loyalty.models import Entry
from members.errors import BodyInvalid


class EntryFilter(filters.FilterSet):
    """Entries of some kinds, of some channel, or recorded within a time: `from <= recorded_at < to`."""

    kind = filters.MultipleChoiceFilter(choices=Entry.Kind.choices)
    channel = filters.CharFilter(field_name="channel__code")
    recorded_from = filters.IsoDateTimeFilter(field_name="recorded_at", lookup_expr="gte")
    recorded_to = filters.IsoDateTimeFilter(field_name="recorded_at", lookup_expr="lt")

    class Meta:
        model = Entry
        fields = ("kind", "channel", "recorded_from", "recorded_to")


def asked_filter(request: Request) -> EntryFilter:
    """The filter of a request's query. Raises BodyInvalid where a value is not one."""
    asked = EntryFilter(request.query_params, queryset=Entry.objects.all())
    if asked.is_valid():
        return asked
    raise BodyInvalid(
        [
            {"path": name, "code": "invalid", "message": str(message)}
            for name, messages in asked.errors.items()
            for message in messages
        ]
    )
