"""What the lists of staff and of jobs are narrowed by."""

from collections.abc import Iterator

from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from procrastinate.contrib.django import app
from procrastinate.tasks import Task

from privacy.models import StaffProfile
from privacy.narrowing import Narrowing, Several, Word, YesNo, days, numbers

BUILTIN_QUEUE = "builtin"  # of tasks that procrastinate brings, which we do not use
JOB_STATES = {
    "todo": _("waiting"),
    "doing": _("running"),
    "succeeded": _("succeeded"),
    "failed": _("failed"),
    "cancelled": _("cancelled"),
    "aborted": _("aborted"),
}


QUEUES = {
    "default": _("all other work"),
    "imports": _("imports"),
    "inbox": _("messages of platforms"),
    "calls": _("calls to platforms"),
}


def _ours() -> list[Task]:
    """Our tasks; no job is read for them."""
    return [task for task in app.tasks.values() if task.queue != BUILTIN_QUEUE]


def _tasks(narrowing: Narrowing) -> Iterator[tuple[str, str]]:
    for name in sorted({task.name for task in _ours()}):
        yield name, name


def _queues(narrowing: Narrowing) -> Iterator[tuple[str, Word]]:
    for name in sorted({task.queue for task in _ours()}):
        yield name, QUEUES.get(name, name)


class StaffFilter(Narrowing):
    """Who works here."""

    is_active = YesNo(Q(is_active=True), label=_("active"))
    role = Several("staff_profile__role", choices=StaffProfile.Role.choices, label=_("role"))
    seen_from, seen_until = days("last_login")


class JobFilter(Narrowing):
    """Work in the background."""

    status = Several("status", choices=JOB_STATES.items(), label=_("state"))
    queue_name = Several("queue_name", choices=_queues)
    task_name = Several("task_name", choices=_tasks)
    scheduled_from, scheduled_until = days("scheduled_at")
    attempts_from, attempts_to = numbers("attempts")
