"""Addresses of the API that this app answers, under /api/v1/."""

from django.urls import path

from loyalty.api.accounts import AccountBatches, OneAccount
from loyalty.api.activities import Activities, Grants
from loyalty.api.adjustments import Adjust
from loyalty.api.coupons import LockCoupon, MemberCoupons, ReleaseCoupon, UseCoupon
from loyalty.api.enrolments import Confirm, Enrolments, Resend
from loyalty.api.orders import OneOrder, OneRefund, OrderBatches, RefundRequests
from loyalty.api.points import Capture, Earn, Holds, MemberPoints, PointsEntries, Redeem, Release
from loyalty.api.quotes import CommitQuote, Quotes
from loyalty.api.referrals import MemberReferral
from loyalty.api.rewards import CancelClaim, ClaimReward, MemberClaims, Rewards
from loyalty.api.tiers import BenefitGivenBack, BenefitMatrix, BenefitUses, MemberBenefits, MemberTier

urlpatterns = [
    # What is asked for most stands first: addresses are tried in this order.
    path("members/<str:member_no>/points/redeem/", Redeem.as_view()),
    path("members/<str:member_no>/points/earn/", Earn.as_view()),
    path("members/<str:member_no>/points/holds/", Holds.as_view()),
    path("orders/batch/", OrderBatches.as_view()),
    path("accounts/batch/", AccountBatches.as_view()),
    path("accounts/<str:external_id>/", OneAccount.as_view()),
    path("enrolments/", Enrolments.as_view()),
    path("enrolments/<uuid:enrolment_id>/confirm/", Confirm.as_view()),
    path("enrolments/<uuid:enrolment_id>/resend/", Resend.as_view()),
    path("orders/<str:order_no>/", OneOrder.as_view()),
    path("orders/<str:order_no>/refunds/", RefundRequests.as_view()),
    path("orders/<str:order_no>/refunds/<str:refund_no>/", OneRefund.as_view()),
    path("members/<str:member_no>/tier/", MemberTier.as_view()),
    path("members/<str:member_no>/benefits/", MemberBenefits.as_view()),
    path("members/<str:member_no>/benefits/<str:code>/use/", BenefitUses.as_view()),
    path("members/<str:member_no>/benefits/<str:code>/give-back/", BenefitGivenBack.as_view()),
    path("benefits/", BenefitMatrix.as_view()),
    path("members/<str:member_no>/activities/", Activities.as_view()),
    path("members/<str:member_no>/grants/", Grants.as_view()),
    path("members/<str:member_no>/referral/", MemberReferral.as_view()),
    path("members/<str:member_no>/claims/", MemberClaims.as_view()),
    path("members/<str:member_no>/points/", MemberPoints.as_view()),
    path("members/<str:member_no>/points/entries/", PointsEntries.as_view()),
    path("members/<str:member_no>/points/adjust/", Adjust.as_view()),
    path("members/<str:member_no>/points/holds/<int:hold_id>/capture/", Capture.as_view()),
    path("members/<str:member_no>/points/holds/<int:hold_id>/release/", Release.as_view()),
    path("members/<str:member_no>/coupons/", MemberCoupons.as_view()),
    path("coupons/<str:code>/lock/", LockCoupon.as_view()),
    path("coupons/<str:code>/use/", UseCoupon.as_view()),
    path("coupons/<str:code>/release/", ReleaseCoupon.as_view()),
    path("quotes/", Quotes.as_view()),
    path("quotes/<uuid:quote_id>/commit/", CommitQuote.as_view()),
    path("rewards/", Rewards.as_view()),
    path("rewards/<str:code>/claim/", ClaimReward.as_view()),
    path("claims/<int:claim_id>/cancel/", CancelClaim.as_view()),
]
