"""Receiving: who takes the facts of a file, and what they answered, in one form for all kinds.

The takers sit on higher floors (orders earn points) and are named in `settings.IMPORT_RECEIVERS`.
"""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from django.conf import settings
from django.db import DataError, IntegrityError, transaction
from django.utils.module_loading import import_string

from members.cleaning import REJECT_CODES
from members.facts import Fact
from members.importing.errors import NotAccepted
from members.models import ImportRun
from privacy.errors import ShukeError

# What can be wrong with a fact. Anything else is wrong with us or the machine, and stops the run.
REFUSALS = (ShukeError, IntegrityError, DataError)

_OUTCOMES = {
    "new": "new",
    "changed": "changed",
    "same": "same",
    "stale": "same",  # older than what we know: nothing changes
    "parked": "new",  # a refund that waits for its order
}


class Received(NamedTuple):
    """What became of one fact: `new`, `changed`, `same` or `rejected` with a code; and of points."""

    outcome: str
    code: str = ""
    details: Mapping[str, Any] = MappingProxyType({})
    earned: int = 0
    taken: int = 0
    made: int = 0  # the row that is new by it
    remark: str = ""  # of what could not be used, though the fact was taken in


def receive(run: ImportRun, facts: Sequence[Fact]) -> list[Received]:
    """Hand facts over in their order; all in one go, or one by one when one of them spoils that.

    Runs in the caller's transaction. Raises what is nobody's fault here, and the refusal that all of
    several facts met with alike, as with a programme that is missing: then it is not the facts'.
    """
    try:
        with transaction.atomic():
            return _hand_over(run, facts)
    except REFUSALS as refusal:
        if len(facts) == 1:
            return [_refused(refusal)]
    refusals: list[Exception] = []
    answers = [_receive_one(run, fact, refusals) for fact in facts]
    if len(refusals) == len(facts) and len({type(refusal) for refusal in refusals}) == 1:
        raise refusals[0]
    return answers


def _receive_one(run: ImportRun, fact: Fact, refusals: list[Exception]) -> Received:
    try:
        with transaction.atomic():
            return _hand_over(run, [fact])[0]
    except REFUSALS as refusal:
        refusals.append(refusal)
        return _refused(refusal)


def _hand_over(run: ImportRun, facts: Sequence[Fact]) -> list[Received]:
    kind = f"package-{run.kind}" if run.is_of_package else run.kind
    take: Callable[..., Sequence[Any]] = import_string(settings.IMPORT_RECEIVERS[kind])
    how = {"import_id": run.pk} if run.is_of_package else {}
    answers = take(run.channel, facts, actor_id=run.started_by_id, **how)
    return [_of_word(answer) if isinstance(answer, str) else _of_receipt(answer) for answer in answers]


def _of_word(word: str) -> Received:
    outcome = _OUTCOMES.get(word)
    return Received(outcome) if outcome else Received("rejected", word)


def _of_receipt(receipt: Any) -> Received:
    outcome = _OUTCOMES.get(receipt.outcome)
    if outcome is None:
        return _refused(receipt.error)
    # Orders tell `earned` and `taken`, refunds `points_taken`; an account that moved no points, neither.
    return Received(
        outcome,
        earned=getattr(receipt, "earned", 0),
        taken=getattr(receipt, "taken", getattr(receipt, "points_taken", 0)),
        made=_made(receipt) if outcome == "new" else 0,
        remark=getattr(receipt, "remark", ""),
    )


def _made(receipt: Any) -> int:
    """The row of an order or of an account; what other files make is not remembered."""
    made: int = getattr(receipt, "order_id", None) or getattr(receipt, "account_id", None) or 0
    return made


def _refused(refusal: Exception | None) -> Received:
    if not isinstance(refusal, ShukeError):
        return Received("rejected", NotAccepted.code)
    short = refusal.code.rpartition(".")[2]
    details = {name: str(value)[:100] for name, value in refusal.details.items()}
    return Received("rejected", short if short in REJECT_CODES else refusal.code, details)
