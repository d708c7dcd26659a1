"""What the API says of tiers and benefits, as the OpenAPI document describes it."""

from typing import Any

from rest_framework import serializers

from loyalty.api.explanation_shapes import Clause
from members.api.shapes import Money, Unknown


class TierName(serializers.Serializer[Any]):
    code = serializers.CharField()
    name = serializers.CharField()


class TierNeed(serializers.Serializer[Any]):
    what = serializers.ChoiceField(["spend", "orders", "growth"])
    asked = serializers.CharField()
    have = serializers.CharField()
    missing = serializers.CharField()
    percent = serializers.IntegerField(help_text="How much of it is there, up to 100")
    sentence = serializers.CharField(allow_blank=True, help_text="What is missing, with its unit")


class NextTier(TierName):
    spend_missing = Money()
    orders_missing = serializers.IntegerField()
    growth_missing = serializers.IntegerField()
    needs_both = serializers.BooleanField(help_text="All of the needs, not any one")
    counts_since = serializers.DateTimeField()
    needs = TierNeed(many=True)


class TierGiven(serializers.Serializer[Any]):
    kind = serializers.CharField()
    tier = TierName()
    until = serializers.DateTimeField(allow_null=True)
    reason = serializers.CharField(allow_blank=True)

    def get_fields(self) -> dict[str, Any]:
        """`from` is a word of Python."""
        return super().get_fields() | {"from": serializers.DateTimeField()}


class TierStep(serializers.Serializer[Any]):
    before = TierName()
    after = TierName(help_text="The same as before when the tier was kept for another period")
    reason = serializers.CharField()
    reason_label = serializers.CharField()
    sentence = serializers.CharField(allow_blank=True, help_text="The reason with its numbers filled in")
    why = serializers.DictField()
    version = serializers.IntegerField(help_text="The version of the programme that decided it")
    clauses = Clause(many=True, help_text="What gave it, where it was given")
    valid_until = serializers.DateTimeField(allow_null=True)
    happened_at = serializers.DateTimeField()
    recorded_at = serializers.DateTimeField()


class Tier(serializers.Serializer[Any]):
    member_no = serializers.CharField()
    tier = TierName()
    since = serializers.DateTimeField(allow_null=True)
    until = serializers.DateTimeField(allow_null=True)
    badge = serializers.CharField(allow_blank=True)
    growth = serializers.IntegerField(help_text="All growth value, whenever it came about")
    next = NextTier(allow_null=True)
    to_keep = NextTier(allow_null=True)
    given = TierGiven(many=True, help_text="Floors and cuts that run, or will")
    path = TierStep(many=True, help_text="Latest first")


class TierAsked(serializers.Serializer[Any]):
    tier = serializers.CharField()
    until = serializers.DateTimeField(required=False, help_text="Without one: an invitation")
    reason = serializers.CharField()


class Shipping(serializers.Serializer[Any]):
    kind = serializers.CharField()
    provinces = serializers.ListField(child=serializers.CharField())


class UsesLeft(serializers.Serializer[Any]):
    code = serializers.CharField()
    name = serializers.CharField()
    per = serializers.ChoiceField(["day", "week", "month", "quarter", "year"])
    times = serializers.IntegerField()
    left = serializers.IntegerField()
    discount = serializers.CharField(allow_null=True, help_text="The share that is paid")
    amount = Money(allow_null=True)
    period = serializers.CharField()
    anew_on = serializers.DateField()


class Benefits(serializers.Serializer[Any]):
    member_no = serializers.CharField()
    tier = TierName()
    benefits = serializers.ListField(child=serializers.CharField(), help_text="In words")
    points_per_yuan = serializers.IntegerField()
    worth = Money(help_text="What the available points are worth at this tier, in yuan")
    discount = serializers.CharField(help_text="The share that is paid")
    coefficient = serializers.CharField()
    shipping = Shipping()
    service = serializers.CharField()
    badge = serializers.CharField(allow_blank=True)
    birthday = serializers.DictField()
    extra = serializers.DictField()
    uses = UsesLeft(many=True)


class BenefitAsked(serializers.Serializer[Any]):
    cause = serializers.CharField(help_text="Your own name of why; unique for ever in your channel")


class BenefitUsed(Unknown):
    code = serializers.CharField()
    period = serializers.CharField()
    number = serializers.IntegerField(help_text="Which of the period's times it is")
    used_at = serializers.DateTimeField()


class BenefitReturned(Unknown):
    given_back = serializers.IntegerField()


class BenefitCell(serializers.Serializer[Any]):
    word = serializers.CharField()
    text = serializers.CharField(allow_blank=True)
    yuan = Money(help_text="What it is worth a year, before its weight")
    weight = serializers.CharField()


class BenefitColumn(serializers.Serializer[Any]):
    tier = TierName()
    value = Money(help_text="Total benefit value, yuan a year")
    benefits = BenefitCell(many=True)


class Matrix(serializers.Serializer[Any]):
    tiers = BenefitColumn(many=True)
