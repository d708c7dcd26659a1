"""The addresses of channel health in the console, below `/channels/`."""

from django.urls import path

from members.console import channels, dead_letters

app_name = "channels"

urlpatterns = [
    path("", channels.health, name="health"),
    path("endpoints/new/", channels.make, name="make"),
    path("endpoints/<int:endpoint_id>/", channels.show, name="endpoint"),
    *(
        path(f"endpoints/<int:endpoint_id>/{action}/", channels.act, {"action": action}, name=action)
        for action in ("enable", "disable", "rotate", "remove")
    ),
    path("dead-letters/", dead_letters.overview, name="dead-letters"),
    path("dead-letters/replay/", dead_letters.replay, name="replay"),
]
