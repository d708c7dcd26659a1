"""The addresses of joining, below `/join/`. The token names a store and nobody."""

from django.urls import path

from loyalty.pages import join

app_name = "join"

urlpatterns = [
    path("<str:token>/", join.begin, name="begin"),
    path("<str:token>/code/", join.code, name="code"),
    path("<str:token>/resend/", join.resend, name="resend"),
]
