"""Correcting: the rejected rows of a file as a file of their own, with what a person put right (E2).

It goes the way of any file, with a preview: nothing comes in by a side door. Rows that nobody touched are
tried again as they stand, because what kept them out may be mended elsewhere (a store that was not known).
"""

import csv
import io
from collections.abc import Iterator, Mapping
from typing import Final

from members.formats import registry
from members.formats.reading import Table, open_table
from members.importing import files
from members.importing.errors import FileGone, NothingToCorrect
from members.models import ImportReject, ImportRun

Corrections = Mapping[int, Mapping[str, str]]  # by line and column, the cell as it ought to be

# What such a row says cannot be known from the row alone: alone, it would be believed.
_NEVER_AS_IT_STANDS: Final = ("duplicate_in_file", "row_ragged")
_BLOCK: Final = 1 << 16


def corrected(run: ImportRun, told: Corrections) -> Iterator[bytes]:
    """The header and the rejected rows of a run's file, corrected, as CSV in UTF-8.

    Raises FileGone, or NothingToCorrect when no row is left that could come in.
    """
    path = files.path_of(run.key)
    if not path.exists():
        raise FileGone
    lines = _lines(run, told)
    if not lines:
        raise NothingToCorrect
    with open_table(path) as table:
        yield from _blocks(table, _places(run, table), lines, told)


def _lines(run: ImportRun, told: Corrections) -> set[int]:
    rejected = ImportReject.objects.filter(run=run, is_row_kept=False)
    again = rejected.exclude(code__in=_NEVER_AS_IT_STANDS).values_list("line", flat=True)
    touched = rejected.filter(line__in=[line for line, cells in told.items() if cells])
    return {*again, *touched.values_list("line", flat=True)}


def _places(run: ImportRun, table: Table) -> dict[str, int]:
    """Where each column stands, by its own name and by the one that its format gives it."""
    described = registry.FORMATS.get(run.format)
    synonyms = described.synonyms if described else {}
    places = {name: place for place, name in reversed(tuple(enumerate(table.headers))) if name}
    return {synonyms[name]: place for name, place in places.items() if name in synonyms} | places


def _blocks(table: Table, places: Mapping[str, int], lines: set[int], told: Corrections) -> Iterator[bytes]:
    stream = io.StringIO(newline="")
    stream.write("\ufeff")
    writer = csv.writer(stream)
    writer.writerow(table.headers)
    left = len(lines)
    for row in table.rows:
        if row.line not in lines:
            continue
        cells = row.cells[: len(table.headers)]
        for column, value in told.get(row.line, {}).items():
            if column in places:
                cells[places[column]] = value
        writer.writerow(cells)
        left -= 1
        if stream.tell() >= _BLOCK:
            yield stream.getvalue().encode()
            stream.seek(0)
            stream.truncate()
        if not left:
            break
    yield stream.getvalue().encode()
