"""Channels with credentials, and the way of a stand-in's parcel through our door, without a network."""

from contextlib import suppress
from typing import Any

from django.test import Client

from members import channels, credentials, inbox
from members.errors import OrderUnknown
from members.models import Channel, InboxDelivery
from members.stand_ins.parcel import Parcel


def channel(platform: str, kept: Any, *, code: str = "", **more: Any) -> Channel:
    """A channel of a platform that holds these credentials."""
    made = channels.make(code or platform, platform, **more)
    credentials.keep(made, kept)
    return made


def send(parcel: Parcel, *, to: str) -> Any:
    """Post a parcel as its platform would; the answer."""
    return Client(raise_request_exception=False).generic(
        "POST",
        parcel.address(f"/api/v1/hooks/{to}/"),
        parcel.raw,
        content_type=parcel.headers["Content-Type"],
        headers={name: value for name, value in parcel.headers.items() if name != "Content-Type"},
    )


def work() -> list[tuple[str, str]]:
    """Let all that wait be worked on, in the order in which it came; (state, outcome or reason) of each."""
    waiting = list(InboxDelivery.objects.filter(state="waiting").order_by("pk").values_list("pk", flat=True))
    for pk in waiting:
        while InboxDelivery.objects.filter(pk=pk, state="waiting").exists():
            with suppress(OrderUnknown):
                inbox.work_on(pk)
    rows = {row.pk: row for row in InboxDelivery.objects.filter(pk__in=waiting)}
    return [(rows[pk].state, rows[pk].outcome or rows[pk].error_code) for pk in waiting]


def tell(parcel: Parcel, *, to: str) -> list[tuple[str, str]]:
    """Send a parcel that must be acknowledged, and let it be worked on."""
    answer = send(parcel, to=to)
    assert answer.status_code == 200, answer.content
    return work()
