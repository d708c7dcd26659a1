"""The addresses of referrals in the console, below `/referrals/`."""

from django.urls import path

from loyalty.console import referrals

app_name = "referrals"

urlpatterns = [
    path("", referrals.overview, name="overview"),
    path("coefficient/", referrals.coefficient, name="coefficient"),
    path("<int:referral_id>/decide/", referrals.decide, name="decide"),
]
