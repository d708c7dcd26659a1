"""People on their way in: what is asked for them, and the worker that sends their codes."""

from typing import Any
from uuid import UUID

from procrastinate.contrib.django.models import ProcrastinateJob

from members import joining
from members.models import Enrolment

LIN = "13700137001"
FREELY = {
    "phone": (1000, 60),
    "phone_per_hour": (1000, 3600),
    "phone_per_day": (1000, 86400),
    "address_per_hour": (1000, 3600),
    "channel_per_day": (1000, 86400),
    "opened_per_address": (1000, 3600),
}
SHOWN = {"agreement": "1.0", "privacy": "1.0", "tips": "1.0"}


def jobs() -> list[dict[str, Any]]:
    """The arguments of the jobs that are to send a code, oldest first.

    A test with transactions of its own leaves its jobs behind, for enrolments that are gone with it.
    """
    here = {str(id) for id in Enrolment.objects.values_list("id", flat=True)}
    waiting = ProcrastinateJob.objects.filter(task_name=joining.SEND).order_by("id")
    return [job.args for job in waiting if job.args.get("enrolment_id") in here]


def deliver() -> None:
    """Send what waits to be sent, as the worker does."""
    for args in jobs():
        joining.send(UUID(args["enrolment_id"]), args["round"])


def code_of(id: str | UUID) -> str:
    """The code that is good for an enrolment now."""
    enrolment = Enrolment.objects.get(pk=id)
    return joining.code_of(enrolment.pk, enrolment.round)


def wrong(code: str) -> str:
    """Another code than this one."""
    return f"{(int(code) + 1) % 10**6:06}"
