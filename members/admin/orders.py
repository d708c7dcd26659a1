"""Lists of orders and refunds of every channel."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.admin import TabularInline

from members import links
from members.models import Order, OrderLine, OrderStatusEntry, Refund
from members.templatetags.amounts import yuan
from privacy.lists import ReadOnlyAdmin


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


class ToldLateFilter(admin.SimpleListFilter):
    """Orders of which an older version came after a newer one."""

    title = _("told late")
    parameter_name = "late"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """One choice beside all."""
        return [("1", _("Told late at least once"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Those with stale versions, if they are asked for."""
        return queryset.filter(stale_count__gt=0) if self.value() == "1" else queryset


@admin.register(Order)
class OrderAdmin(ReadOnlyAdmin):
    list_display = ["number", "channel", "page", "status", "net_yuan", "refunded", "placed_at", "paid_at"]
    list_filter = ["channel", "status", ToldLateFilter]
    list_select_related = ["channel", "member"]
    search_fields = ["=number"]
    search_help_text = _("A whole order number.")
    ordering = ["-placed_at", "-id"]
    # The receiver is personal and stays out: it is revealed with a reason, on record.
    exclude = ["receiver", "digest", "seal", "stale_count"]
    readonly_fields = ["told_late"]
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
    list_filter = ["channel", ("order", admin.EmptyFieldListFilter), "asked_here"]
    list_select_related = ["channel"]
    search_fields = ["=order_number", "=number"]
    ordering = ["-id"]

    @admin.display(description=_("waits for its order"), boolean=True)
    def is_parked(self, refund: Refund) -> bool:
        return refund.order_id is None

    @admin.display(description=_("goods"))
    def goods_yuan(self, refund: Refund) -> str:
        return yuan(refund.goods)
