"""Addresses of the pages of migrations."""

from django.urls import path

from members.console import packages

app_name = "packages"
urlpatterns = [
    path("", packages.overview, name="list"),
    path("<int:run_id>/", packages.show, name="run"),
    path("<int:run_id>/fragment/", packages.fragment, name="fragment"),
    path("<int:run_id>/rejected.csv", packages.rejected, name="rejected"),
    path("<int:run_id>/used.csv", packages.used, name="used"),
    *(
        path(f"<int:run_id>/{action}/", packages.act, {"action": action}, name=action)
        for action in ("expect", "start", "stop", "resume", "discard", "undo")
    ),
]
