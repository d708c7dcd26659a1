"""The proofs of the ledger: each law of ledger.md as a check that finds nothing when the law holds.

This is a product feature: it runs each night, after every restore, and by hand as `audit_ledger`. Most
laws are queries, kept by what they are about; some need the trade's own rules, or what stands outside the
database.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import islice
from time import monotonic
from typing import Any, NamedTuple

from django.db import connection, transaction

from loyalty import anchors, coupon_proofs, recount
from loyalty.audit import (
    abreast,
    approvals,
    chains,
    claims,
    closings,
    friends,
    gifts,
    legacy,
    limits,
    outstanding,
    paths,
    persons,
    purses,
    reversals,
    tellings,
)

Rows = Iterator[dict[str, Any]]

# By the check's name: the number of its law, and the statement that finds what breaks it.
QUERIES: Mapping[str, tuple[str, str]] = {
    **purses.LAWS,
    **reversals.LAWS,
    **outstanding.LAWS,
    **closings.LAWS,
    **paths.LAWS,
    **coupon_proofs.LAWS,
    **tellings.LAWS,
    **chains.LAWS,
    **claims.LAWS,
    **gifts.LAWS,
    **friends.LAWS,
    **approvals.LAWS,
    **limits.LAWS,
    **persons.LAWS,
    **legacy.LAWS,
}


def _recounted() -> Rows:
    return (difference.row() for difference in recount.walk())


WALKS: Mapping[str, tuple[str, Callable[[], Rows]]] = {
    "tiers_are_what_history_makes_them": ("8", _recounted),
    "chains_pass_through_their_anchors": ("11", anchors.misfits),
}

LAWS = (*QUERIES, *WALKS)

# Sums over all entries and lots at once; with PostgreSQL's 4 MB each would be sorted on the disk.
WORK_MEMORY = "64MB"


@dataclass(frozen=True, slots=True)
class Violation:
    """One row that breaks a law: the law's number in ledger.md, the check's name, and the row itself."""

    law: str
    name: str
    row: dict[str, Any]


class Checked(NamedTuple):
    """One check of a law: how long it took, and the rows that break it."""

    law: str
    name: str
    seconds: float
    violations: list[Violation]


def check(*, limit: int = 100) -> Iterator[Violation]:
    """Check every law over the whole ledger, at one instant; at most `limit` rows of each are shown.

    Nothing comes when all is well. One REPEATABLE READ snapshot, so that writers are not waited for.
    """
    for checked in walk(limit=limit):
        yield from checked.violations


def walk(*, limit: int = 100) -> Iterator[Checked]:
    """As `check`, law by law with the time each took, in the order of `LAWS`.

    Two laws are looked at beside each other, by two connections that see the same snapshot. Within a
    transaction of the caller's it is one after the other, for nobody else would see what that has written.
    """
    laws = {
        **{name: (law, partial(_ask, query, limit)) for name, (law, query) in QUERIES.items()},
        **{name: (law, partial(_first, rows, limit)) for name, (law, rows) in WALKS.items()},
    }
    checks = [partial(_checked, law, name, rows) for name, (law, rows) in laws.items()]
    if connection.in_atomic_block:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL work_mem = '{WORK_MEMORY}'")
            for check in checks:
                yield check()
    else:
        # What walks through everybody takes longest: it begins first.
        first = len(QUERIES)
        order = [*range(first, len(checks)), *range(first)]
        yield from abreast.run(checks, order, settings=(f"SET LOCAL work_mem = '{WORK_MEMORY}'",))


def _checked(law: str, name: str, rows: Callable[[], Iterator[dict[str, Any]]]) -> Checked:
    began = monotonic()
    violations = [Violation(law, name, row) for row in rows()]
    return Checked(law, name, monotonic() - began, violations)


def _first(rows: Callable[[], Rows], limit: int) -> Rows:
    return islice(rows(), limit)


def _ask(query: str, limit: int) -> Rows:
    with connection.cursor() as cursor:
        # The planner may not know that so few are wanted: it would take a plan that is quick to find a first
        # row, and where a law holds there is none.
        cursor.execute(f"WITH found AS MATERIALIZED ({query}) SELECT * FROM found LIMIT {int(limit)}")
        columns = [column.name for column in cursor.description or ()]
        for row in cursor.fetchall():
            yield dict(zip(columns, row, strict=True))
