"""How good the matching is, measured on sets of which it is known who is who."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from members.matching import comparing, decisions, engine, english, people
from members.matching.engine import Model, Scored
from members.matching.features import features_of
from members.matching.parameters import Parameters

THRESHOLDS = (0.1, 0.5, 0.9, 0.99, 0.999, 0.9999, 0.99999)
LINK_FROM = (0.9, 0.99, 0.999, 0.9999)
PRECISE = 0.999  # what members may be linked with
PEOPLE = 20_000  # of a seeded set


@dataclass(frozen=True, slots=True)
class Figures:
    """Of pairs that were called the same: how many there were, were right, and ought to have been."""

    found: int
    right: int
    true: int

    @property
    def precision(self) -> float:
        return self.right / self.found if self.found else 1.0

    @property
    def recall(self) -> float:
        return self.right / self.true if self.true else 1.0

    @property
    def f1(self) -> float:
        both = self.precision + self.recall
        return 2 * self.precision * self.recall / both if both else 0.0

    def document(self) -> dict[str, Any]:
        """As numbers of a report."""
        rates = {"precision": self.precision, "recall": self.recall, "f1": self.f1}
        return asdict(self) | {name: round(rate, 4) for name, rate in rates.items()}


@dataclass(frozen=True, slots=True)
class Measured:
    """One set: figures by threshold of the score alone; and, of ours, of what is decided in the end."""

    name: str
    rows: int
    by_threshold: Mapping[float, Figures]
    linked: Mapping[float, Figures] = field(default_factory=dict)  # by the threshold to link from
    asked: Figures | None = None
    wrong: Mapping[str, int] = field(default_factory=dict)  # hard case → pairs linked that ought not to be

    @property
    def best_f1(self) -> float:
        """The best that any of the thresholds gives."""
        return max(figures.f1 for figures in self.by_threshold.values())

    def document(self) -> dict[str, Any]:
        """As it stands in the JSON report."""
        return {
            "set": self.name,
            "rows": self.rows,
            "thresholds": {str(at): figures.document() for at, figures in self.by_threshold.items()},
            "best_f1": round(self.best_f1, 4),
            "linked": {str(at): figures.document() for at, figures in self.linked.items()},
            "asked": self.asked and self.asked.document(),
            "wrong": dict(self.wrong),
        }


def measure(
    known: Parameters, *, seed: int, number: int, link: float, ask: float, questions: int
) -> Measured:
    """Our own hard cases: so many people of a seed other than that of the parameters."""
    labelled = people.labelled(seed, number)
    persons = {each.told.member: each.person for each in labelled}
    cases = {each.told.member: each.case for each in labelled}
    pairs = score(known, [each.told for each in labelled], least=min(ask, THRESHOLDS[0]))
    decided = decisions.decide(pairs, link=link, ask=ask, questions=questions)
    wrong = Counter(
        " / ".join(sorted({cases[pair.one], cases[pair.other]} - {""})) or "ordinary"
        for pair in decided.link
        if persons[pair.one] != persons[pair.other]
    )
    linked = {
        at: figures(decisions.decide(pairs, link=at, ask=ask, questions=questions).link, persons)
        for at in LINK_FROM
    }
    return Measured(
        f"seeded {seed}",
        len(labelled),
        by_threshold(pairs, persons),
        linked,
        figures(decided.ask, persons),
        dict(wrong),
    )


def is_precise(sets: Sequence[Measured], link: float) -> bool:
    """Whether links from this score are right as often as they must be, on each set that is decided upon."""
    return all(
        figures.precision >= PRECISE
        for measured in sets
        for at, figures in measured.linked.items()
        if at >= link
    )


def choose(sets: Sequence[Measured]) -> float | None:
    """The lowest threshold from which links are precise enough on each set, and one step for safety.

    None where no threshold is.
    """
    good = [
        at
        for at in LINK_FROM
        if all(measured.linked[at].precision >= PRECISE for measured in sets if measured.linked)
    ]
    return good[min(1, len(good) - 1)] if good else None


def score(known: Parameters, told: Sequence[people.Description], *, least: float) -> list[Scored]:
    """Score descriptions as the night does."""
    with engine.private_database() as database:
        engine.load(database, "told", map(features_of, told))
        return model_over(database, "told", known, members=len(told)).all_pairs(least=least)


def model_over(database: duckdb.DuckDBPyConnection, table: str, known: Parameters, *, members: int) -> Model:
    """The model for a table that holds every member; how common a value is, is counted in it."""
    least = engine.least_common(members)
    columns = comparing.frequency_columns()
    return Model(
        database,
        table,
        comparing.among(known.odds, members, measured_among=known.people),
        prior=known.prior(members),
        shares=engine.shares_of(database, table, columns, least=least),
        rare=engine.rare_share(members),
    )


def measure_english(folder: Path, name: str) -> Measured:
    """One of the public English sets, with comparisons of its own."""
    shape = english.SETS[name]
    rows, persons = shape.read(folder)
    with engine.private_database() as database:
        pairs = english.score(database, shape, rows, least=min(THRESHOLDS))
    return Measured(name, len(rows), by_threshold(pairs, persons))


def by_threshold(pairs: Sequence[Scored], persons: Mapping[int, int]) -> dict[float, Figures]:
    """Figures for each threshold of the score."""
    return {at: figures([pair for pair in pairs if pair.score >= at], persons) for at in THRESHOLDS}


def figures(pairs: Sequence[Scored], persons: Mapping[int, int]) -> Figures:
    """How many of the pairs are of one person; `persons` says who each member is."""
    right = sum(persons[pair.one] == persons[pair.other] for pair in pairs)
    sizes = Counter(persons.values()).values()
    return Figures(len(pairs), right, sum(size * (size - 1) // 2 for size in sizes))
