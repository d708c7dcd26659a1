"""The addresses of the e-card, below `/card/`. None names anybody: the browser's cookie does."""

from django.urls import path

from loyalty.pages import card

app_name = "card"

urlpatterns = [
    path("", card.card_page, name="show"),
    path("code/", card.fresh_code, name="code"),
    path("welcome/", card.welcome, name="welcome"),
    path("steps/<str:step>/", card.step, name="step"),
    path("leave/", card.leave, name="leave"),
]
