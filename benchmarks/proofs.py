"""The proofs of the ledger, over all that a run has recorded."""

from collections.abc import Iterator

from benchmarks.bench import Bench, Row
from benchmarks.stopwatch import stopwatch
from loyalty import audit
from loyalty.models import Entry

GOAL_SECONDS, GOAL_ENTRIES = 300, 10_000_000


def measure_audit(bench: Bench) -> Iterator[Row]:
    """Every law of the ledger: how long it takes, and that all of them hold."""
    entries = Entry.objects.count()
    with stopwatch() as seconds:
        violations = list(audit.check())
    due = GOAL_SECONDS * entries / GOAL_ENTRIES
    yield Row(
        work="audit_ledger",
        size=f"{entries:,} entries",
        measured=f"{seconds():.1f} s, {len(audit.LAWS)} laws",
        beside=f"{due:.1f} s would be the goal's pace",
        ratio=seconds() / due,
        goal=f"≤ {GOAL_SECONDS} s for {GOAL_ENTRIES:,}",
        is_met=seconds() <= due,
        faults=len(violations),
    )
