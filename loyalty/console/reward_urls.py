"""The addresses of the rewards' pages, below `/rewards/`."""

from django.urls import path

from loyalty.console import rewards

app_name = "rewards"

urlpatterns = [
    path("", rewards.overview, name="overview"),
    path("to-do/", rewards.to_do, name="to-do"),
    path("to-do/prepare/", rewards.prepare, name="prepare"),
    path("to-do/<int:claim_id>/hand-over/", rewards.hand_over, name="hand-over"),
    path("to-do/<int:claim_id>/ship/", rewards.ship, name="ship"),
    path("to-do/<int:claim_id>/arrive/", rewards.arrive, name="arrive"),
    path("to-do/<int:claim_id>/cancel/", rewards.cancel, name="cancel"),
    path("<str:code>/picture/", rewards.put_picture, name="picture"),
    path("<str:code>/stock/", rewards.change_stock, name="stock"),
]
