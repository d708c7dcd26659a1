"""The shapes of enrolments, for the API's description and for nothing else."""

from typing import Any

from rest_framework import serializers

from loyalty.api.shapes import BroughtBySomebody, Points
from members.api.shapes import Consent, Unknown


class OneTap(serializers.Serializer[Any]):
    """The two codes of a WeChat mini program, each fresh and unused."""

    login_code = serializers.CharField(help_text="Of wx.login")
    phone_code = serializers.CharField(help_text="Of the button getPhoneNumber")


class Shown(serializers.Serializer[Any]):
    """The versions of the texts that were shown."""

    agreement = serializers.CharField(required=False)
    privacy = serializers.CharField(required=False)
    tips = serializers.CharField(required=False)


class EnrolmentAsked(serializers.Serializer[Any]):
    """`phone`, or `wechat` for a channel on WeChat."""

    phone = serializers.CharField(required=False)
    wechat = OneTap(required=False)
    notices = Shown(required=False)
    consents = Consent(many=True, required=False)
    referred_by = serializers.CharField(required=False, help_text="A member's referral code")
    store = serializers.CharField(required=False, help_text="Code of the store they stand in")
    client_ip = serializers.CharField(
        required=False, help_text="Where the person is, for the limit by address; not kept"
    )


class Waiting(Unknown):
    """The same for every phone."""

    id = serializers.UUIDField()
    expires_in = serializers.IntegerField(help_text="Seconds for which the code is good")


class Resend(serializers.Serializer[Any]):
    client_ip = serializers.CharField(required=False)


class Code(serializers.Serializer[Any]):
    code = serializers.CharField()


class Enrolled(Unknown):
    member_no = serializers.CharField()
    is_new_member = serializers.BooleanField()
    matched_by = serializers.CharField(help_text="By which key the member was recognised")
    tier = serializers.CharField()
    points = Points()
    referral = BroughtBySomebody(allow_null=True, help_text="Where `referred_by` was told")
