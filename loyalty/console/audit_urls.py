"""The addresses of the audit in the console, below `/audit/`."""

from django.urls import path

from loyalty.console import audits

app_name = "audit"

urlpatterns = [
    path("", audits.overview, name="overview"),
    path("run/", audits.run, name="run"),
    path("progress/", audits.progress, name="progress"),
    path("<int:run_id>/", audits.past, name="past"),
]
