"""What the lists of staff and of jobs are narrowed by."""

from collections.abc import Iterator
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from procrastinate.contrib.django import app

from privacy.models import StaffProfile
from privacy.narrowing import Narrowing, Several, YesNo, days, numbers

JOB_STATES = {
    "todo": _("waiting"),
    "doing": _("running"),
    "succeeded": _("succeeded"),
    "failed": _("failed"),
    "cancelled": _("cancelled"),
    "aborted": _("aborted"),
}


def _tasks(narrowing: Any) -> Iterator[tuple[str, str]]:
    """The tasks there are, by name; no job is read for them."""
    for name in sorted(app.tasks):
        yield name, name


def _queues(narrowing: Any) -> Iterator[tuple[str, str]]:
    for name in sorted({task.queue for task in app.tasks.values()}):
        yield name, name


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
