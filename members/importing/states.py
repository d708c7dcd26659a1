"""States of a run, of a file or of a package: entered under its row's lock, left with what went wrong.

What may be entered from where is its orchestrator's to say (members.imports, members.legacies).
"""

from typing import TypeVar

from django.db import transaction

from members.errors import MembersError
from members.importing.errors import StateForbids
from members.models import ImportRun, LegacyRun
from privacy.errors import ShukeError

Run = TypeVar("Run", ImportRun, LegacyRun)


def lock(kind: type[Run], run_id: int, *allowed: str, unknown: type[MembersError]) -> Run:
    """The run, locked, in one of the allowed states. Raises `unknown` and StateForbids."""
    found = kind._default_manager.select_for_update(no_key=True, of=("self",)).select_related("channel")
    run = found.filter(pk=run_id).first()
    if run is None:
        raise unknown
    if run.state not in allowed:
        raise StateForbids(state=kind.State(run.state).label)
    return run


@transaction.atomic
def enter(kind: type[Run], run_id: int, state: str, *allowed: str, unknown: type[MembersError]) -> Run:
    """Bring the run to a state, and forget what had gone wrong. Raises as lock()."""
    run = lock(kind, run_id, *allowed, unknown=unknown)
    run.state, run.problem, run.problem_details = state, "", {}
    run.save(update_fields=["state", "problem", "problem_details"])
    return run


def leave(run: ImportRun | LegacyRun, state: str, problem: ShukeError | None = None) -> None:
    """Leave the run in a state, with what went wrong."""
    run.state = state
    if problem is not None:
        run.problem = problem.code
        run.problem_details = {name: str(value) for name, value in problem.details.items()}
    run.save(update_fields=["state", "problem", "problem_details"])
