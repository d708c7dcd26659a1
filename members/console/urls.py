"""Addresses of the import pages."""

from django.urls import path

from members.console import imports

app_name = "imports"
urlpatterns = [
    path("", imports.overview, name="list"),
    path("<int:run_id>/", imports.show, name="run"),
    path("<int:run_id>/fragment/", imports.fragment, name="fragment"),
    path("<int:run_id>/columns/", imports.choose_columns, name="columns"),
    path("<int:run_id>/correct/", imports.correct, name="correct"),
    path("<int:run_id>/rejected.csv", imports.rejected, name="rejected"),
    *(
        path(f"<int:run_id>/{action}/", imports.act, {"action": action}, name=action)
        for action in ("start", "stop", "resume", "move", "discard", "undo")
    ),
]
