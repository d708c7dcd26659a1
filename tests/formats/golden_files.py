"""Golden files: real headers, invented rows, and beside each file the outcomes it must have.

`python -m tests.formats.golden_files` records the outcomes anew; read the difference before you keep it.
"""

import json
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

from members.formats.format import Format
from members.formats.mapped import format_of, guess_mapping
from members.formats.outcomes import Outcome
from members.formats.reading import Table, open_table
from members.formats.registry import choose

GOLDEN = Path(__file__).parent / "golden"
PATHS = sorted(path for path in GOLDEN.glob("*/*") if path.suffix != ".json")


def format_for(table: Table, name: str) -> Format:
    """The format that the folder is named after, by guess for mapped files, else by recognition."""
    if name == "mapped":
        return format_of(guess_mapping(table.headers), table.headers)
    found = choose(table.headers)
    assert found.name == name
    return found


def outcomes_of(path: Path) -> list[Outcome]:
    """All outcomes of a golden file."""
    with open_table(path) as table:
        return list(format_for(table, path.parent.name).read(table.rows))


def plain(value: object) -> object:
    """Outcomes as JSON; what was not told is left out, so that what was told is seen."""
    if is_dataclass(value):
        named = ((field.name, plain(getattr(value, field.name))) for field in fields(value))
        return {"": type(value).__name__} | {name: item for name, item in named if item not in (None, "", [])}
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    if isinstance(value, Decimal):
        return format(value, "f")
    return value.isoformat() if isinstance(value, date) else value


def recorded(path: Path) -> Iterator[dict[str, object]]:
    """The outcomes as they were recorded beside the file."""
    yield from json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))


def record(path: Path) -> None:
    """Record the outcomes of a file beside it."""
    text = json.dumps(plain(outcomes_of(path)), ensure_ascii=False, indent=1)
    path.with_suffix(".json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    for golden in PATHS:
        record(golden)
        print(golden.relative_to(GOLDEN))
