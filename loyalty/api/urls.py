"""Addresses of the API that this app answers, under /api/v1/."""

from django.urls import path

from loyalty.api.accounts import AccountBatches, OneAccount
from loyalty.api.orders import OneOrder, OneRefund, OrderBatches, RefundRequests
from loyalty.api.points import Capture, Earn, Holds, MemberPoints, PointsEntries, Redeem, Release
from loyalty.api.tiers import MemberBenefits, MemberTier

urlpatterns = [
    path("accounts/batch/", AccountBatches.as_view()),
    path("accounts/<str:external_id>/", OneAccount.as_view()),
    path("orders/batch/", OrderBatches.as_view()),
    path("orders/<str:order_no>/", OneOrder.as_view()),
    path("orders/<str:order_no>/refunds/", RefundRequests.as_view()),
    path("orders/<str:order_no>/refunds/<str:refund_no>/", OneRefund.as_view()),
    path("members/<str:member_no>/tier/", MemberTier.as_view()),
    path("members/<str:member_no>/benefits/", MemberBenefits.as_view()),
    path("members/<str:member_no>/points/", MemberPoints.as_view()),
    path("members/<str:member_no>/points/entries/", PointsEntries.as_view()),
    path("members/<str:member_no>/points/earn/", Earn.as_view()),
    path("members/<str:member_no>/points/redeem/", Redeem.as_view()),
    path("members/<str:member_no>/points/holds/", Holds.as_view()),
    path("members/<str:member_no>/points/holds/<int:hold_id>/capture/", Capture.as_view()),
    path("members/<str:member_no>/points/holds/<int:hold_id>/release/", Release.as_view()),
]
