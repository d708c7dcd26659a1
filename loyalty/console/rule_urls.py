"""The addresses of the earning rules, below `/rules/`."""

from django.urls import path

from loyalty.console import rule_builder, rule_versions, rules

app_name = "rules"

urlpatterns = [
    path("", rules.show, name="list"),
    path("new/", rule_builder.build, name="new"),
    path("versions/", rule_versions.show, name="versions"),
    path("rule/<str:code>/", rule_builder.build, name="edit"),
    path("rule/<str:code>/<slug:verb>/", rules.act, name="act"),
]
