"""The addresses of the member page, below `/members/<no>/`."""

from django.urls import path

from loyalty.console import adjusting, member_page, tiers, unbinding

app_name = "member"

urlpatterns = [
    path("", member_page.show, name="show"),
    path("adjust/", adjusting.adjust, name="adjust"),
    path("accounts/<int:account_id>/unbind/", unbinding.unbind, name="unbind"),
    path("reveal/", member_page.reveal, name="reveal"),
    path("coupons/", member_page.give_coupon, name="give-coupon"),
    path("tier/", tiers.show, name="tier"),
    path("tier/ask/", tiers.ask, name="ask-tier"),
    path("tier/<int:event_id>/end/", tiers.ask_end, name="end-tier"),
    path("tags/", member_page.give_tag, name="give-tag"),
    path("tags/<str:code>/", member_page.take_tag, name="take-tag"),
]
