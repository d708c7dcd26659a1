"""Lists of what other packages keep, in the console's look: staff and jobs."""

from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.utils.translation import gettext_lazy as _
from procrastinate.contrib.django.models import ProcrastinateEvent, ProcrastinateJob

from privacy import roles
from privacy.lists import ReadOnlyAdmin

for foreign in (User, Group, ProcrastinateJob):
    if admin.site.is_registered(foreign):
        admin.site.unregister(foreign)


@admin.register(User)
class StaffAdmin(ReadOnlyAdmin):
    """Who works here and in which role; people are made by `make_staff`."""

    list_display = ["username", "role", "store", "is_active", "last_login"]
    list_display_links = None
    list_filter = ["is_active", "groups"]
    list_select_related = ["staff_profile"]
    search_fields = ["username"]
    ordering = ["username"]

    @admin.display(description=_("role"))
    def role(self, user: User) -> str:
        profile = roles.profile_of(user)
        return profile.get_role_display() if profile else "—"

    @admin.display(description=_("store"))
    def store(self, user: User) -> str:
        profile = roles.profile_of(user)
        return profile.store_code if profile else ""


@admin.register(ProcrastinateJob)
class JobAdmin(ReadOnlyAdmin):
    """Work in the background. Jobs name rows by their ids and carry no personal data."""

    list_display = ["id", "task_name", "queue_name", "status", "attempts", "scheduled_at", "args"]
    list_filter = ["status", "queue_name", "task_name"]
    ordering = ["-id"]


if admin.site.is_registered(ProcrastinateEvent):
    admin.site.unregister(ProcrastinateEvent)
