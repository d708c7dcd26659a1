"""Old Excel (XLS, BIFF), read by a process of its own.

Its reader believes what a file says of itself: a damaged one makes it ask for a terabyte, or stop where no
Python can catch it. So it runs apart, with memory and time of its own, and what comes back are rows or
nothing. `python -m members.formats.old_excel < FILE` writes a line of JSON for each row, and a last one.
"""

import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

from python_calamine import CalamineWorkbook, SheetVisibleEnum

from members.cleaning import clean_text
from members.formats.errors import SpreadsheetBroken

MEMORY: Final = 1 << 30  # bytes of address space, several times what 65,536 full rows need
SECONDS: Final = 60  # of work
_ROOT: Final = Path(__file__).resolve().parents[2]
_END: Final = "end"


class OldExcel:
    """The rows of the first visible page that has any. Close it when they are read, or left."""

    def __init__(self, stream: BinaryIO) -> None:
        """Raises SpreadsheetBroken for what cannot be read. `stream` is no more needed after."""
        # A file of its own: the stream may have none, or one that others move in.
        with tempfile.TemporaryFile() as file:
            shutil.copyfileobj(stream, file)
            file.seek(0)
            self._child = subprocess.Popen(
                [sys.executable, "-m", "members.formats.old_excel"],
                cwd=_ROOT,
                stdin=file,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
        self._lines = self._told()
        self._first = next(self._lines)  # by then all of it is read, or it is broken

    def rows(self) -> Iterator[list[str]]:
        """The rows, once."""
        told: list[str] | str = self._first
        while isinstance(told, list):
            yield told
            told = next(self._lines)

    def _told(self) -> Iterator[list[str] | str]:
        assert self._child.stdout is not None
        for line in self._child.stdout:
            yield json.loads(line)
        self.close()
        raise SpreadsheetBroken  # it ended before it said so

    def close(self) -> None:
        """End the other process, were it still at work."""
        self._child.kill()
        self._child.communicate()


def write_rows(file: BinaryIO, out: BinaryIO) -> None:
    """Write the rows of a workbook as lines of JSON: cells as text, from the first line of the page."""
    workbook = CalamineWorkbook.from_filelike(file)
    visible = (one for one in workbook.sheets_metadata if one.visible == SheetVisibleEnum.Visible)
    sheets = (workbook.get_sheet_by_name(one.name) for one in visible)
    sheet = next((sheet for sheet in sheets if sheet.total_height), None)
    for row in sheet.iter_rows() if sheet is not None else ():
        cells = [cell if isinstance(cell, str) else clean_text(cell) or "" for cell in row]
        out.write(json.dumps(cells).encode() + b"\n")
    out.write(json.dumps(_END).encode() + b"\n")


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with os.fdopen(0, "rb") as table, os.fdopen(1, "wb") as lines:
        write_rows(table, lines)
