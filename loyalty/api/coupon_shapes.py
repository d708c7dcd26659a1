"""The shapes of requests and answers about coupons, for the API's description (OpenAPI)."""

from typing import Any

from rest_framework import serializers

from loyalty.models import Coupon
from members.api.shapes import Money

STANDINGS = ["usable", "not_started", "expired", "locked", "used", "withdrawn"]


class BasketLine(serializers.Serializer[Any]):
    product = serializers.CharField(required=False)
    category = serializers.CharField(required=False)
    amount = Money(help_text="Net of other discounts, before the coupon")


class CouponUse(serializers.Serializer[Any]):
    """For which order; and what is bought, as the lines or as their sum, where the coupon depends on it."""

    order_no = serializers.CharField()
    member_no = serializers.CharField(required=False, help_text="Needed unless it is for the bearer")
    store = serializers.CharField(required=False)
    amount = Money(required=False, help_text="The sum of the lines, where they are not told")
    lines = BasketLine(many=True, required=False)
    postage = Money(required=False)


class CouponLock(CouponUse):
    expires_in = serializers.IntegerField(required=False, help_text="Seconds, 900 unless told")


class CouponRelease(serializers.Serializer[Any]):
    order_no = serializers.CharField()
    member_no = serializers.CharField(required=False)


class CouponTerms(serializers.Serializer[Any]):
    """What a coupon is worth, in words and as data."""

    campaign = serializers.CharField()
    name = serializers.CharField(allow_blank=True)
    kind = serializers.CharField(help_text="amount, percentage, gift or shipping")
    value = serializers.CharField(allow_null=True, help_text="Yuan, or per cent that are taken off")
    gift = serializers.CharField(allow_null=True, help_text="The code of the gift")
    min_spend = Money()
    max_discount = Money(allow_null=True)
    combines = serializers.BooleanField(help_text="With other coupons that do")
    words = serializers.CharField()


class CouponAnswer(CouponTerms):
    code = serializers.CharField()
    state = serializers.ChoiceField(Coupon.State.values)
    order_no = serializers.CharField()
    discount = Money(allow_null=True, help_text="Off the goods; null where the basket was not told")
    postage_discount = Money(allow_null=True)
    locked_until = serializers.DateTimeField(allow_null=True)
    valid_until = serializers.DateTimeField(allow_null=True)
    sentence = serializers.CharField(allow_blank=True, help_text="The discount with its numbers filled in")
    reasons = serializers.DictField()


class HeldCoupon(CouponTerms):
    code = serializers.CharField()
    standing = serializers.ChoiceField(STANDINGS)
    why_not = serializers.CharField(allow_blank=True, help_text="Why it cannot be used now, in words")
    valid_from = serializers.DateTimeField(allow_null=True)
    valid_until = serializers.DateTimeField(allow_null=True)
    locked_until = serializers.DateTimeField(allow_null=True)
    issued_at = serializers.DateTimeField()
    cause = serializers.CharField(allow_blank=True)
    reasons = serializers.DictField()


class HeldCoupons(serializers.Serializer[Any]):
    coupons = HeldCoupon(many=True)
    next = serializers.CharField(allow_null=True, help_text="The address of the next page")
