"""The addresses of the member page, below `/members/<no>/`."""

from django.urls import path

from loyalty.console import member_page

app_name = "member"

urlpatterns = [
    path("", member_page.show, name="show"),
    path("reveal/", member_page.reveal, name="reveal"),
    path("tags/", member_page.give_tag, name="give-tag"),
    path("tags/<str:code>/", member_page.take_tag, name="take-tag"),
]
