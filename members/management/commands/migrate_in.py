"""`manage.py migrate_in CHANNEL FOLDER`: an old system in as one package, and the way back (A16)."""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from members import channels, legacies
from members.legacy import report
from members.models import LegacyRun
from privacy.errors import ShukeError

UNREADABLE, SOME_REJECTED, NOT_APPLIED = 2, 3, 4
State = LegacyRun.State


class Command(BaseCommand):
    help = (
        "Migrates a folder of files of an old system (members, tiers, lots, balances, growth, coupons, "
        "consents, referrals) into a channel made for it. Exit status: 0 all is in, 3 some rows were "
        "rejected, 4 nothing was applied, 2 the package could not be read."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("channel", nargs="?", help="code of the channel made for the old system")
        parser.add_argument("folder", nargs="?", type=Path, help="where the files lie")
        parser.add_argument("--dry-run", action="store_true", help="say what would happen and change nothing")
        parser.add_argument(
            "--expect",
            action="append",
            default=[],
            metavar="NAME=TOTAL,…",
            help="control totals, as points=123456,members=5000,points.2026-12=4000",
        )
        parser.add_argument("--resume", type=int, metavar="ID", help="go on with one that was interrupted")
        parser.add_argument("--undo", type=int, metavar="ID", help="take back what a migration brought")
        parser.add_argument(
            "--spent",
            choices=LegacyRun.Spent.values,
            default=LegacyRun.Spent.REFUSE.value,
            help="with --undo: what becomes of what was used since (default: refuse)",
        )
        parser.add_argument("--rejected", type=Path, metavar="FILE", help="where to write the rejected rows")
        parser.add_argument("--json", action="store_true", help="print the report as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            refusal = self._go(options)
        except ShukeError as error:
            raise CommandError(str(error), returncode=UNREADABLE) from error
        run = legacies.get(self.run_id)
        found = report.document(run)
        found["rejected_file"] = self._write_rejected(run, options["rejected"])
        found["used_file"] = self._write_used(run) if refusal or run.state == State.DONE else None
        if refusal is not None:
            found["problem"] = {"code": refusal.code, "message": str(refusal)}
        if options["dry_run"] and run.state in (State.READY, State.REFUSED):
            legacies.discard(run.pk)
        self._print(found, as_json=options["json"])
        self._exit(run, refusal)

    def _go(self, options: dict[str, Any]) -> ShukeError | None:
        """Do what was asked; the refusal after which nothing was applied, if there was one."""
        if options["undo"] is not None:
            return self._undo(options["undo"], options["spent"])
        run = self._resumed(options["resume"]) if options["resume"] is not None else self._taken_in(options)
        self.run_id = run.pk
        self.stderr.write(_("Migration %(number)s: %(name)s") % {"number": run.pk, "name": run.name})
        if options["expect"] and options["resume"] is not None:
            legacies.expect(run.pk, _totals(options["expect"]))
        if run.state == State.WAITING:
            run = legacies.read(run.pk, self._watch(_("Read")))
        if run.state == State.UNDOING:
            legacies.carry_back(run.pk, self._watch(_("Taken back")))
            return None
        if options["dry_run"] or run.state not in (State.READY, State.QUEUED):
            return None
        try:
            run = legacies.start(run.pk) if run.state == State.READY else run
        except ShukeError as refusal:
            return refusal
        legacies.carry_out(run.pk, self._watch(_("Migrated")))
        return None

    def _taken_in(self, options: dict[str, Any]) -> LegacyRun:
        folder: Path | None = options["folder"]
        if folder is None:
            raise CommandError(_("Name the channel and the folder."), returncode=UNREADABLE)
        channel = channels.get(options["channel"])
        try:
            paths = {path.name: path for path in sorted(folder.iterdir()) if path.is_file()}
            return legacies.take_in(
                channel,
                folder.resolve().name,
                paths,
                expect=_totals(options["expect"]),
                is_dry=options["dry_run"],
            )
        except OSError as error:
            raise CommandError(f"{folder}: {error.strerror}", returncode=UNREADABLE) from error

    def _resumed(self, run_id: int) -> LegacyRun:
        run = legacies.get(run_id)
        over = (State.READY, State.DONE, State.UNDONE)
        return run if run.state in over else legacies.resume(run_id)

    def _undo(self, run_id: int, spent: str) -> ShukeError | None:
        self.run_id = legacies.get(run_id).pk
        try:
            legacies.take_back(run_id, spent)
        except ShukeError as refusal:
            return refusal
        legacies.carry_back(run_id, self._watch(_("Taken back")))
        return None

    def _watch(self, what: str) -> Callable[[LegacyRun], None]:
        """A watch that says how far it is: in one line on a terminal, every few seconds in a log."""
        on_terminal = sys.stderr.isatty()
        pause = 0.5 if on_terminal else 5.0
        last = time.monotonic()

        def watch(run: LegacyRun) -> None:
            nonlocal last
            if time.monotonic() - last < pause:
                return
            last = time.monotonic()
            told = report.progress(run)
            line = _("%(what)s: %(done)s of %(all)s rows") % {
                "what": what,
                "done": f"{told.done:,}",
                "all": f"{told.rows:,}",
            }
            self.stderr.write(line, ending="\r" if on_terminal else "\n")

        return watch

    def _write_rejected(self, run: LegacyRun, path: Path | None) -> str | None:
        if not report.rows(run).get("rejected"):
            return None
        path = path or Path(settings.VAR) / "rejected" / f"migration-{run.pk}.csv"
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with path.open("w", encoding="utf-8-sig", newline="") as stream:
            report.write_rejected(run, stream)
        return str(path)

    def _write_used(self, run: LegacyRun) -> str | None:
        """What was used since, member by member: of a package that is in, and before it goes back."""
        path = Path(settings.VAR) / "rejected" / f"migration-{run.pk}-used.csv"
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with path.open("w", encoding="utf-8-sig", newline="") as stream:
            written = report.write_used(run, stream)
        if not written:
            path.unlink()
        return str(path) if written else None

    def _print(self, found: dict[str, Any], *, as_json: bool) -> None:
        if as_json:
            self.stdout.write(json.dumps(found, ensure_ascii=False))
            return
        for line in report.lines(found):
            self.stdout.write(line)

    def _exit(self, run: LegacyRun, refusal: ShukeError | None) -> None:
        if run.state == State.REFUSED:
            raise SystemExit(UNREADABLE)
        if refusal is not None or run.state in (State.STOPPED, State.HALF_BACK):
            raise SystemExit(NOT_APPLIED)
        if report.rows(run).get("rejected"):
            raise SystemExit(SOME_REJECTED)


def _totals(told: list[str]) -> dict[str, str]:
    """`points=1,members=2` as names and totals; a number may not have commas here."""
    pairs = [pair for text in told for pair in text.split(",") if pair.strip()]
    return {name.strip(): total for name, _sign, total in (pair.partition("=") for pair in pairs)}
