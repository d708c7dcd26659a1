"""The addresses of this app's own pages in the console."""

from django.urls import path

from privacy.console import approvals

app_name = "approvals"

urlpatterns = [
    path("", approvals.inbox, name="inbox"),
    path("<int:approval_id>/", approvals.show, name="show"),
    path("<int:approval_id>/after/", approvals.foretell, name="foretell"),
    path("<int:approval_id>/decide/", approvals.decide, name="decide"),
]
