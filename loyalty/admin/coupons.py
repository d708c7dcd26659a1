"""Lists of coupons, of batches of codes, and of what happened to coupons; they edit nothing (B6).

A code that anybody can use is shown in part: a list of them would be a list of money.
"""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from loyalty import coupon_codes, coupon_lines
from loyalty.admin.of_members import OfMembers
from loyalty.filters import CouponBatchFilter, CouponFilter, CouponMoveFilter
from loyalty.models import Coupon, CouponBatch, CouponMove
from members.numbers import read_number
from members.templatetags.amounts import count
from privacy.lists import ReadOnlyAdmin


def shown_code(coupon: Coupon) -> str:
    """A coupon's code: in full where only its member can use it."""
    return coupon_codes.masked(coupon.code) if coupon.is_bearer else coupon_codes.shown(coupon.code)


@admin.register(Coupon)
class CouponAdmin(OfMembers):
    path = "member"
    list_display = ["issued_at", "page", "campaign", "shown", "state", "valid_until", "sentence", "programme"]
    list_display_links = ["issued_at"]
    filterset_class = CouponFilter
    list_select_related = ["member", "programme"]
    ordering = ["-id"]
    search_fields = ["id"]
    search_help_text = _("A whole member number, or a whole code.")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet, search_term: str
    ) -> tuple[QuerySet, bool]:
        """The coupons of the member with this number, or the one with this code."""
        if not search_term.strip():
            return queryset, False
        number = read_number(search_term)
        if number is not None:
            return queryset.filter(member__number=number), False
        return queryset.filter(code__in=coupon_codes.readings(search_term)), False

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> HttpResponse:
        """A coupon is not a form: it opens as its history."""
        if not object_id.isdecimal():
            raise Http404
        return redirect("coupons:coupon", coupon_id=int(object_id))

    @admin.display(description=_("code"))
    def shown(self, coupon: Coupon) -> str:
        return shown_code(coupon)

    @admin.display(description=_("why"))
    def sentence(self, coupon: Coupon) -> str:
        return coupon_lines.why_issued(coupon)


@admin.register(CouponBatch)
class CouponBatchAdmin(ReadOnlyAdmin):
    list_display = ["created_at", "campaign", "source", "state", "codes", "rejected", "note", "made_by"]
    list_display_links = ["created_at"]
    filterset_class = CouponBatchFilter
    list_select_related = ["made_by"]
    ordering = ["-id"]

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> HttpResponse:
        """A batch opens as its own page."""
        return redirect("coupons:batch", batch_id=int(object_id))

    @admin.display(description=_("codes made"))
    def codes(self, batch: CouponBatch) -> str:
        return count(batch.made)


@admin.register(CouponMove)
class CouponMoveAdmin(OfMembers):
    path = "coupon__member"
    list_display = ["happened_at", "page", "coupon_link", "kind", "channel", "order_no", "sentence", "actor"]
    list_display_links = None
    filterset_class = CouponMoveFilter
    list_select_related = ["coupon__member", "channel", "actor"]
    ordering = ["-id"]
    search_fields = ["id"]
    search_help_text = _("A whole member number, or an order number.")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet, search_term: str
    ) -> tuple[QuerySet, bool]:
        """The moves of one member's coupons, or those for one order."""
        if not search_term.strip():
            return queryset, False
        number = read_number(search_term)
        if number is not None:
            return queryset.filter(coupon__member__number=number), False
        return queryset.filter(order_no=search_term.strip()), False

    @admin.display(description=_("coupon"))
    def coupon_link(self, move: CouponMove) -> str:
        address = reverse("coupons:coupon", args=[move.coupon_id])
        return format_html('<a class="sk-link" href="{}">{}</a>', address, move.coupon)

    @admin.display(description=_("why"))
    def sentence(self, move: CouponMove) -> str:
        return coupon_lines.sentence(move.kind, move.why)
