"""Lists of orders and refunds of every channel."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any, Final

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.admin import TabularInline

from members import links
from members.filters import OrderFilter, RefundFilter
from members.models import Order, OrderLine, OrderStatusEntry, Refund
from members.templatetags.amounts import yuan
from privacy.lists import ReadOnlyAdmin

# Layers of discount and means of payment in words; what a channel calls otherwise stays as it is.
_LAYERS: Final[dict[str, str | Promise]] = {
    "shop": _("discount of the shop"),
    "platform": _("discount of the platform"),
    "coupon": _("coupon"),
    "tier": _("discount of the tier"),
    "payment": _("discount for the means of payment"),
    "influencer": _("discount of the influencer"),
    "manual": _("discount by hand"),
    "other": _("other discount"),
}
_MEANS: Final[dict[str, str | Promise]] = {"counter": _("at the counter")}


class LineInline(TabularInline):
    model = OrderLine
    fields = ["position", "product", "name", "category", "quantity", "price", "discount", "amount"]
    can_delete = False
    extra = 0


class StatusInline(TabularInline):
    model = OrderStatusEntry
    fields = ["status", "happened_at", "heard_at"]
    can_delete = False
    extra = 0


class RefundInline(TabularInline):
    model = Refund
    fields = ["number", "goods", "postage", "refunded_at", "asked_here"]
    can_delete = False
    extra = 0


def _lines(found: Iterable[tuple[Sequence[Any], str]]) -> str:
    """Amounts (yuan) with the words for what they are, one a line; a dash for none."""
    lines = (
        " · ".join(str(word) for word in words if word) + f" {yuan(Decimal(told))}" for words, told in found
    )
    return "\n".join(lines) or "—"


@admin.register(Order)
class OrderAdmin(ReadOnlyAdmin):
    list_display = ["number", "channel", "page", "status", "net_yuan", "refunded", "placed_at", "paid_at"]
    filterset_class = OrderFilter
    list_select_related = ["channel", "member"]
    search_fields = ["=number"]
    search_help_text = _("A whole order number.")
    ordering = ["-placed_at", "-id"]
    # The receiver is personal and stays out: it is revealed with a reason, on record.
    exclude = ["receiver", "digest", "seal", "stale_count", "discounts", "payments"]
    readonly_fields = ["discount_layers", "paid_by", "told_late"]
    inlines = [LineInline, StatusInline, RefundInline]

    @admin.display(description=_("member"))
    def page(self, order: Order) -> str:
        return links.to_member(order.member)

    @admin.display(description=_("net"), ordering="net")
    def net_yuan(self, order: Order) -> str:
        return yuan(order.net)

    @admin.display(description=_("refunded"))
    def refunded(self, order: Order) -> str:
        return yuan(order.refunded_goods + order.refunded_postage) if order.refunded_goods else ""

    @admin.display(description=_("discount layers"))
    def discount_layers(self, order: Order) -> str:
        """What came off the price, layer by layer, with what the channel calls each."""
        return _lines(
            ((_LAYERS.get(each["layer"], each["layer"]), each["label"]), each["amount"])
            for each in order.discounts
        )

    @admin.display(description=_("payments"))
    def paid_by(self, order: Order) -> str:
        """What was paid by which means."""
        return _lines(
            ((_MEANS.get(each["means"], each["means"]),), each["amount"]) for each in order.payments
        )

    @admin.display(description=_("told late"))
    def told_late(self, order: Order) -> str:
        """How often an older version came after a newer one, and was ignored."""
        if not order.stale_count:
            return "—"
        words = ngettext("%(count)s time, and ignored", "%(count)s times, and ignored", order.stale_count)
        return words % {"count": order.stale_count}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).defer("receiver")


@admin.register(Refund)
class RefundAdmin(ReadOnlyAdmin):
    list_display = [
        "number",
        "channel",
        "order_number",
        "is_parked",
        "goods_yuan",
        "refunded_at",
        "asked_here",
    ]
    list_display_links = None
    filterset_class = RefundFilter
    list_select_related = ["channel"]
    search_fields = ["=order_number", "=number"]
    ordering = ["-id"]

    @admin.display(description=_("waits for its order"), boolean=True)
    def is_parked(self, refund: Refund) -> bool:
        return refund.order_id is None

    @admin.display(description=_("goods"))
    def goods_yuan(self, refund: Refund) -> str:
        return yuan(refund.goods)
