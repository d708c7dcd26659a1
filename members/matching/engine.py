"""DuckDB and Splink over features: pairs in, scores out.

Promises: clear values live in the memory of this process and, where that does not suffice, in a folder of
its own (0700) that is gone at the end; nothing of them reaches a log or the text of an error.
"""

import logging
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain, islice
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import duckdb
import pyarrow as pa
from django.conf import settings
from splink import DuckDBAPI, Linker
from splink.internals.exceptions import SplinkException
from splink.internals.splink_dataframe import SplinkDataFrame

from members.errors import MatchingFailed
from members.matching import comparing
from members.matching.comparing import COMPARISONS, Comparison, Table
from members.matching.features import BLOCKS, COLUMNS, Features

SMALLEST_SHOP = 1_000  # members; the odds of smaller ones are those of this
HIGHEST = 1 - 1e-9  # of a threshold, as Splink reckons with its logarithm
CHUNK = 20_000  # features that pass into DuckDB at once
_TEXTS = pa.schema([(name, pa.int64() if name == "member" else pa.string()) for name in COLUMNS])

# Splink explains its SQL at levels of its own; it has nothing to tell that an operator could act on.
logging.getLogger("splink").setLevel(logging.ERROR)


class Scored(NamedTuple):
    """Two members and their best score, 0 … 1. `levels` says why, comparison → word of its level."""

    one: int
    other: int
    score: float
    levels: dict[str, str]


Shares = dict[str, dict[str, float]]  # column → value → share of members who have it


@contextmanager
def private_database() -> Iterator[duckdb.DuckDBPyConnection]:
    """A DuckDB in memory that nobody else sees, with a private folder to overflow into.

    Raises MatchingFailed, without the values that DuckDB's own messages may quote.
    """
    with TemporaryDirectory(prefix="shuke-matching-") as folder:  # made 0700
        database = duckdb.connect(
            ":memory:",
            config={
                "temp_directory": folder,
                "memory_limit": settings.MATCH_MEMORY,
                "threads": settings.MATCH_THREADS,
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
            },
        )
        try:
            yield database
        except (duckdb.Error, SplinkException) as error:
            raise MatchingFailed(kind=type(error).__name__) from None
        finally:
            database.close()


def load(database: duckdb.DuckDBPyConnection, table: str, features: Iterable[Features]) -> int:
    """Put features into a table, chunk by chunk; how many there were.

    Rows get their `unique_id` here, and `holders`: how many members have the row's phone.
    """
    raw, count, rows = f"{table}_raw", 0, iter(features)
    database.register("chunk", _TEXTS.empty_table())
    database.execute(f"CREATE TABLE {raw} AS SELECT * FROM chunk")
    while chunk := list(islice(rows, CHUNK)):
        columns = list(zip(*chunk, strict=True))
        database.register("chunk", pa.table(columns, schema=_TEXTS))
        database.execute(f"INSERT INTO {raw} SELECT * FROM chunk")
        count += len(chunk)
    database.unregister("chunk")
    database.execute(
        f"""
        CREATE TABLE {table} AS
        WITH held AS (SELECT phone, count(DISTINCT member) AS holders FROM {raw} GROUP BY phone)
        SELECT row_number() OVER () AS unique_id, {raw}.*, coalesce(holders, 0) AS holders
          FROM {raw} LEFT JOIN held USING (phone)
        """
    )
    database.execute(f"DROP TABLE {raw}")
    return count


def load_both(
    database: duckdb.DuckDBPyConnection, *, new: Iterable[Features], known: Iterable[Features]
) -> None:
    """Load new and known descriptions into `met`, and give each side a view: `met_new`, `met_known`."""
    new = list(new)
    load(database, "met", chain(new, known))
    members = sorted({each.member for each in new})
    database.register("new_members", pa.table({"member": pa.array(members, pa.int64())}))
    database.execute("CREATE TABLE met_new AS SELECT * FROM met SEMI JOIN new_members USING (member)")
    database.execute("CREATE TABLE met_known AS SELECT * FROM met ANTI JOIN new_members USING (member)")
    database.unregister("new_members")


def members_in(database: duckdb.DuckDBPyConnection, table: str) -> int:
    """How many members a table describes."""
    # An unfetched result blocks its connection, and one row alone leaves it so.
    ((members,),) = database.execute(f"SELECT count(DISTINCT member) FROM {table}").fetchall()
    return int(members)


def features_in(database: duckdb.DuckDBPyConnection, table: str) -> Iterator[list[Features]]:
    """What was loaded, in chunks; all descriptions of a member are in one chunk."""
    told = database.cursor()  # the connection itself goes on to other statements in between
    told.execute(f"SELECT {', '.join(COLUMNS)} FROM {table} ORDER BY member")
    kept: list[Features] = []
    while rows := told.fetchmany(CHUNK):
        kept += map(Features._make, rows)
        last = kept[-1].member
        yield [each for each in kept if each.member != last]
        kept = [each for each in kept if each.member == last]
    yield kept


def values_in(
    database: duckdb.DuckDBPyConnection, table: str, columns: Sequence[str]
) -> dict[str, list[str]]:
    """The different values of some columns."""
    return {
        column: [
            value
            for (value,) in database.execute(
                f"SELECT DISTINCT {column} FROM {table} WHERE {column} IS NOT NULL"
            ).fetchall()
        ]
        for column in columns
    }


def shares_of(
    database: duckdb.DuckDBPyConnection, table: str, columns: Sequence[str], *, least: int
) -> Shares:
    """How common each value is among the members of a table; without values that fewer than `least` have.

    In a handful of members everybody is rare: the table counts as a shop of SMALLEST_SHOP at least.
    """
    members = max(members_in(database, table), SMALLEST_SHOP)
    return {
        column: dict(
            database.execute(
                f"""
                SELECT {column}, count(DISTINCT member) / ? FROM {table}
                 WHERE {column} IS NOT NULL GROUP BY 1 HAVING count(DISTINCT member) >= ?
                """,
                [members, least],
            ).fetchall()
        )
        for column in columns
    }


def least_common(members: int) -> int:
    """How many members must have a value for its share to be counted; rarer ones count as if so many had."""
    return max(2, members // 100_000)


def rare_share(members: int) -> float:
    """The share that a value counts as having which few members have."""
    return least_common(members) / max(members, SMALLEST_SHOP)


class Model:
    """A Splink model over one DuckDB, ready to score. `tables` hold what load() put there."""

    def __init__(
        self,
        database: duckdb.DuckDBPyConnection,
        table: str,
        odds: Table,
        *,
        prior: float,
        shares: Shares,
        rare: float,
        comparisons: Sequence[Comparison] = COMPARISONS,
        blocks: Sequence[str] = BLOCKS,
    ) -> None:
        """`shares` of common values are given; every other value counts as `rare`."""
        self.database, self.comparisons = database, comparisons
        self._api = DuckDBAPI(connection=database)
        self._frame = self._api.register(table)
        self.settings = comparing.settings_of(odds, prior=prior, comparisons=comparisons, blocks=blocks)
        self.linker = Linker(self._frame, self.settings, log_level=None, validate_settings=False)
        for column in comparing.frequency_columns(comparisons):
            scale = comparing.scale_of(column, odds, shares.get(column, {}), comparisons)
            self._register_shares(table, column, shares.get(column, {}), rare=rare, scale=scale)

    def _register_shares(
        self, table: str, column: str, shares: dict[str, float], *, rare: float, scale: float
    ) -> None:
        told = pa.table(
            {
                "value": pa.array(shares.keys(), pa.string()),
                "share": pa.array(shares.values(), pa.float64()),
            }
        )
        self.database.register("told_shares", told)
        self.database.execute(
            f"""
            CREATE TABLE shares_{column} AS
            SELECT {column}, greatest(coalesce(any_value(share), 0), {rare}) * {scale} AS tf_{column}
              FROM {table} LEFT JOIN told_shares ON value = {column}
             WHERE {column} IS NOT NULL GROUP BY {column}
            """
        )
        self.database.unregister("told_shares")
        frame = self._api.register(f"shares_{column}")
        self.linker.table_management.register_term_frequency_lookup(frame, column)

    def learn(self, rules: Sequence[str], *, seed: int) -> None:
        """Estimate m, u and the prior from the table itself, without labels.

        Each of the `rules` brings together mostly pairs of one person; what it compares is learnt from the
        others. Used where no labelled set stands for the data.
        """
        training = self.linker.training
        training.estimate_probability_two_random_records_match(list(rules), recall=0.8)
        training.estimate_u_using_random_sampling(max_pairs=1e6, seed=seed)
        for rule in rules:
            training.estimate_parameters_using_expectation_maximisation(rule)

    def all_pairs(self, *, least: float) -> list[Scored]:
        """Score whatever the blocking rules bring together; pairs with a score of `least`."""
        scores = self.linker.inference.predict(
            threshold_match_probability=min(least, HIGHEST), warning_mode="never"
        )
        return self._best(scores)

    def new_pairs(self, *, known: str, new: str, least: float) -> list[Scored]:
        """Score new descriptions against known ones and among themselves; both are tables of load()'s.

        Splink takes its time to write its SQL, whether or not there is anybody to compare.
        """
        known_count, new_count = members_in(self.database, known), members_in(self.database, new)
        inference, rows = self.linker.inference, self._api.register(new)
        floor = min(least, HIGHEST)
        pairs: list[Scored] = []
        if known_count:
            between = inference.predict_between(
                self._api.register(known), rows, threshold_match_probability=floor, warning_mode="never"
            )
            pairs += self._best(between)
        if new_count > 1:
            within = inference.predict_within(rows, threshold_match_probability=floor, warning_mode="never")
            pairs += self._best(within)
        return self._merged(pairs)

    def _best(self, scores: SplinkDataFrame) -> list[Scored]:
        """The best score of each two members; they may have several descriptions."""
        gammas = [f"gamma_{comparison.word}" for comparison in self.comparisons]
        rows: list[tuple[Any, ...]] = self.database.execute(
            f"""
            SELECT least(member_l, member_r), greatest(member_l, member_r), match_probability,
                   {", ".join(gammas)}
              FROM {scores.physical_name} WHERE member_l <> member_r
           QUALIFY row_number() OVER (
                       PARTITION BY least(member_l, member_r), greatest(member_l, member_r)
                       ORDER BY match_weight DESC, unique_id_l, unique_id_r) = 1
             ORDER BY match_weight DESC, 1, 2
            """
        ).fetchall()
        return [self._scored(row) for row in rows]

    def _scored(self, row: tuple[Any, ...]) -> Scored:
        one, other, score, *gammas = row
        words = {
            comparison.word: word
            for comparison, gamma in zip(self.comparisons, gammas, strict=True)
            if (word := comparison.word_of(gamma)) is not None
        }
        return Scored(one, other, score, words)

    @staticmethod
    def _merged(pairs: Sequence[Scored]) -> list[Scored]:
        best: dict[tuple[int, int], Scored] = {}
        for pair in sorted(pairs, key=lambda pair: (-pair.score, pair.one, pair.other)):
            best.setdefault((pair.one, pair.other), pair)
        return list(best.values())
