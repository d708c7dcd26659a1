"""Addresses of the reconciliation pages."""

from django.urls import path

from members.console import reconciliations

app_name = "reconciliation"
urlpatterns = [
    path("", reconciliations.overview, name="days"),
    path("parked/", reconciliations.parked, name="parked"),
    path("<int:run_id>/", reconciliations.show, name="run"),
    path("<int:run_id>/settle/", reconciliations.settle, name="settle"),
]
