"""The outbox: what the channels should know, written in the transaction that made it true (A14, A15)."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from members import columns


class Change(NamedTuple):
    """One change to tell. `change` names it for ever, as `points:17:4`; the payload holds ids and figures."""

    topic: str
    change: str
    member_id: int | None
    channel_id: int | None
    payload: Mapping[str, Any]


def put(events: Sequence[Change]) -> None:
    """Write changes to the outbox, in one statement.

    Refuses to run outside of a transaction, where a change could be told that never came true.
    Raises IntegrityError (outbox_once_per_change) for a change that was told before: two writers
    have then made the same revision, and neither may go on.
    """
    assert columns.in_transaction(), "a change is told in the transaction that makes it"
    if not events:
        return
    columns.ask(
        "SELECT members_tell(%s::text[], %s::text[], %s::bigint[], %s::bigint[], %s::text[])", rows(events)
    )


def rows(events: Sequence[Change]) -> list[str]:
    """The parameters of `members_tell`, for whoever calls it where something else is written too."""
    return [
        columns.texts([event.topic for event in events]),
        columns.texts([event.change for event in events]),
        columns.numbers([event.member_id for event in events]),
        columns.numbers([event.channel_id for event in events]),
        columns.texts([columns.document(event.payload) for event in events]),
    ]
