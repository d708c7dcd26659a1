"""Previews: what an import would do, counted for the whole file before anything is done (E2).

New, changed and same are told by keys and digests, set against the rows that are there, so a million
facts are one statement. What only doing can tell (points, new members) is tried on some hundred facts
in a transaction that is rolled back, and scaled up: the page says "about".
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import OperationalError, connection, transaction
from psycopg.errors import TransactionRollback

from members.importing.receiving import REFUSALS, Received, receive
from members.importing.waiting import Staged, facts_of, staged_by_id
from members.models import Account, ImportRun, MatchReview, Member

SHOWN = 50  # rows on the page
TRIED = 500  # facts that are tried for an estimate
WORDS = ("new", "changed", "same", "rejected")
_NEW_OR_OTHER = (
    "CASE WHEN known.id IS NULL THEN 'new' WHEN known.digest = s.digest THEN 'same' ELSE 'changed' END"
)
_ORDERS = "members_order known ON known.channel_id = %(channel)s AND known.number = s.number"
# By kind: the rows to set the staged facts against, and what that says.
_KNOWN = {
    "orders": (_ORDERS, _NEW_OR_OTHER),
    "accounts": (
        "members_account known ON known.channel_id = %(channel)s AND known.external_index = s.account_index",
        _NEW_OR_OTHER,
    ),
    "refunds": (
        "members_refund known ON known.channel_id = %(channel)s AND known.order_number = s.number"
        " AND known.number = s.refund_number",
        _NEW_OR_OTHER,
    ),
    "order-lines": (_ORDERS, "CASE WHEN known.id IS NULL THEN 'rejected' ELSE 'changed' END"),
}


@dataclass(frozen=True, slots=True)
class Trial:
    """What trying some facts made: points and rows that were rolled back again."""

    facts: int
    earned: int
    taken: int
    accounts: int
    members: int
    reviews: int


def make(run: ImportRun) -> None:
    """Count what the run would do and choose the rows to show; nothing but the run is changed."""
    counts = _counts(run)
    due = sum(counts[word]["facts"] for word in ("new", "changed"))
    trial = _try_out(run)
    run.preview = {
        "facts": {word: counts[word]["facts"] for word in WORDS},
        "rows": {word: counts[word]["rows"] for word in WORDS},
        "money": {
            name: f"{counts['new'][name] + counts['changed'][name]:.2f}"
            for name in ("net", "postage", "refunded")
        },
        "points": _points(trial, due),
        "members": _people(run, trial),
        "reviews": _scaled(trial.reviews, due, trial.facts) if trial else None,
        "shown": {word: _first_ids(run, word) for word in ("changed", "new")},
    }
    run.save(update_fields=["preview"])


def _told_with_outcome(kind: str) -> str:
    join, outcome = _KNOWN[kind]
    return (
        f"SELECT s.*, {outcome} AS outcome FROM members_stagedfact s LEFT JOIN {join}"
        " WHERE s.run_id = %(run)s"
    )


def _counts(run: ImportRun) -> dict[str, dict[str, Any]]:
    nothing = {"facts": 0, "rows": 0, "net": Decimal(0), "postage": Decimal(0), "refunded": Decimal(0)}
    found = {word: dict(nothing) for word in WORDS}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT outcome, count(*), sum(cardinality(lines)), sum(net), sum(postage), sum(refunded)"
            f" FROM ({_told_with_outcome(run.kind)}) AS told GROUP BY outcome",
            {"run": run.pk, "channel": run.channel_id},
        )
        for outcome, *sums in cursor.fetchall():
            found[outcome] = dict(zip(nothing, sums, strict=True))
    return found


def _first_ids(run: ImportRun, outcome: str) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT id FROM ({_told_with_outcome(run.kind)}) AS told WHERE outcome = %(outcome)s"
            " ORDER BY happened_at, sequence LIMIT %(limit)s",
            {"run": run.pk, "channel": run.channel_id, "outcome": outcome, "limit": SHOWN},
        )
        return [row[0] for row in cursor.fetchall()]


# --------------------------------------------------------------------------------------- estimates


class _RollBack(Exception):
    """Carries what a trial found out of the transaction that it undoes."""


def _try_out(run: ImportRun) -> Trial | None:
    """Apply some of the new and changed facts and undo it; None when there are none or they are refused."""
    sample = _sample(run)
    if not sample:
        return None
    facts = facts_of(run, sample)
    found: list[Trial] = []
    try:
        with transaction.atomic():
            before = [_last_id(model) for model in (Account, Member, MatchReview)]
            answers = receive(run, facts)
            found.append(_measured(answers, before))
            raise _RollBack
    except _RollBack:
        return found[0]
    except REFUSALS:
        return None
    except OperationalError as error:
        if not isinstance(error.__cause__, TransactionRollback):
            raise
        return None  # it met another import in a deadlock; an estimate is not worth another try


def _measured(answers: list[Received], before: list[int]) -> Trial:
    made = [
        model._default_manager.filter(pk__gt=last).count()
        for model, last in zip((Account, Member, MatchReview), before, strict=True)
    ]
    earned, taken = sum(answer.earned for answer in answers), sum(answer.taken for answer in answers)
    return Trial(len(answers), earned, taken, accounts=made[0], members=made[1], reviews=made[2])


def _last_id(model: type[Account] | type[Member] | type[MatchReview]) -> int:
    return model._default_manager.order_by("-pk").values_list("pk", flat=True).first() or 0


def _sample(run: ImportRun) -> list[Staged]:
    """Facts taken evenly: digests lie as if drawn by lot."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT id FROM ({_told_with_outcome(run.kind)}) AS told WHERE outcome IN ('new', 'changed')"
            " ORDER BY digest LIMIT %(limit)s",
            {"run": run.pk, "channel": run.channel_id, "limit": TRIED},
        )
        return staged_by_id([row[0] for row in cursor.fetchall()])


def _points(trial: Trial | None, due: int) -> dict[str, int] | None:
    if trial is None:
        return None
    return {
        "earned": _scaled(trial.earned, due, trial.facts),
        "taken": _scaled(trial.taken, due, trial.facts),
    }


def _people(run: ImportRun, trial: Trial | None) -> int | None:
    """About how many members would be new: all accounts that are, times the members a new account made."""
    if trial is None:
        return None
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(DISTINCT s.account_index) FROM members_stagedfact s WHERE s.run_id = %(run)s"
            " AND s.account_index <> '' AND NOT EXISTS (SELECT FROM members_account known"
            " WHERE known.channel_id = %(channel)s AND known.external_index = s.account_index)",
            {"run": run.pk, "channel": run.channel_id},
        )
        accounts: int = cursor.fetchone()[0]
    return _scaled(trial.members, accounts, trial.accounts)


def _scaled(tried: int, all_of_them: int, of_them: int) -> int:
    return round(tried * all_of_them / of_them) if of_them else 0
