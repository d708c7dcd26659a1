"""The shapes of requests and answers about quotes, for the API's description (OpenAPI)."""

from typing import Any

from rest_framework import serializers

from loyalty.api.coupon_shapes import BasketLine
from loyalty.api.tier_shapes import TierName
from members.api.shapes import Money, Unknown


class QuoteAsked(serializers.Serializer[Any]):
    """Who buys what: lines as they cost before any discount, or their sum as `amount`."""

    member_no = serializers.CharField()
    store = serializers.CharField(required=False)
    amount = Money(required=False, help_text="The sum of the lines, where they are not told")
    lines = BasketLine(many=True, required=False)
    postage = Money(required=False)
    province = serializers.CharField(required=False, help_text="Where the parcel goes, for free shipping")
    points = serializers.IntegerField(required=False, help_text="So many points at most; 0 unless told")
    all_points = serializers.BooleanField(required=False, help_text="As many points as can be used")
    codes = serializers.ListField(
        child=serializers.CharField(), required=False, help_text="Codes of coupons that the buyer presents"
    )
    with_coupons = serializers.BooleanField(
        required=False, help_text="Whether to use those that the member holds; true unless told"
    )
    with_benefits = serializers.BooleanField(
        required=False, help_text="Whether to use counted benefits, such as this month's 10 % off"
    )
    without = serializers.ListField(
        child=serializers.CharField(),
        required=False,
        help_text="Codes of coupons and counted benefits to leave alone",
    )


class QuotedDiscount(serializers.Serializer[Any]):
    amount = Money()
    sentence = serializers.CharField(allow_blank=True, help_text="The discount with its numbers filled in")


class QuotedBenefit(serializers.Serializer[Any]):
    code = serializers.CharField()
    name = serializers.CharField()
    left = serializers.IntegerField(help_text="Of this period, this use not counted")


class QuotedCoupon(serializers.Serializer[Any]):
    code = serializers.CharField()
    campaign = serializers.CharField()
    name = serializers.CharField()
    words = serializers.CharField(help_text="What it is worth")
    discount = Money(help_text="Off the goods")
    postage_discount = Money()
    gift = serializers.CharField(allow_null=True)
    score = serializers.CharField(help_text="The priority score S")
    sentence = serializers.CharField(allow_blank=True)


class NotUsedCoupon(serializers.Serializer[Any]):
    code = serializers.CharField()
    campaign = serializers.CharField(allow_null=True)
    name = serializers.CharField(allow_blank=True)
    why_not = serializers.CharField(help_text="A code; `outbid`: something better was chosen")
    reason = serializers.CharField(help_text="The same in words")
    would_save = Money(help_text="By itself")
    score = serializers.CharField()


class QuotedPoints(serializers.Serializer[Any]):
    available = serializers.IntegerField()
    usable = serializers.IntegerField(help_text="For this basket, at this tier's rate")
    usable_value = Money()
    used = serializers.IntegerField()
    value = Money()
    sentence = serializers.CharField(allow_blank=True)


class QuotedPostage(serializers.Serializer[Any]):
    told = Money()
    free = Money(help_text="By the tier's free shipping")
    coupons = Money()
    to_pay = Money()


class QuotedLine(serializers.Serializer[Any]):
    """A line with what is taken off it; over all lines each column adds up exactly."""

    amount = Money()
    tier_discount = Money()
    coupon_discount = Money()
    points_value = Money()
    to_pay = Money()


class QuoteAnswer(Unknown):
    quote_id = serializers.UUIDField()
    member_no = serializers.CharField()
    valid_until = serializers.DateTimeField()
    version = serializers.IntegerField(help_text="The version of the programme that decided it")
    tier = TierName()
    goods = Money()
    tier_discount = QuotedDiscount(help_text="Of the tier, or of the counted benefit in its place")
    benefit = QuotedBenefit(allow_null=True)
    coupons = QuotedCoupon(many=True)
    not_used = NotUsedCoupon(many=True)
    points = QuotedPoints()
    postage = QuotedPostage()
    lines = QuotedLine(many=True)
    net = Money(help_text="The goods after all discounts; points pay part of it")
    saved = Money(help_text="Against the same basket without the programme; gifts and points left aside")
    to_pay = Money()
    points_to_earn = serializers.IntegerField(help_text="By the rules of now; their limits left aside")


class QuoteCommit(serializers.Serializer[Any]):
    order_no = serializers.CharField()


class CommittedCoupon(serializers.Serializer[Any]):
    code = serializers.CharField()
    discount = Money()
    postage_discount = Money()


class SpentPoints(serializers.Serializer[Any]):
    points = serializers.IntegerField()
    cause = serializers.CharField(help_text="To be told as the order's `points_spent.cause`")


class CommitAnswer(Unknown):
    quote_id = serializers.UUIDField()
    order_no = serializers.CharField()
    committed_at = serializers.DateTimeField()
    benefit = serializers.CharField(allow_null=True)
    coupons = CommittedCoupon(many=True)
    points_spent = SpentPoints(allow_null=True)
    net = Money()
    points_value = Money()
    postage = Money()
    to_pay = Money()
