"""The addresses of enrolment in the console, below `/enrolments/`."""

from django.urls import path

from loyalty.console import enrolments

app_name = "enrolments"

urlpatterns = [
    path("", enrolments.overview, name="overview"),
    path("stores/", enrolments.stores, name="stores"),
    path("stores/<int:store_id>/", enrolments.poster, name="poster"),
]
