"""Reports: what a package brings, whether it ties out, what became of it, and the rows that were not used."""

import csv
from collections.abc import Iterator
from typing import Any, NamedTuple, Protocol

from django.db.models import Count
from django.utils.translation import gettext as _

from members.cells import guarded
from members.importing import report as importing_report
from members.legacy import totals, undoing
from members.legacy.reasons import reason
from members.models import LegacyRow, LegacyRun
from members.numbers import number_of

State = LegacyRow.State
WORDS = (State.NEW, State.CHANGED, State.SAME, State.REJECTED, State.UNDONE, State.WAITING)


class Progress(NamedTuple):
    """How far a package is: rows in all, and those whose turn has come."""

    rows: int
    done: int

    @property
    def percent(self) -> int:
        return 100 * self.done // self.rows if self.rows else 0


def rows(run: LegacyRun) -> dict[str, int]:
    """Every row of every file by its outcome."""
    counted = LegacyRow.objects.filter(run=run).values_list("state").annotate(rows=Count("id"))
    return dict(counted)


def progress(run: LegacyRun) -> Progress:
    """How far it is forwards; on its way back, how much of what was brought is taken back."""
    found = rows(run)
    if run.state in (LegacyRun.State.UNDOING, LegacyRun.State.HALF_BACK, LegacyRun.State.UNDONE):
        return Progress(found.get("new", 0) + found.get("undone", 0), found.get("undone", 0))
    return Progress(sum(found.values()), sum(found.values()) - found.get("waiting", 0))


def outcomes(run: LegacyRun) -> dict[str, dict[str, int]]:
    """By file, how many rows ended how; before anything is applied, how they would."""
    found = totals.outcomes(run)
    if run.state != LegacyRun.State.READY:
        return found
    for mine in found.values():
        if waiting := mine.pop("waiting", 0):
            mine["new"] = mine.get("new", 0) + waiting
    if "members" in found and run.members_run is not None:
        foreseen = run.members_run.preview["facts"]
        told = {word: foreseen[word] for word in ("new", "changed", "same") if foreseen[word]}
        found["members"] = told | {k: n for k, n in found["members"].items() if k == "rejected"}
    return found


def tie_out(run: LegacyRun) -> list[dict[str, Any]]:
    """Each control total: its name, what the old system says, what the files bring, whether they agree."""
    names = [*totals.needed(run), *(name for name in run.expected if name not in totals.needed(run))]
    return [
        {
            "name": name,
            "expected": run.expected.get(name),
            "told": run.told.get(name, 0),
            "ties": run.expected.get(name) == run.told.get(name, 0),
        }
        for name in names
    ]


def document(run: LegacyRun) -> dict[str, Any]:
    """The whole report as plain data."""
    found: dict[str, Any] = {
        "migration": run.pk,
        "channel": run.channel.code,
        "package": run.name,
        "files": {kind: each["name"] for kind, each in run.files.items()},
        "state": run.state,
        "dry_run": run.is_dry,
        "outcomes": outcomes(run),
        "rejected": totals.rejected(run),
        "brings": run.told,
        "tie_out": tie_out(run),
        "amounts": totals.amounts(run),
        "totals": {"before": run.totals_before, "after": run.totals_after, "undone": run.totals_undone},
    }
    if run.spent:
        found["spent"] = run.spent
    if run.problem:
        found["problem"] = {"code": run.problem, "message": problem(run)}
    return found


def problem(run: LegacyRun) -> str:
    """Why a package was refused or stopped, in the language that is active."""
    return importing_report.reason(run.problem, run.problem_details) if run.problem else ""


def lines(found: dict[str, Any]) -> Iterator[str]:
    """A report as lines of text, for a terminal."""
    if found["dry_run"]:
        yield _("Dry run: nothing was changed.")
    for kind, outcomes in found["outcomes"].items():
        told = ", ".join(f"{State(word).label} {number:,}" for word, number in outcomes.items())
        yield f"{LegacyRow.Kind(kind).label}: {told}"
    for kind, reasons in found["rejected"].items():
        for code, number in reasons.items():
            yield f"  {LegacyRow.Kind(kind).label}: {number:,} × {reason(code)}"
    yield _("Brings: %(totals)s") % {"totals": _figures(found["brings"])}
    for each in found["tie_out"]:
        sign = "=" if each["ties"] else "≠"
        expected = "?" if each["expected"] is None else f"{each['expected']:,}"
        yield f"  {each['name']}: {expected} {sign} {each['told']:,}"
    for kind, amounts in found["amounts"].items():
        if amounts["taken_back"] or amounts["kept"]:
            yield _("%(kind)s: %(brought)s brought, %(taken)s taken back, %(kept)s kept") % {
                "kind": LegacyRow.Kind(kind).label,
                "brought": f"{amounts['brought']:,}",
                "taken": f"{amounts['taken_back']:,}",
                "kept": f"{amounts['kept']:,}",
            }
    yield from importing_report.totals_in_words(found["totals"])
    if "problem" in found:
        yield found["problem"]["message"]
    if found.get("rejected_file"):
        yield _("Rejected rows: %(file)s") % {"file": found["rejected_file"]}
    if found.get("used_file"):
        yield _("Used since: %(file)s") % {"file": found["used_file"]}


def _figures(found: dict[str, int]) -> str:
    return ", ".join(f"{name} {number:,}" for name, number in found.items()) or "–"


class Writable(Protocol):
    """What text can be written to: a file, or the answer to a request."""

    def write(self, text: str, /) -> object:
        """Take some text."""


def write_rejected(run: LegacyRun, stream: Writable) -> int:
    """Write the rejected rows as CSV in the reader's language; how many there were.

    The stream should be opened as `utf-8-sig`, without which spreadsheets guess the encoding wrong.
    """
    writer = csv.writer(stream)
    writer.writerow([_("File"), _("Line"), _("Column"), _("Code"), _("Reason"), _("Value")])
    written = 0
    rejected = LegacyRow.objects.filter(run=run, state=State.REJECTED).order_by("place", "line")
    for row in rejected.iterator(2000):
        cells = (row.column, row.code, reason(row.code), row.value)
        writer.writerow([row.kind, row.line, *map(guarded, cells)])
        written += 1
    return written


def write_used(run: LegacyRun, stream: Writable) -> int:
    """Write what was used since as CSV, by member number; how many rows there were."""
    writer = csv.writer(stream)
    writer.writerow([_("File"), _("Line"), _("Member"), _("Brought"), _("Used since")])
    uses = undoing.used(run)
    lines_of = LegacyRow.objects.in_bulk([use.row_id for _kind, use in uses])
    for kind, use in uses:
        row = lines_of[use.row_id]
        writer.writerow([kind, row.line, number_of(use.member_id), row.amount, use.used])
    return len(uses)
