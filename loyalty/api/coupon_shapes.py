"""The shapes of requests and answers about coupons, for the API's description (OpenAPI)."""

from typing import Any

from rest_framework import serializers

from loyalty.api.explanation_shapes import Clause
from loyalty.models import Coupon, CouponMove
from members.api.shapes import Money, Unknown

STEPS = ["issued", *CouponMove.Kind.values]
STANDINGS = ["usable", "not_started", "expired", "locked", "used", "withdrawn"]


class BasketLine(serializers.Serializer[Any]):
    product = serializers.CharField(required=False)
    category = serializers.CharField(required=False)
    amount = Money(required=False, help_text="Net of other discounts, before the coupon")
    quantity = serializers.IntegerField(required=False, help_text="1 unless told")
    price = Money(required=False, help_text="Of one: with it, amount is price × quantity − discount")
    discount = Money(required=False)


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


class CouponAnswer(CouponTerms, Unknown):
    code = serializers.CharField()
    state = serializers.ChoiceField(Coupon.State.values)
    order_no = serializers.CharField()
    discount = Money(allow_null=True, help_text="Off the goods; null where the basket was not told")
    postage_discount = Money(allow_null=True)
    locked_until = serializers.DateTimeField(allow_null=True)
    valid_until = serializers.DateTimeField(allow_null=True)
    sentence = serializers.CharField(allow_blank=True, help_text="The discount with its numbers filled in")
    reasons = serializers.DictField()


class CouponStep(serializers.Serializer[Any]):
    """One thing that happened to a coupon."""

    kind = serializers.ChoiceField(STEPS)
    # A serializer has a `label` of its own, which declared fields do not touch.
    label = serializers.CharField()  # type: ignore[assignment]
    sentence = serializers.CharField(allow_blank=True, help_text="Why, with the numbers filled in")
    channel = serializers.CharField(allow_blank=True)
    order_no = serializers.CharField(allow_blank=True)
    by = serializers.CharField(allow_blank=True, help_text="The user name of staff; a channel reads `staff`")
    at = serializers.DateTimeField()


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
    sentence = serializers.CharField(allow_blank=True, help_text="Why it was issued, in words")
    version = serializers.IntegerField(help_text="The version of the programme that it was issued under")
    clauses = Clause(many=True, help_text="What gave it, where a clause of the programme did")
    steps = CouponStep(many=True, help_text="What happened to it, oldest first")


class HeldCoupons(serializers.Serializer[Any]):
    coupons = HeldCoupon(many=True)
    next = serializers.CharField(allow_null=True, help_text="The address of the next page")
