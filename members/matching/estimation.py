"""Estimating the parameters from a labelled set: m from those who are one person, u from those who are not.

Counted, not fitted: the labelled set says who is who, so that the same seed gives the same parameters.
"""

from collections.abc import Mapping, Sequence

import duckdb

from members.matching import comparing, engine, people
from members.matching.comparing import COMPARISONS, Comparison, Odds
from members.matching.features import features_of
from members.matching.parameters import Parameters

SAMPLE = 3_000  # descriptions of which each is compared with each, to see how often strangers agree
_UNSEEN = 0.5  # what is added to every count, so that nothing is impossible


def estimate(*, version: str, seed: int, number: int, twice: float, link: float, ask: float) -> Parameters:
    """The parameters that a seeded set of so many people yields; `twice` and thresholds are taken over."""
    labelled = people.labelled(seed, number)
    with engine.private_database() as database:
        engine.load(database, "told", (features_of(each.told) for each in labelled))
        tell_truth(database, {each.told.member: each.person for each in labelled})
        odds = odds_of(database, "told", COMPARISONS)
    return Parameters(version, seed, len(labelled), twice, link, ask, odds)


def tell_truth(database: duckdb.DuckDBPyConnection, persons: Mapping[int, int]) -> None:
    """Put who is who into the table `truth` (member, person)."""
    database.execute("CREATE TABLE truth (member BIGINT, person BIGINT)")
    database.execute(
        "INSERT INTO truth SELECT unnest(?), unnest(?)", [list(persons.keys()), list(persons.values())]
    )


def odds_of(
    database: duckdb.DuckDBPyConnection, table: str, comparisons: Sequence[Comparison]
) -> dict[str, dict[str, Odds]]:
    """m and u of every level, of a table of features and the table `truth`."""
    database.execute(
        f"""
        CREATE OR REPLACE TABLE labelled AS
        SELECT {table}.*, person, hash(member) AS place FROM {table} JOIN truth USING (member)
        """
    )
    database.execute(
        f"CREATE OR REPLACE TABLE sample AS SELECT * FROM labelled ORDER BY place LIMIT {SAMPLE}"
    )
    return {comparison.word: _odds(database, comparison) for comparison in comparisons}


def _odds(database: duckdb.DuckDBPyConnection, comparison: Comparison) -> dict[str, Odds]:
    same = _counts(database, comparison, "labelled", "l.person = r.person")
    strangers = _counts(database, comparison, "sample", "l.person <> r.person")
    u = _shares(comparison, strangers)
    if comparison.meeting:
        met = _counts(database, comparison, "labelled", f"{comparison.meeting} AND l.person <> r.person")
        known = sum(strangers.values()) / _pairs(database, "sample")
        for level in comparison.levels:
            if level.chance is not None:
                u[level.word] = (met.get(level.word, 0) + _UNSEEN) / (known * _pairs(database, "labelled"))
    m = _shares(comparison, same)
    return {word: Odds(round(m[word], 6), float(f"{u[word]:.4g}")) for word in comparison.words}


def _shares(comparison: Comparison, counts: Mapping[str, int]) -> dict[str, float]:
    total = sum(counts.values()) + _UNSEEN * len(comparison.words)
    return {word: (counts.get(word, 0) + _UNSEEN) / total for word in comparison.words}


def _counts(
    database: duckdb.DuckDBPyConnection, comparison: Comparison, table: str, joined: str
) -> dict[str, int]:
    """How many pairs stand at each level; those of whom nothing can be said are left out."""
    columns = [row[0] for row in database.execute(f"DESCRIBE {table}").fetchall()]
    sides = ", ".join(f'{side}."{column}" AS "{column}_{side}"' for side in "lr" for column in columns)
    found = database.execute(
        f"""
        SELECT {comparing.gamma_sql(comparison)} AS word, count(*)
          FROM (SELECT {sides} FROM {table} l JOIN {table} r ON {joined} AND l.unique_id < r.unique_id)
         GROUP BY word HAVING word IS NOT NULL
        """
    ).fetchall()
    return dict(found)


def _pairs(database: duckdb.DuckDBPyConnection, table: str) -> float:
    ((count,),) = database.execute(f"SELECT count(*) FROM {table}").fetchall()
    return float(count * (count - 1) / 2)
