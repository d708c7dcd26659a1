"""The shapes of consents, for the API's description; `members.api.consents` reads the bodies."""

from typing import Any

from rest_framework import serializers

from members.api.shapes import Consent
from privacy.models import ConsentEvent

CONSENT_METHODS = list(ConsentEvent.Method.values)


class ConsentsTold(serializers.Serializer[Any]):
    """One word, with its fields beside these, or several in `consents`."""

    member_no = serializers.CharField(required=False)
    external_id = serializers.CharField(required=False, help_text="Or this channel's own id of the buyer")
    method = serializers.ChoiceField(CONSENT_METHODS, required=False, help_text="By what act it was said")
    consents = Consent(many=True, required=False)
    purpose = serializers.CharField(required=False)
    granted = serializers.BooleanField(required=False)
    channel = serializers.CharField(required=False)
    party = serializers.CharField(required=False)
    notice = serializers.CharField(required=False)
    at = serializers.DateTimeField(required=False)


class ConsentSaid(serializers.Serializer[Any]):
    """A yes or a no as it is on record."""

    purpose = serializers.CharField()
    channel = serializers.CharField()
    party = serializers.CharField(allow_blank=True)
    granted = serializers.BooleanField()
    at = serializers.DateTimeField(help_text="When it was said")
    recorded_at = serializers.DateTimeField(help_text="When we heard it")
    notice = serializers.CharField(allow_blank=True, help_text="Version of the notice that was shown")
    method = serializers.ChoiceField(CONSENT_METHODS)
    source = serializers.CharField(allow_blank=True, help_text="The channel that told it")  # type: ignore[assignment]
    receipt = serializers.UUIDField()


class ConsentsRecorded(serializers.Serializer[Any]):
    member_no = serializers.CharField()
    recorded = ConsentSaid(many=True, help_text="What is new; empty when all of it held already")
    ignored = serializers.ListField(child=serializers.CharField(), required=False)


class ConsentProof(serializers.Serializer[Any]):
    """Whether one thing was allowed, and by which word."""

    purpose = serializers.CharField()
    channel = serializers.CharField()
    party = serializers.CharField(allow_blank=True)
    allowed = serializers.BooleanField()
    decided_by = ConsentSaid(allow_null=True, help_text="None: nothing was ever said, which is no")
    receipt = serializers.DictField(allow_null=True, help_text="Fields of the Kantara consent receipt 1.1")


class Consents(serializers.Serializer[Any]):
    member_no = serializers.CharField()
    at = serializers.DateTimeField()
    known_at = serializers.DateTimeField(allow_null=True)
    standing = ConsentSaid(many=True)
    proof = ConsentProof(required=False, help_text="Of the purpose that was asked for")
