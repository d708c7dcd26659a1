"""The addresses of merges by hand, below `/merges/`."""

from django.urls import path

from members.console import merges

app_name = "merges"

urlpatterns = [
    path("<str:number>/", merges.of_member, name="of"),
    path("<str:number>/other/", merges.choose_other, name="other"),
    path("<str:number>/undo/", merges.undo, name="undo"),
    path("<str:number>/with/<str:other>/", merges.with_other, name="with"),
]
