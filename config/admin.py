"""Lists of what other packages keep, in the console's look: staff and jobs."""

from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.utils.translation import gettext_lazy as _
from procrastinate.contrib.django.models import ProcrastinateEvent, ProcrastinateJob

from privacy import roles
from privacy.lists import ReadOnlyAdmin, WordsFilter

for foreign in (User, Group, ProcrastinateJob):
    if admin.site.is_registered(foreign):
        admin.site.unregister(foreign)


@admin.register(User)
class StaffAdmin(ReadOnlyAdmin):
    """Who works here and in which role; people are made by `make_staff`."""

    list_display = ["username", "role", "store", "is_active", "last_login"]
    list_display_links = None
    # Named one by one: the rest of an account, its password's digest above all, is nobody's to read.
    fields = readonly_fields = ["username", "role", "store", "is_active", "last_login", "date_joined"]
    list_filter = ["is_active", "staff_profile__role"]
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


JOB_STATES = {
    "todo": _("waiting"),
    "doing": _("running"),
    "succeeded": _("succeeded"),
    "failed": _("failed"),
    "cancelled": _("cancelled"),
    "aborted": _("aborted"),
}
JOB_FIELDS = {
    "id": _("job"),
    "task_name": _("task"),
    "queue_name": _("queue"),
    "attempts": _("attempts"),
    "scheduled_at": _("scheduled at"),
    "args": _("arguments"),
    "priority": _("precedence"),
    "lock": _("lock"),
    "queueing_lock": _("lock of the queue"),
    "abort_requested": _("to be aborted"),
}


def _name_jobs() -> None:
    """procrastinate names its rows in English alone; names that are set here are in no migration."""
    options = ProcrastinateJob._meta
    options.app_config.verbose_name = _("System")
    options.verbose_name, options.verbose_name_plural = _("job"), _("jobs")
    for field in options.fields:
        field.verbose_name = JOB_FIELDS.get(field.name, field.verbose_name)


_name_jobs()


class ByState(WordsFilter):
    title, parameter_name, words = _("state"), "status", JOB_STATES


@admin.register(ProcrastinateJob)
class JobAdmin(ReadOnlyAdmin):
    """Work in the background. Jobs name rows by their ids and carry no personal data."""

    list_display = ["id", "task_name", "queue_name", "state", "attempts", "scheduled_at", "args"]
    list_filter = [ByState, "queue_name", "task_name"]
    fields = readonly_fields = [*list_display, "priority", "lock", "queueing_lock", "abort_requested"]
    ordering = ["-id"]

    @admin.display(description=_("state"), ordering="status")
    def state(self, job: ProcrastinateJob) -> str:
        return str(JOB_STATES.get(job.status, job.status))


if admin.site.is_registered(ProcrastinateEvent):
    admin.site.unregister(ProcrastinateEvent)
