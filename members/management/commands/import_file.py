"""`manage.py import_file CHANNEL FILE`: one channel file in, by the same road as the console's (E4)."""

import json
import sys
import time
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from members import channels, imports
from members.formats.registry import FORMATS
from members.importing import files, report
from members.importing.errors import OtherFile
from members.models import ImportRun
from privacy.errors import ShukeError

UNREADABLE, SOME_REJECTED = 2, 3
State = ImportRun.State


class Command(BaseCommand):
    help = (
        "Imports one file of a channel and prints what became of its rows. "
        "Exit status: 0 all rows are in, 3 some were rejected, 2 the file could not be read."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("channel", nargs="?", help="code of the channel")
        parser.add_argument("file", nargs="?", type=Path, help="CSV, XLSX or XLS")
        parser.add_argument("--format", choices=sorted(FORMATS), help="recognised when not named")
        parser.add_argument("--dry-run", action="store_true", help="say what would happen and change nothing")
        parser.add_argument(
            "--resume", type=int, metavar="ID", help="go on with an import that was interrupted"
        )
        parser.add_argument("--undo", type=int, metavar="ID", help="take back what an import made new")
        parser.add_argument("--rejected", type=Path, metavar="FILE", help="where to write the rejected rows")
        parser.add_argument("--json", action="store_true", help="print the report as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            run = self._chosen(options)
            self.stderr.write(_("Import %(number)s: %(file)s") % {"number": run.pk, "file": run.file_name})
            run = self._carried_through(run, is_dry=options["dry_run"])
        except ShukeError as error:
            raise CommandError(str(error), returncode=UNREADABLE) from error
        if run.state == State.STOPPED:
            self.stderr.write(
                _("The import was stopped. Go on with: --resume %(number)s") % {"number": run.pk}
            )
        found = report.document(run)
        found["rejected_file"] = self._write_rejected(run, options["rejected"])
        if options["dry_run"] and run.state == State.READY:
            imports.discard(run.pk)
        self._print(found, as_json=options["json"])
        if run.problem:
            raise SystemExit(UNREADABLE)
        if run.state != State.UNDONE and (found["rows"]["rejected"] or found["rows"]["left"]):
            raise SystemExit(SOME_REJECTED)

    def _chosen(self, options: dict[str, Any]) -> ImportRun:
        if options["undo"] is not None:
            return imports.undo(options["undo"])
        return self._resumed(options) if options["resume"] is not None else self._taken_in(options)

    def _taken_in(self, options: dict[str, Any]) -> ImportRun:
        path: Path | None = options["file"]
        if path is None:
            raise CommandError(_("Name the channel and the file."), returncode=UNREADABLE)
        channel = channels.get(options["channel"])
        try:
            return imports.take_in(
                channel,
                path.name,
                files.blocks_of(path),
                format_name=options["format"] or "",
                is_dry=options["dry_run"],
            )
        except OSError as error:
            raise CommandError(f"{path}: {error.strerror}", returncode=UNREADABLE) from error

    def _resumed(self, options: dict[str, Any]) -> ImportRun:
        run = imports.get(options["resume"])
        path: Path | None = options["file"]
        if path is not None and _digest_of(path) != bytes(run.file_digest):
            raise OtherFile
        if run.state in (State.READY, State.DONE):
            return run
        return imports.resume(run.pk)

    def _carried_through(self, run: ImportRun, *, is_dry: bool) -> ImportRun:
        if run.state == State.WAITING:
            run = imports.read(run.pk, self._progress(_("Read %(done)s rows"), lambda now: now.rows_read))
        if is_dry:
            return run
        if run.state == State.READY:
            run = imports.start(run.pk)
        if run.state == State.QUEUED:
            watch = self._progress(
                _("Imported %(done)s of %(all)s rows"), lambda now: now.rows_read - now.rows_left
            )
            run = imports.carry_out(run.pk, watch)
        if run.state == State.UNDOING:
            watch = self._progress(
                _("Looked through %(done)s"), lambda now: now.facts_undone + now.facts_kept
            )
            run = imports.take_back(run.pk, watch)
        return run

    def _progress(self, text: str, done: Callable[[ImportRun], int]) -> Callable[[ImportRun], None]:
        """A watch that says how far it is: in one line on a terminal, every few seconds in a log."""
        on_terminal = sys.stderr.isatty()
        pause = 0.2 if on_terminal else 5.0
        last = time.monotonic()

        def watch(run: ImportRun) -> None:
            nonlocal last
            if time.monotonic() - last < pause:
                return
            last = time.monotonic()
            line = text % {"done": f"{done(run):,}", "all": f"{run.rows_read:,}"}
            self.stderr.write(line, ending="\r" if on_terminal else "\n")

        return watch

    def _write_rejected(self, run: ImportRun, path: Path | None) -> str | None:
        if not run.rows_rejected:
            return None
        if path is None:
            path = Path(settings.VAR) / "rejected" / f"{run.pk}.csv"
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with path.open("w", encoding="utf-8-sig", newline="") as stream:
            report.write_rejected(run, stream)
        return str(path)

    def _print(self, found: dict[str, Any], *, as_json: bool) -> None:
        if as_json:
            self.stdout.write(json.dumps(found, ensure_ascii=False))
            return
        for line in report.lines(found):
            self.stdout.write(line)


def _digest_of(path: Path) -> bytes:
    digest = sha256()
    for block in files.blocks_of(path):
        digest.update(block)
    return digest.digest()
