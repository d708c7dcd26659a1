"""The addresses of the desk. None holds more of a member than their number."""

from django.contrib.auth.views import LogoutView
from django.urls import path

from loyalty.desk import refunds, rewards, views

app_name = "desk"

urlpatterns = [
    path("", views.counter_page, name="counter"),
    path("find/", views.find, name="find"),
    path("enrol/", views.enrol, name="enrol"),
    path("sign-out/", LogoutView.as_view(next_page="desk:counter"), name="sign-out"),
    path("<str:number>/", views.member, name="member"),
    path("<str:number>/quote/", views.quote, name="quote"),
    path("<str:number>/sell/", views.sell, name="sell"),
    path("<str:number>/receipts/<str:order>/", views.receipt, name="receipt"),
    path("<str:number>/refunds/", refunds.purchases, name="refunds"),
    path("<str:number>/refunds/<int:order_id>/", refunds.refund, name="refund"),
    path("<str:number>/refunds/<int:order_id>/look/", refunds.look, name="refund-look"),
    path("<str:number>/rewards/", rewards.shelf, name="rewards"),
    path("<str:number>/rewards/<str:code>/claim/", rewards.claim, name="claim"),
    path("<str:number>/claims/<int:claim_id>/hand-over/", rewards.hand_over, name="hand-over"),
    path("<str:number>/claims/<int:claim_id>/cancel/", rewards.cancel, name="cancel-claim"),
]
