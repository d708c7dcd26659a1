"""Addresses of the rules by which members get tags."""

from django.urls import path

from members.console import tag_rules

app_name = "tag-rules"
urlpatterns = [
    path("", tag_rules.overview, name="list"),
    path("new/", tag_rules.write, name="new"),
    path("<int:rule_id>/", tag_rules.write, name="edit"),
    path("<int:rule_id>/apply/", tag_rules.apply, name="apply"),
    path("<int:rule_id>/switch/", tag_rules.switch, name="switch"),
]
