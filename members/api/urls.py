"""Addresses of the API that this app answers, under /api/v1/."""

from django.urls import path

from members.api.approvals import Approvals, Approve, Reject
from members.api.changes import Changes
from members.api.members import FindMember, OneMember
from members.api.merges import DecideReview, MergeMember, MergePreview, Reviews, UnmergeMember

urlpatterns = [
    path("approvals/", Approvals.as_view()),
    path("approvals/<int:approval_id>/approve/", Approve.as_view()),
    path("approvals/<int:approval_id>/reject/", Reject.as_view()),
    path("changes/", Changes.as_view()),
    path("members/find/", FindMember.as_view()),
    path("members/<str:member_no>/", OneMember.as_view()),
    path("members/<str:member_no>/merge/", MergeMember.as_view()),
    path("members/<str:member_no>/merge-preview/", MergePreview.as_view()),
    path("members/<str:member_no>/unmerge/", UnmergeMember.as_view()),
    path("reviews/", Reviews.as_view()),
    path("reviews/<int:review_id>/decide/", DecideReview.as_view()),
]
