"""Addresses of the platforms' messages in the console, below `/messages/`."""

from django.urls import path

from members.console import inbox

app_name = "inbox"
urlpatterns = [
    path("", inbox.overview, name="overview"),
    path("replay/", inbox.replay_all, name="replay-all"),
    path("<int:delivery_id>/replay/", inbox.replay, name="replay"),
    path("calls/<int:call_id>/again/", inbox.call_again, name="call-again"),
    path("requests/<int:request_id>/done/", inbox.finish, name="finish"),
    path("credentials/<slug:code>/", inbox.credentials_of, name="credentials"),
]
