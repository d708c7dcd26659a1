"""The shapes of this app's answers, for the API's description (OpenAPI); see members.api.shapes."""

from typing import Any

from rest_framework import serializers

from members.api.shapes import Money, Refusal

OUTCOMES = ["new", "changed", "same", "stale"]
REFUND_OUTCOMES = [*OUTCOMES, "parked"]


class Expiring(serializers.Serializer[Any]):
    points = serializers.IntegerField()
    at = serializers.DateTimeField()


class Points(serializers.Serializer[Any]):
    """Points at one instant."""

    balance = serializers.IntegerField()
    available = serializers.IntegerField()
    pending = serializers.IntegerField()
    held = serializers.IntegerField()
    debt = serializers.IntegerField()
    expiring_next = Expiring(allow_null=True)


class MemberPoints(Points):
    member_no = serializers.CharField()
    as_of = serializers.DateTimeField(allow_null=True)


class TierName(serializers.Serializer[Any]):
    code = serializers.CharField()
    name = serializers.CharField()


class NextTier(TierName):
    spend_missing = Money()
    orders_missing = serializers.IntegerField()
    needs_both = serializers.BooleanField()


class Tier(serializers.Serializer[Any]):
    member_no = serializers.CharField()
    tier = TierName()
    until = serializers.DateTimeField(allow_null=True)
    next = NextTier(allow_null=True)


class Benefits(serializers.Serializer[Any]):
    member_no = serializers.CharField()
    tier = TierName()
    benefits = serializers.ListField(child=serializers.CharField(), help_text="In words")
    points_per_yuan = serializers.IntegerField()
    worth = Money(help_text="What the available points are worth at this tier, in yuan")


class AccountAnswer(serializers.Serializer[Any]):
    external_id = serializers.CharField(required=False)
    outcome = serializers.ChoiceField(OUTCOMES)
    stale = serializers.BooleanField()
    member_no = serializers.CharField()
    is_new_member = serializers.BooleanField()
    matched_by = serializers.CharField(help_text="By which key the member was recognised")
    tier = serializers.CharField()
    points = Points()
    ignored = serializers.ListField(child=serializers.CharField(), required=False)


class Profile(serializers.Serializer[Any]):
    name = serializers.CharField(allow_blank=True)
    nick = serializers.CharField(allow_blank=True)
    birthday = serializers.CharField(allow_blank=True)
    gender = serializers.CharField(allow_blank=True)
    province = serializers.CharField(allow_blank=True)
    city = serializers.CharField(allow_blank=True)


class AccountSeen(serializers.Serializer[Any]):
    external_id = serializers.CharField()
    member_no = serializers.CharField()
    matched_by = serializers.CharField()
    is_masked = serializers.BooleanField()
    profile = Profile()
    joined_at = serializers.DateTimeField(allow_null=True)
    unbound_at = serializers.DateTimeField(allow_null=True)
    version = serializers.IntegerField(allow_null=True)
    tier = serializers.CharField()
    points = Points()


class AccountOfBatch(AccountAnswer, Refusal):
    status = serializers.IntegerField()
    outcome = serializers.ChoiceField(OUTCOMES, required=False)
    stale = serializers.BooleanField(required=False)
    member_no = serializers.CharField(required=False)
    is_new_member = serializers.BooleanField(required=False)
    matched_by = serializers.CharField(required=False)
    tier = serializers.CharField(required=False)
    points = Points(required=False)


class AccountsOfBatch(serializers.Serializer[Any]):
    items = AccountOfBatch(many=True)


class OrderPoints(serializers.Serializer[Any]):
    total = serializers.IntegerField(help_text="What stands for this order now")
    earned = serializers.IntegerField(help_text="Of these, available now")
    pending = serializers.IntegerField(help_text="Of these, available later")
    available_from = serializers.DateTimeField(allow_null=True)
    added = serializers.IntegerField(help_text="Added by this request")
    taken = serializers.IntegerField(help_text="Taken back by this request")
    sentence = serializers.CharField(allow_blank=True, help_text="The reason with its numbers filled in")
    reasons = serializers.DictField()


class OrderAnswer(serializers.Serializer[Any]):
    order_no = serializers.CharField()
    outcome = serializers.ChoiceField(OUTCOMES)
    stale = serializers.BooleanField()
    order_status = serializers.CharField()
    net = Money()
    member_no = serializers.CharField(allow_null=True)
    tier = serializers.CharField(allow_null=True)
    points = OrderPoints()
    ignored = serializers.ListField(child=serializers.CharField(), required=False)


class OrderOfBatch(OrderAnswer, Refusal):
    status = serializers.IntegerField()
    order_no = serializers.CharField(required=False)
    outcome = serializers.ChoiceField(OUTCOMES, required=False)
    stale = serializers.BooleanField(required=False)
    order_status = serializers.CharField(required=False)
    net = Money(required=False)
    member_no = serializers.CharField(required=False, allow_null=True)
    tier = serializers.CharField(required=False, allow_null=True)
    points = OrderPoints(required=False)


class OrdersOfBatch(serializers.Serializer[Any]):
    items = OrderOfBatch(many=True)


class RefundSeen(serializers.Serializer[Any]):
    refund_no = serializers.CharField()
    goods = Money()
    postage = Money()
    refunded_at = serializers.DateTimeField(allow_null=True)


class StandingPoints(serializers.Serializer[Any]):
    total = serializers.IntegerField()
    sentence = serializers.CharField(allow_blank=True)
    reasons = serializers.DictField()


class OrderSeen(serializers.Serializer[Any]):
    order_no = serializers.CharField()
    order_status = serializers.CharField()
    store = serializers.CharField(allow_null=True)
    member_no = serializers.CharField(allow_null=True)
    placed_at = serializers.DateTimeField(allow_null=True)
    paid_at = serializers.DateTimeField(allow_null=True)
    received_at = serializers.DateTimeField(allow_null=True)
    goods = Money()
    discount = Money()
    postage = Money()
    net = Money()
    refunded_goods = Money()
    refunded_postage = Money()
    refunds = RefundSeen(many=True)
    version = serializers.IntegerField(allow_null=True)
    points = StandingPoints()


class RefundAnswer(serializers.Serializer[Any]):
    order_no = serializers.CharField()
    refund_no = serializers.CharField()
    outcome = serializers.ChoiceField(REFUND_OUTCOMES)
    stale = serializers.BooleanField()
    parked = serializers.BooleanField(help_text="The order has not been told yet")
    points_taken = serializers.IntegerField()
    points_returned = serializers.IntegerField()
    debt = serializers.IntegerField()
    money_to_withhold = Money()
    ignored = serializers.ListField(child=serializers.CharField(), required=False)


class PointsAsked(serializers.Serializer[Any]):
    points = serializers.IntegerField(min_value=1)
    cause = serializers.CharField(help_text="Your own name of why; unique for ever in your channel")
    reason = serializers.CharField(required=False)


class HoldAsked(PointsAsked):
    expires_in = serializers.IntegerField(required=False, help_text="Seconds, 900 unless told")


class CaptureAsked(serializers.Serializer[Any]):
    points = serializers.IntegerField(required=False, min_value=1, help_text="All that is held unless told")


class PointsMoved(Points):
    entry_id = serializers.IntegerField()
    points = serializers.IntegerField()


class HoldAnswer(Points):
    hold_id = serializers.IntegerField()
    points = serializers.IntegerField()
    state = serializers.ChoiceField(["open", "captured", "released", "timed_out"])
    expires_at = serializers.DateTimeField()


class Entry(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    kind = serializers.CharField()
    kind_label = serializers.CharField()
    points = serializers.IntegerField()
    balance_after = serializers.IntegerField()
    debt_after = serializers.IntegerField()
    cause = serializers.CharField()
    reason = serializers.CharField(allow_blank=True)
    sentence = serializers.CharField(allow_blank=True)
    why = serializers.DictField()
    channel = serializers.CharField(allow_blank=True)
    order_no = serializers.CharField(allow_blank=True)
    happened_at = serializers.DateTimeField()
    recorded_at = serializers.DateTimeField()


class Entries(serializers.Serializer[Any]):
    entries = Entry(many=True)
    next = serializers.CharField(allow_null=True, help_text="The address of the next page")
