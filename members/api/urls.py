"""Addresses of the API that this app answers, under /api/v1/."""

from django.urls import path

from members.api.approvals import Approvals, Approve, Reject
from members.api.cases import MemberCases, OneCase
from members.api.changes import Changes
from members.api.consents import MemberConsents, TellConsents
from members.api.events import EventBatches
from members.api.members import FindMember, OneMember

urlpatterns = [
    path("approvals/", Approvals.as_view()),
    path("approvals/<int:approval_id>/approve/", Approve.as_view()),
    path("approvals/<int:approval_id>/reject/", Reject.as_view()),
    path("cases/<str:external_id>/", OneCase.as_view()),
    path("changes/", Changes.as_view()),
    path("consents/", TellConsents.as_view()),
    path("events/batch/", EventBatches.as_view()),
    path("members/find/", FindMember.as_view()),
    path("members/<str:member_no>/", OneMember.as_view()),
    path("members/<str:member_no>/cases/", MemberCases.as_view()),
    path("members/<str:member_no>/consents/", MemberConsents.as_view()),
]
