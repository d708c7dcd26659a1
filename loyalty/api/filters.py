"""How a statement may be narrowed by those who read it over the API: the rules of the console's list."""

from datetime import datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django_filters import FilterSet
from rest_framework.request import Request

from loyalty.filters import EntryFilter
from loyalty.models import Entry
from members.api.answers import in_query
from members.bodies import PROBLEMS, UNKNOWN_WORD, Body, read_moment
from members.cleaning import Unclean
from members.errors import BodyInvalid
from members.models import Channel

RULES = EntryFilter.base_filters


class MomentField(forms.Field):
    """An instant of RFC 3339 with its offset, as bodies have it."""

    def to_python(self, value: Any) -> datetime | None:
        if value in self.empty_values:
            return None
        try:
            return read_moment(in_query(value))
        except Unclean as unclean:
            raise ValidationError("", code=unclean.code) from None


class ChannelField(forms.CharField):
    """A channel by its code; one that is not there has no entries."""

    def clean(self, value: Any) -> QuerySet[Channel] | None:
        code = super().clean(value)
        return Channel.objects.filter(code=code) if code else None


class StatementFilter(FilterSet):
    """Entries of some kinds, of some channel, or recorded within a time: `from <= recorded_at < to`."""

    kind = RULES["kind"]
    channel = RULES["channel"].told_as(ChannelField)
    recorded_from = RULES["recorded_from"].told_as(MomentField)
    recorded_to = RULES["recorded_until"].told_as(MomentField)


def asked_filter(request: Request) -> StatementFilter:
    """The filter of a request's query. Raises BodyInvalid where a value is not one."""
    asked = StatementFilter(request.query_params, queryset=Entry.objects.all())
    if asked.is_valid():
        return asked
    body = Body({})
    for name, errors in asked.errors.as_data().items():
        for error in errors:
            body.note(name, error.code if error.code in PROBLEMS else UNKNOWN_WORD)
    raise BodyInvalid(body.problems)
