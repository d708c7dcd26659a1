"""How a statement may be narrowed by those who read it over the API."""

from datetime import datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django_filters import rest_framework as filters
from rest_framework.request import Request

from loyalty.models import Entry
from members.api.answers import in_query
from members.bodies import PROBLEMS, UNKNOWN_WORD, Body, read_moment
from members.cleaning import Unclean
from members.errors import BodyInvalid


class MomentField(forms.Field):
    """An instant of RFC 3339 with its offset, as bodies have it."""

    def to_python(self, value: Any) -> datetime | None:
        if value in self.empty_values:
            return None
        try:
            return read_moment(in_query(value))
        except Unclean as unclean:
            raise ValidationError("", code=unclean.code) from None


class MomentFilter(filters.Filter):
    """Compares with an instant."""

    field_class = MomentField


class EntryFilter(filters.FilterSet):
    """Entries of some kinds, of some channel, or recorded within a time: `from <= recorded_at < to`."""

    kind = filters.MultipleChoiceFilter(choices=Entry.Kind.choices)
    channel = filters.CharFilter(field_name="channel__code")
    recorded_from = MomentFilter(field_name="recorded_at", lookup_expr="gte")
    recorded_to = MomentFilter(field_name="recorded_at", lookup_expr="lt")

    class Meta:
        model = Entry
        fields = ("kind", "channel", "recorded_from", "recorded_to")


def asked_filter(request: Request) -> EntryFilter:
    """The filter of a request's query. Raises BodyInvalid where a value is not one."""
    asked = EntryFilter(request.query_params, queryset=Entry.objects.all())
    if asked.is_valid():
        return asked
    body = Body({})
    for name, errors in asked.errors.as_data().items():
        for error in errors:
            body.note(name, error.code if error.code in PROBLEMS else UNKNOWN_WORD)
    raise BodyInvalid(body.problems)
