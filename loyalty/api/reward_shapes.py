"""The shapes of what is told of rewards, for the API's description (OpenAPI); see members.api.shapes."""

from typing import Any

from rest_framework import serializers

from loyalty.api.shapes import Points
from loyalty.models import Claim
from loyalty.reward_terms import KINDS, WAYS
from loyalty.reward_words import REFUSALS
from members.api.shapes import Money, Unknown

REWARD_KINDS = list(KINDS)
REWARD_WAYS = list(WAYS)
REWARD_REFUSALS = list(REFUSALS)
CLAIM_STATES = list(Claim.State.values)


class PictureSeen(serializers.Serializer[Any]):
    url = serializers.CharField(help_text="Needs no key; its content never changes")
    alt = serializers.CharField(allow_blank=True, help_text="What it shows")


class SaleSeen(serializers.Serializer[Any]):
    code = serializers.CharField()
    name = serializers.CharField(help_text="What it is called; its code without a name")
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    points = serializers.IntegerField()
    money = Money()


class RewardSeen(serializers.Serializer[Any]):
    code = serializers.CharField()
    name = serializers.CharField()
    description = serializers.CharField(allow_blank=True)
    kind = serializers.ChoiceField(REWARD_KINDS)
    points = serializers.IntegerField(help_text="What it costs now")
    money = Money(help_text="Beside the points")
    price = serializers.CharField(help_text="Points and money in words")
    usual_price = serializers.CharField(help_text="Outside of points sales")
    ways = serializers.ListField(child=serializers.ChoiceField(REWARD_WAYS))
    left = serializers.IntegerField(allow_null=True, help_text="Null: without limit")
    per_member = serializers.IntegerField(allow_null=True, help_text="Null: without limit")
    claimed = serializers.IntegerField(help_text="How many of these the member has claimed")
    tiers = serializers.ListField(child=serializers.CharField(), help_text="Empty: every tier")
    starts_at = serializers.DateTimeField(allow_null=True)
    ends_at = serializers.DateTimeField(allow_null=True)
    sale = SaleSeen(allow_null=True, help_text="The points sale that runs now")
    next_sale = SaleSeen(allow_null=True)
    picture = PictureSeen(allow_null=True)
    can_claim = serializers.BooleanField()
    why_not = serializers.ChoiceField(REWARD_REFUSALS, allow_null=True)
    why_not_words = serializers.CharField(allow_blank=True)


class Rewards(serializers.Serializer[Any]):
    member_no = serializers.CharField(allow_null=True)
    rewards = RewardSeen(many=True)


class ClaimAsked(serializers.Serializer[Any]):
    member_no = serializers.CharField()
    cause = serializers.CharField(
        required=False,
        help_text="Your own name of why, unique for ever in your channel; the Idempotency-Key unless told",
    )
    way = serializers.ChoiceField(REWARD_WAYS, required=False, help_text="The first that is offered")
    store = serializers.CharField(required=False, help_text="A store of your channel, to pick it up")
    points = serializers.IntegerField(required=False, help_text="The price that was seen; another is 409")
    money = Money(required=False, help_text="The price that was seen; another is 409")


class CancelAsked(serializers.Serializer[Any]):
    reason = serializers.CharField(help_text="At least five characters")


class ClaimSeen(serializers.Serializer[Any]):
    claim_id = serializers.IntegerField()
    reward = serializers.CharField()
    name = serializers.CharField()
    sale = serializers.CharField(allow_blank=True)
    state = serializers.ChoiceField(CLAIM_STATES)
    state_label = serializers.CharField()
    way = serializers.ChoiceField(REWARD_WAYS)
    points = serializers.IntegerField()
    money = Money()
    sentence = serializers.CharField(help_text="Why it cost what it did, or for what it was given")
    why = serializers.DictField()
    tracking = serializers.CharField(allow_blank=True, help_text="Number of the parcel")
    store = serializers.CharField(allow_null=True)
    coupon_code = serializers.CharField(allow_null=True, help_text="Of a reward that is a coupon")
    can_cancel = serializers.BooleanField()
    claimed_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True)


class ClaimAnswer(Points, ClaimSeen, Unknown):
    """The claim, and what points are left; `points` is what the claim costs."""


class Claims(serializers.Serializer[Any]):
    claims = ClaimSeen(many=True)
    next = serializers.CharField(allow_null=True, help_text="The address of the next page")
