"""The shapes of what explains an answer (B14), for the API's description (OpenAPI)."""

from typing import Any

from rest_framework import serializers

from loyalty import explanations
from loyalty.clauses import KINDS


class Clause(serializers.Serializer[Any]):
    """A clause of the programme as it stood in the version that decided, and what it made."""

    kind = serializers.ChoiceField(list(KINDS))
    # A serializer has a `label` of its own, which declared fields do not touch.
    label = serializers.CharField()  # type: ignore[assignment]
    code = serializers.CharField(allow_blank=True)
    name = serializers.CharField(allow_blank=True, help_text="What it is called; its code without a name")
    version = serializers.IntegerField(allow_null=True)
    sentence = serializers.CharField(allow_blank=True, help_text="In the caller's language")
    points = serializers.IntegerField(allow_null=True, help_text="What it made; null where it makes none")
    cut_from = serializers.IntegerField(allow_null=True, help_text="What it would have made without a limit")
    cut = serializers.CharField(allow_blank=True, help_text="By which limit it was cut, in words")


class EntryBy(serializers.Serializer[Any]):
    """Who moved the points: staff by user name (a channel reads `staff`), a channel, or the programme."""

    kind = serializers.ChoiceField([explanations.STAFF, explanations.CHANNEL, explanations.PROGRAMME])
    name = serializers.CharField()


class EntryReversed(serializers.Serializer[Any]):
    """The entry that another one reverses."""

    entry_id = serializers.IntegerField()
    share = serializers.CharField(help_text="The share of its points: 0.2500 is a quarter")
