"""The shapes of this app's answers, for the API's description (OpenAPI); see members.api.shapes."""

from typing import Any

from rest_framework import serializers

from loyalty.api.explanation_shapes import Clause, EntryBy, EntryReversed
from loyalty.grant_terms import TOLD
from loyalty.models import Referral
from loyalty.prizes import WORDS
from loyalty.referrals import UNKNOWN_CODE
from members.api.shapes import APPROVAL_STATES, Money, Refusal, Unknown

# What a limit cut is told by (docs/errors.md); nothing is refused for it.
BUDGET_SPENT, LIMIT_REACHED = "loyalty.budget_spent", "loyalty.limit_reached"

OUTCOMES = ["new", "changed", "same", "stale"]
GRANT_STATES = ["given", "not_given", "withdrawn"]
REFUND_OUTCOMES = [*OUTCOMES, "parked", "waiting"]


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


class BroughtBySomebody(serializers.Serializer[Any]):
    """Whether the member was brought by another: a state, and what speaks against it."""

    state = serializers.ChoiceField([*Referral.State.values, UNKNOWN_CODE])
    reasons = serializers.ListField(child=serializers.ChoiceField(Referral.Reason.values))


class AccountAnswer(serializers.Serializer[Any]):
    external_id = serializers.CharField(required=False)
    outcome = serializers.ChoiceField(OUTCOMES)
    stale = serializers.BooleanField()
    member_no = serializers.CharField()
    is_new_member = serializers.BooleanField()
    matched_by = serializers.CharField(help_text="By which key the member was recognised")
    tier = serializers.CharField()
    points = Points()
    referral = BroughtBySomebody(allow_null=True, help_text="Where `referred_by` was told")
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
    referral = BroughtBySomebody(allow_null=True, required=False)


class AccountsOfBatch(serializers.Serializer[Any]):
    items = AccountOfBatch(many=True)


class CutRule(serializers.Serializer[Any]):
    """A rule that gave what still fitted into its budget, or into what one member may have of it."""

    code = serializers.ChoiceField([BUDGET_SPENT, LIMIT_REACHED])
    rule = serializers.CharField()
    rule_name = serializers.CharField(help_text="What the rule is called; the code without a name")
    wanted = serializers.IntegerField(help_text="Points, without the limit")
    given = serializers.IntegerField(help_text="Points")
    sentence = serializers.CharField()


class OrderPoints(serializers.Serializer[Any]):
    total = serializers.IntegerField(help_text="What stands for this order now")
    earned = serializers.IntegerField(help_text="Of these, available now")
    pending = serializers.IntegerField(help_text="Of these, available later")
    available_from = serializers.DateTimeField(allow_null=True)
    added = serializers.IntegerField(help_text="Added by this request")
    taken = serializers.IntegerField(help_text="Taken back by this request")
    sentence = serializers.CharField(allow_blank=True, help_text="The reason with its numbers filled in")
    reasons = serializers.DictField()
    cut = CutRule(many=True, help_text="The rules whose points a limit cut")


class GivenThing(serializers.Serializer[Any]):
    prize = serializers.ChoiceField(list(WORDS))
    value = serializers.CharField(help_text="Points in digits, or the code of what it is")
    name = serializers.CharField(help_text="What it is, in words")
    state = serializers.ChoiceField(GRANT_STATES)
    refusal = serializers.CharField(allow_blank=True, help_text="Why not, as a code")
    refusal_label = serializers.CharField(allow_blank=True)
    # A serializer has a `source` of its own, which declared fields do not touch.
    source = serializers.CharField()  # type: ignore[assignment]
    code = serializers.CharField()
    source_name = serializers.CharField(help_text="What the code is called; the code without a name")
    version = serializers.IntegerField(allow_null=True, help_text="Of the programme")
    sentence = serializers.CharField(allow_blank=True)


class OrderAnswer(serializers.Serializer[Any]):
    order_no = serializers.CharField()
    outcome = serializers.ChoiceField(OUTCOMES)
    stale = serializers.BooleanField()
    order_status = serializers.CharField()
    net = Money()
    member_no = serializers.CharField(allow_null=True)
    tier = serializers.CharField(allow_null=True)
    points = OrderPoints()
    given = GivenThing(many=True, help_text="What else this telling gave for the order")
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
    given = GivenThing(many=True, required=False)


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
    cut = CutRule(many=True)


class LineSeen(serializers.Serializer[Any]):
    product = serializers.CharField(allow_blank=True)
    name = serializers.CharField(allow_blank=True)
    category = serializers.CharField(allow_blank=True)
    quantity = serializers.IntegerField()
    price = Money(allow_null=True)
    discount = Money()
    amount = Money(allow_null=True, help_text="Net")


class AmountsSeen(serializers.Serializer[Any]):
    goods = Money()
    discount = Money()
    postage = Money()
    paid = Money()
    points_value = Money()
    stored_value = Money()


class PointsSpentSeen(serializers.Serializer[Any]):
    points = serializers.IntegerField()
    cause = serializers.CharField(allow_blank=True)


class OrderSeen(serializers.Serializer[Any]):
    """An order in the words in which it is put, with what became of it; figures also stand beside it."""

    order_no = serializers.CharField()
    status = serializers.CharField()
    order_status = serializers.CharField(help_text="As in answers to PUT: the same as `status`")
    store = serializers.CharField(allow_null=True)
    member_no = serializers.CharField(allow_null=True)
    placed_at = serializers.DateTimeField(allow_null=True)
    paid_at = serializers.DateTimeField(allow_null=True)
    shipped_at = serializers.DateTimeField(allow_null=True)
    received_at = serializers.DateTimeField(allow_null=True)
    completed_at = serializers.DateTimeField(allow_null=True)
    lines = LineSeen(many=True)
    amounts = AmountsSeen()
    points_spent = PointsSpentSeen(allow_null=True)
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
    approval_id = serializers.IntegerField(allow_null=True, help_text="Of one that waits for a second person")
    ignored = serializers.ListField(child=serializers.CharField(), required=False)


class PointsAsked(serializers.Serializer[Any]):
    points = serializers.IntegerField(min_value=1)
    cause = serializers.CharField(help_text="Your own name of why; unique for ever in your channel")
    reason = serializers.CharField(required=False)


class HoldAsked(PointsAsked):
    expires_in = serializers.IntegerField(required=False, help_text="Seconds, 900 unless told")


class CaptureAsked(serializers.Serializer[Any]):
    points = serializers.IntegerField(required=False, min_value=1, help_text="All that is held unless told")


class PointsMoved(Points, Unknown):
    entry_id = serializers.IntegerField()
    points = serializers.IntegerField()


class OpenHold(serializers.Serializer[Any]):
    hold_id = serializers.IntegerField()
    points = serializers.IntegerField()
    cause = serializers.CharField()
    reason = serializers.CharField(allow_blank=True)
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()


class HoldAnswer(Points, Unknown):
    hold_id = serializers.IntegerField()
    points = serializers.IntegerField()
    state = serializers.ChoiceField(["open", "captured", "released", "timed_out"])
    expires_at = serializers.DateTimeField()


class OpenHolds(serializers.Serializer[Any]):
    holds = OpenHold(many=True)


class AdjustmentAsked(serializers.Serializer[Any]):
    points = serializers.IntegerField(help_text="Given, or with a minus taken")
    reason = serializers.CharField(help_text="At least five characters")
    reverses = serializers.IntegerField(required=False, help_text="The entry that this corrects")


class AdjustmentWaits(Unknown):
    approval_id = serializers.IntegerField()
    state = serializers.ChoiceField(APPROVAL_STATES)
    sentence = serializers.CharField(help_text="The exact change in words")
    expires_at = serializers.DateTimeField()


class ActivityDetail(serializers.Serializer[Any]):
    step = serializers.CharField(required=False, help_text="Of a profile step")
    order_no = serializers.CharField(required=False, help_text="Of a review: an order of the member")
    product = serializers.CharField(required=False, help_text="Of a review: a product of that order")
    survey = serializers.CharField(required=False)
    event = serializers.CharField(required=False)


class ActivityAsked(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(list(TOLD))
    cause = serializers.CharField(required=False, help_text="Your own name of it, unique for ever; a share's")
    at = serializers.DateTimeField(required=False, help_text="When it was done: now, unless told")
    detail = ActivityDetail(required=False)


class GrantOfMember(GivenThing):
    id = serializers.IntegerField()
    why = serializers.DictField()
    order_no = serializers.CharField(allow_blank=True)
    happened_at = serializers.DateTimeField()
    recorded_at = serializers.DateTimeField()


class GrantsOfMember(serializers.Serializer[Any]):
    grants = GrantOfMember(many=True)
    next = serializers.CharField(allow_null=True, help_text="The address of the next page")


class ActivityAnswer(Points, Unknown):
    activity_id = serializers.IntegerField()
    kind = serializers.CharField()
    day = serializers.DateField(help_text="By the clocks of the programme")
    streak = serializers.IntegerField(allow_null=True, help_text="Days in a row, of a check-in")
    refusal = serializers.CharField(allow_blank=True, help_text="`day_limit`: kept, and brought nothing")
    given = GivenThing(many=True)


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
    formula = serializers.CharField(allow_blank=True, help_text="With its numbers: 200 × 1 × 1.2 = 240")
    version = serializers.IntegerField(allow_null=True, help_text="The version of the programme")
    clauses = Clause(many=True, help_text="Of what an order earned, they add up to its points")
    details = serializers.ListField(child=serializers.CharField(), help_text="More reasons, in words")
    by = EntryBy()
    approved_by = serializers.CharField(
        allow_blank=True, help_text="The second person; a channel reads `staff`"
    )
    approval_id = serializers.IntegerField(allow_null=True)
    store = serializers.CharField(allow_blank=True)
    reverses = EntryReversed(allow_null=True)


class Entries(serializers.Serializer[Any]):
    entries = Entry(many=True)
    next = serializers.CharField(allow_null=True, help_text="The address of the next page")


class RungOfLadder(serializers.Serializer[Any]):
    friends = serializers.IntegerField()
    reached = serializers.BooleanField()
    referrer = serializers.ListField(child=serializers.CharField(), help_text="In words")
    friend = serializers.ListField(child=serializers.CharField(), help_text="In words")


class FriendOfMember(serializers.Serializer[Any]):
    """A friend, who is not named: who somebody is, is for them to say."""

    state = serializers.ChoiceField(Referral.State.values)
    reasons = serializers.ListField(child=serializers.ChoiceField(Referral.Reason.values))
    number = serializers.IntegerField(allow_null=True)
    heard_at = serializers.DateTimeField()
    counted_at = serializers.DateTimeField(allow_null=True)


class MemberReferral(serializers.Serializer[Any]):
    member_no = serializers.CharField()
    code = serializers.CharField(help_text="To be passed on, and told as `referred_by`")
    counts_after = serializers.CharField()
    keep_days = serializers.IntegerField()
    counted = serializers.IntegerField()
    waiting = serializers.IntegerField()
    review = serializers.IntegerField()
    refused = serializers.IntegerField()
    missing = serializers.IntegerField(
        allow_null=True, help_text="How many more friends for the next rung; null at the top"
    )
    ladder = RungOfLadder(many=True)
    friends = FriendOfMember(many=True, help_text="The latest hundred")
    given = GivenThing(many=True)
