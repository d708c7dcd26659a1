"""A message written as the platform's own file would have it, so that one reader reads both. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from members.formats.rows import Columns, Row


def rows_of(cells: Sequence[Mapping[str, object]]) -> list[Row]:
    """The rows of one entry: cells by the name of their column. None is an empty cell."""
    columns = Columns(dict.fromkeys(name for row in cells for name in row))
    return [
        Row(number, [*(_cell(row.get(name)) for name in columns.names), ""], columns)
        for number, row in enumerate(cells, start=1)
    ]


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    return str(value)
