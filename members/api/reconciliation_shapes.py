"""The shapes of a reconciliation, for the API's description."""

from typing import Any

from rest_framework import serializers

from members.api.shapes import Money
from members.facts import OrderStatus

_STATUSES = [status.value for status in OrderStatus]


class OrderHeld(serializers.Serializer[Any]):
    """One order as the channel holds it; what is left out is not compared."""

    order_no = serializers.CharField()
    status = serializers.ChoiceField(_STATUSES, required=False)
    net = Money(required=False, help_text="Goods less discounts")
    paid = Money(required=False, help_text="Net and postage")
    refunded = Money(required=False, help_text="Goods and postage refunded so far")


class TotalsHeld(serializers.Serializer[Any]):
    """What all orders placed on the day come to, in whatever state; at least one of them."""

    orders = serializers.IntegerField(required=False)
    net = Money(required=False)
    paid = Money(required=False)
    refunded = Money(required=False)


class OrdersTold(serializers.Serializer[Any]):
    orders = OrderHeld(many=True, required=False, help_text="Up to 1,000 a call")
    complete = serializers.BooleanField(required=False, help_text="False: more orders follow")


class Begun(OrdersTold):
    day = serializers.DateField(help_text="The day in China on which the orders were placed")
    totals = TotalsHeld(required=False, help_text="Instead of orders")


class Totals(serializers.Serializer[Any]):
    orders = serializers.IntegerField(allow_null=True)
    net = serializers.CharField(allow_null=True)
    paid = serializers.CharField(allow_null=True)
    refunded = serializers.CharField(allow_null=True)


class Answer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    day = serializers.DateField()
    state = serializers.CharField(help_text="waiting, telling, done or refused")
    theirs = Totals(allow_null=True, help_text="What you hold; null until it is compared")
    ours = Totals(allow_null=True)
    found = serializers.DictField(child=serializers.IntegerField(), help_text="Differences by kind")
    unattached = serializers.IntegerField(help_text="Orders of the day that belong to nobody here")
    ignored = serializers.ListField(child=serializers.CharField(), required=False)


class Side(serializers.Serializer[Any]):
    status = serializers.ChoiceField(_STATUSES, allow_null=True)
    net = serializers.CharField(allow_null=True)
    paid = serializers.CharField(allow_null=True)
    refunded = serializers.CharField(allow_null=True)


class Difference(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    kind = serializers.CharField(help_text="missing_here, missing_there, status, amount, refunded or totals")
    order_no = serializers.CharField(allow_blank=True)
    theirs = Side()
    ours = Side()
    state = serializers.CharField(help_text="open, taken, told, accepted, gone or again")


class Page(Answer):
    differences = Difference(many=True)
    next = serializers.CharField(allow_null=True, help_text="The address of the next page")
