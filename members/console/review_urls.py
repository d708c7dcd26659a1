"""The addresses of the review queue, below `/reviews/`."""

from django.urls import path

from members.console import merges

app_name = "reviews"

urlpatterns = [
    path("", merges.queue, name="queue"),
    path("<int:review_id>/decide/", merges.decide, name="decide"),
]
