"""Addresses of the API that this app answers, under /api/v1/."""

from django.urls import path

from members.api.approvals import Approvals, Approve, Reject, Withdraw
from members.api.cases import MemberCases, OneCase
from members.api.changes import Changes
from members.api.codes import LiveCode
from members.api.consents import MemberConsents, TellConsents
from members.api.events import EventBatches
from members.api.hooks import Hook
from members.api.members import FindMember, OneMember, RevealMember
from members.api.merges import DecideReview, MergeMember, MergePreview, Reviews, UnmergeMember
from members.api.reconciliations import OneReconciliation, ReconciledOrders, Reconciliations
from members.api.unbinding import UnbindMember
from members.api.webhook_endpoints import (
    Deliveries,
    EnableWebhookEndpoint,
    OneWebhookEndpoint,
    ReplayWebhookEndpoint,
    RotateWebhookEndpoint,
    WebhookEndpoints,
)

urlpatterns = [
    path("approvals/", Approvals.as_view()),
    path("approvals/<int:approval_id>/approve/", Approve.as_view()),
    path("approvals/<int:approval_id>/reject/", Reject.as_view()),
    path("approvals/<int:approval_id>/withdraw/", Withdraw.as_view()),
    path("cases/<str:external_id>/", OneCase.as_view()),
    path("changes/", Changes.as_view()),
    path("consents/", TellConsents.as_view()),
    path("events/batch/", EventBatches.as_view()),
    path("hooks/<str:channel>/", Hook.as_view()),
    path("members/find/", FindMember.as_view()),
    path("members/<str:member_no>/reveal/", RevealMember.as_view()),
    path("members/<str:member_no>/", OneMember.as_view()),
    path("webhook-endpoints/", WebhookEndpoints.as_view()),
    path("webhook-endpoints/<int:endpoint_id>/", OneWebhookEndpoint.as_view()),
    path("webhook-endpoints/<int:endpoint_id>/enable/", EnableWebhookEndpoint.as_view()),
    path("webhook-endpoints/<int:endpoint_id>/rotate/", RotateWebhookEndpoint.as_view()),
    path("webhook-endpoints/<int:endpoint_id>/replay/", ReplayWebhookEndpoint.as_view()),
    path("webhook-endpoints/<int:endpoint_id>/deliveries/", Deliveries.as_view()),
    path("members/<str:member_no>/code/", LiveCode.as_view()),
    path("members/<str:member_no>/cases/", MemberCases.as_view()),
    path("members/<str:member_no>/consents/", MemberConsents.as_view()),
    path("reconciliations/", Reconciliations.as_view()),
    path("reconciliations/<int:reconciliation_id>/", OneReconciliation.as_view()),
    path("reconciliations/<int:reconciliation_id>/orders/", ReconciledOrders.as_view()),
    path("members/<str:member_no>/merge/", MergeMember.as_view()),
    path("members/<str:member_no>/merge-preview/", MergePreview.as_view()),
    path("members/<str:member_no>/unmerge/", UnmergeMember.as_view()),
    path("members/<str:member_no>/unbind/", UnbindMember.as_view()),
    path("reviews/", Reviews.as_view()),
    path("reviews/<int:review_id>/decide/", DecideReview.as_view()),
]
