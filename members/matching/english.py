"""The public English and German sets: other fields and other comparisons, the same machinery.

The sets are not part of the project; `manage.py evaluate_matching --data DIR` measures those it finds there.
Here m and u are learnt by Splink's expectation maximisation, as no labels may be looked at.
"""

import csv
import gzip
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any, Final

import duckdb
import pyarrow as pa

from members.matching import comparing, engine
from members.matching.comparing import OTHER, Comparison, Level, Odds
from members.matching.engine import Model, Scored

Row = Mapping[str, str | None]
_SEED: Final = 1


def _similar(column: str, *thresholds: float) -> tuple[Level, ...]:
    return tuple(
        Level(f"like {at:.2f}", f"jaro_winkler_similarity({column}_l, {column}_r) >= {at}")
        for at in thresholds
    )


def _text(column: str, *thresholds: float, by_frequency: bool = True) -> Comparison:
    exact = Level("exact", f"{column}_l = {column}_r", column if by_frequency else "")
    return Comparison(
        column, f"{column}_l IS NULL OR {column}_r IS NULL", (exact, *_similar(column, *thresholds))
    )


def _digits(column: str, *edits: int) -> Comparison:
    near = (Level(f"{most} off", f"damerau_levenshtein({column}_l, {column}_r) <= {most}") for most in edits)
    exact = Level("exact", f"{column}_l = {column}_r")
    return Comparison(column, f"{column}_l IS NULL OR {column}_r IS NULL", (exact, *near))


# Given name and surname are exchanged often enough to be one comparison.
_NAMES: Final = Comparison(
    "names",
    "given_l IS NULL AND surname_l IS NULL OR given_r IS NULL AND surname_r IS NULL",
    (
        Level("exact", "full_l = full_r", "full_name"),
        Level("exchanged", "given_l = surname_r AND surname_l = given_r"),
        Level(
            "like both",
            "jaro_winkler_similarity(given_l, given_r) >= 0.85"
            " AND jaro_winkler_similarity(surname_l, surname_r) >= 0.85",
        ),
        Level("surname", "jaro_winkler_similarity(surname_l, surname_r) >= 0.9"),
        Level("given", "jaro_winkler_similarity(given_l, given_r) >= 0.9"),
    ),
)


@dataclass(frozen=True, slots=True)
class Shape:
    """One set: where it lies, what its columns are to us, what is compared, and what brings rows together."""

    file: str
    person_of: Callable[[Row], str]
    columns: Mapping[str, Callable[[Row], str | None]]
    comparisons: tuple[Comparison, ...]
    blocks: tuple[tuple[str, ...], ...]
    learnt_by: tuple[tuple[str, ...], ...]  # two that have nothing in common

    def read(self, folder: Path) -> tuple[list[dict[str, Any]], dict[int, int]]:
        """The rows of the set, and which of them are one person."""
        people: dict[str, int] = {}
        rows, persons = [], {}
        for number, raw in enumerate(_rows(folder / self.file), 1):
            persons[number] = people.setdefault(self.person_of(raw), len(people))
            rows.append(
                {"unique_id": number, "member": number} | {c: of(raw) for c, of in self.columns.items()}
            )
        return rows, persons


def _rows(file: Path) -> list[Row]:
    raw = file.read_bytes()
    text = (gzip.decompress(raw) if file.suffix == ".gz" else raw).decode()
    return [
        {name: value.strip().casefold() or None for name, value in row.items()}
        for row in csv.DictReader(StringIO(text))
    ]


def _of(name: str) -> Callable[[Row], str | None]:
    return lambda row: row[name]


def _full(given: str, surname: str) -> Callable[[Row], str | None]:
    return lambda row: f"{row[given]} {row[surname]}" if row[given] and row[surname] else None


def _day(row: Row) -> str | None:
    parts = [row["by"], row["bm"], row["bd"]]
    return f"{parts[0]}{int(parts[1] or 0):02d}{int(parts[2] or 0):02d}" if parts[0] else None


def _mailbox(row: Row) -> str | None:
    return (row["email"] or "").partition("@")[0] or None


_FEBRL: Final[dict[str, Any]] = {
    "person_of": lambda row: str(row["rec_id"]).split("-")[1],
    "columns": {
        "given": _of("given_name"),
        "surname": _of("surname"),
        "full": _full("given_name", "surname"),
        "born": _of("date_of_birth"),
        "number": _of("soc_sec_id"),
        "street": _of("address_1"),
        "suburb": _of("suburb"),
        "postcode": _of("postcode"),
        "state": _of("state"),
    },
    "comparisons": (
        _NAMES,
        _digits("born", 1),
        _digits("number", 1, 2),
        _text("street", 0.9, by_frequency=False),
        _text("suburb", 0.9),
        _digits("postcode", 1),
        _text("state", by_frequency=False),
    ),
    "blocks": (
        ("born",),
        ("number",),
        ("full",),
        ("surname", "postcode"),
        ("given", "postcode"),
        ("street",),
        ("suburb", "given"),
        ("suburb", "surname"),
    ),
    "learnt_by": (("born",), ("full",), ("number",)),
}

SETS: Final[dict[str, Shape]] = {
    **{f"febrl{n}": Shape(file=f"febrl/febrl{n}.csv.gz", **_FEBRL) for n in (1, 2, 3)},
    "fake_1000": Shape(
        file="splink/fake_1000.csv",
        person_of=lambda row: str(row["cluster"]),
        columns={
            "given": _of("first_name"),
            "surname": _of("surname"),
            "full": _full("first_name", "surname"),
            "born": lambda row: (row["dob"] or "").replace("-", "") or None,
            "year": lambda row: (row["dob"] or "")[:4] or None,
            "city": _of("city"),
            "email": _of("email"),
            "mailbox": _mailbox,
        },
        comparisons=(
            _NAMES,
            _digits("born", 1, 2),
            _text("city", 0.9),
            Comparison(
                "email",
                "email_l IS NULL OR email_r IS NULL",
                (
                    Level("exact", "email_l = email_r"),
                    Level("mailbox", "mailbox_l = mailbox_r"),
                    *_similar("email", 0.88),
                ),
            ),
        ),
        blocks=(
            ("born",), ("email",), ("mailbox",), ("full",), ("given",), ("surname",), ("city", "year"),
        ),
        learnt_by=(("born",), ("full",), ("email",)),
    ),
    "RLdata500": Shape(
        file="rldata/RLdata500.csv.gz",
        person_of=lambda row: str(row["entity_id"]),
        columns={
            "given": _of("fname_c1"),
            "surname": _of("lname_c1"),
            "full": _full("fname_c1", "lname_c1"),
            "born": _day,
            "year": _of("by"),
        },
        comparisons=(_NAMES, _digits("born", 1, 2)),
        blocks=(("born",), ("full",), ("given", "year"), ("surname", "year"), ("surname",)),
        learnt_by=(("born",), ("full",)),
    ),
}  # fmt: skip


def found_in(folder: Path) -> list[str]:
    """The sets that lie in a folder."""
    return [name for name, shape in SETS.items() if (folder / shape.file).is_file()]


def score(
    database: duckdb.DuckDBPyConnection, shape: Shape, rows: Sequence[Mapping[str, Any]], *, least: float
) -> list[Scored]:
    """Learn m and u from the rows themselves, without their labels, and score them."""
    keys = {"_".join(block): block for block in shape.blocks}
    told = [dict(row) | {f"by_{key}": _joined(row, block) for key, block in keys.items()} for row in rows]
    database.register("told_rows", pa.Table.from_pylist(told))
    database.execute('CREATE TABLE told AS SELECT *, "full" AS full_name FROM told_rows')
    columns = comparing.frequency_columns(shape.comparisons)
    shares = engine.shares_of(database, "told", columns, least=1)
    model = Model(
        database,
        "told",
        {comparison.word: _guess(comparison) for comparison in shape.comparisons},
        prior=1 / len(rows),
        shares=shares,
        rare=1 / len(rows),
        comparisons=shape.comparisons,
        blocks=tuple(f"by_{key}" for key in keys),
    )
    model.learn([" AND ".join(f'l."{c}" = r."{c}"' for c in block) for block in shape.learnt_by], seed=_SEED)
    return model.all_pairs(least=least)


def _joined(row: Mapping[str, Any], block: tuple[str, ...]) -> str | None:
    parts = [row[column] for column in block]
    return "|".join(parts) if all(parts) else None


def _guess(comparison: Comparison) -> dict[str, Odds]:
    """Where learning begins: the best level is the usual one of one person, and the rarest of two."""
    count = len(comparison.words)
    m = {word: 0.9 if n == 0 else 0.1 / (count - 1) for n, word in enumerate(comparison.words)}
    u = dict.fromkeys(comparison.words, 0.01) | {OTHER: 1 - 0.01 * (count - 1)}
    return {word: Odds(m[word], u[word]) for word in comparison.words}
