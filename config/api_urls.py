"""The API under /api/: version 1, its description, and a problem for every address that is none."""

from django.urls import include, path, re_path
from drf_spectacular.views import SpectacularAPIView

from config import api

urlpatterns = [
    path("v1/", include("loyalty.api.urls")),
    path("v1/", include("members.api.urls")),
    path("v1/schema/", SpectacularAPIView.as_view(), name="api-schema"),
    re_path(r"^(?P<rest>(?s:.*))$", api.nothing_here),
]
