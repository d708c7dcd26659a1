"""Waiting: staged facts on their way back out of the database, in the order in which things happened."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from members import columns
from members.facts import Fact
from members.importing.envelopes import opened
from members.models import ImportRun


class Staged(NamedTuple):
    """One staged fact as it is read back."""

    happened_at: datetime
    sequence: int
    lines: list[int]
    net: Decimal
    postage: Decimal
    refunded: Decimal
    seal: bytes
    payload: bytes


def facts_of(run: ImportRun, staged: Sequence[Staged]) -> list[Fact]:
    """The facts that were staged, in their order; raises SealBroken or KeyUnknown."""
    return opened(run.kind, [each.payload for each in staged], [each.seal for each in staged])


def next_staged(run: ImportRun, limit: int) -> list[Staged]:
    """What is to be applied next, in order of happening; read by the key that is the order."""
    if run.applied_time is None:
        return _staged("run_id = %s ORDER BY happened_at, sequence LIMIT %s", [run.pk, limit])
    return _staged(
        "run_id = %s AND (happened_at, sequence) > (%s, %s) ORDER BY happened_at, sequence LIMIT %s",
        [run.pk, run.applied_time, run.applied_sequence, limit],
    )


def staged_by_id(ids: Sequence[int]) -> list[Staged]:
    """Staged facts by their ids, in order of happening."""
    return _staged("id = ANY(%s) ORDER BY happened_at, sequence", [list(ids)])


def _staged(condition: str, parameters: list[Any]) -> list[Staged]:
    rows = columns.ask(
        "SELECT happened_at, sequence, lines, net, postage, refunded, uuid_send(seal), payload"
        f" FROM members_stagedfact WHERE {condition}",
        parameters,
    )
    return list(map(Staged._make, rows))
