"""Addresses of the pages of cases."""

from django.urls import path

from members.console import cases

app_name = "cases"
urlpatterns = [path("<int:case_id>/", cases.page, name="show")]
