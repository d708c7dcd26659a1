"""The limits: what this PostgreSQL does on this machine when nothing but the least possible is asked of it.

L   one posting (an entry and a conditional balance) in one statement, by 16 clients of pgbench, fsync on.
C   a file copied into a staging table and merged into its place by one statement.

Both live in a database of their own, on the server that Shuke is measured on.
"""

import csv
import os
import re
import subprocess
import tempfile
from pathlib import Path

import psycopg
from psycopg import sql

from benchmarks.stopwatch import stopwatch
from config import cluster
from config.cluster import Cluster

DATABASE = "limits"
CLIENTS = 16
PRELOAD = 1_000_000_000  # points in each wallet: none runs dry
BLOCK_BYTES = 1 << 20

_POSTING = """\\set wallet random(1, {wallets})
WITH moved AS (
    UPDATE wallet SET balance = balance - 1 WHERE id = :wallet AND balance >= 1 RETURNING id, balance
)
INSERT INTO entry (wallet_id, points, balance_after) SELECT id, -1, balance FROM moved;
"""
_TABLES = """
    CREATE TABLE wallet (id bigint PRIMARY KEY, balance bigint NOT NULL CHECK (balance >= 0));
    CREATE TABLE entry (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        wallet_id bigint NOT NULL,
        points bigint NOT NULL,
        balance_after bigint NOT NULL,
        recorded_at timestamptz NOT NULL DEFAULT now()
    );
"""
_LOAD = "INSERT INTO wallet SELECT n, %s FROM generate_series(1, %s) AS n"
_RATE = re.compile(r"^tps = ([\d.]+)", re.MULTILINE)


class Postings:
    """Limit L. The wallets are loaded once; each call of `rate` measures anew."""

    def __init__(self, server: Cluster, *, wallets: int) -> None:
        self.server = server
        self.script = _POSTING.format(wallets=wallets)
        make_database(server, DATABASE)
        with connect(server, DATABASE, cluster.OWNER) as connection:
            connection.execute(_TABLES)
            connection.execute(_LOAD, [PRELOAD, wallets])
            connection.execute("VACUUM ANALYZE wallet")

    def rate(self, seconds: int) -> float:
        """Postings a second, over so many seconds. Raises CalledProcessError when pgbench fails."""
        with tempfile.NamedTemporaryFile("w", suffix=".sql") as script:
            script.write(self.script)
            script.flush()
            done = subprocess.run(
                [
                    *(self.server.tool("pgbench"), "--no-vacuum", "--protocol=prepared"),
                    *(f"--client={CLIENTS}", "--jobs=2", f"--time={seconds}", f"--file={script.name}"),
                    *(f"--host={self.server.run}", f"--port={cluster.PORT}"),
                    *(f"--username={cluster.OWNER}", DATABASE),
                ],
                env={**os.environ, "LD_LIBRARY_PATH": str(self.server.binaries / "lib")},
                capture_output=True,
                text=True,
                check=True,
            )
        found = _RATE.search(done.stdout)
        assert found is not None, f"pgbench said: {done.stdout}"
        return float(found[1])


def copy_rate(server: Cluster, file: Path, *, key: str, encoding: str) -> float:
    """Limit C for a CSV file: rows a second to copy it and to merge it by its `key` column.

    Every column is text; nothing is cleaned, matched, encrypted or indexed but the key.
    """
    names = _columns_of(file, encoding)
    listed = sql.SQL(", ").join(map(sql.Identifier, names))
    typed = sql.SQL(", ").join(sql.SQL("{} text").format(sql.Identifier(name)) for name in names)
    make = "CREATE UNLOGGED TABLE staging ({}); CREATE TABLE merged ({}, PRIMARY KEY ({}))"
    copy = "COPY staging ({}) FROM STDIN (FORMAT csv, HEADER, ENCODING {})"
    merge = "INSERT INTO merged SELECT * FROM staging ON CONFLICT ({}) DO NOTHING"
    make_database(server, DATABASE)
    with connect(server, DATABASE, cluster.OWNER) as connection:
        connection.execute(sql.SQL(make).format(typed, typed, sql.Identifier(key)))
        with stopwatch() as seconds:
            _copy(connection, sql.SQL(copy).format(listed, sql.Literal(encoding)), file)
            rows = connection.execute(sql.SQL(merge).format(sql.Identifier(key))).rowcount
        connection.execute("DROP TABLE staging, merged")
    return rows / seconds()


def _columns_of(file: Path, encoding: str) -> list[str]:
    with file.open(encoding=encoding, newline="") as lines:
        header = next(csv.reader(lines))
    return [name.strip() or f"column {n}" for n, name in enumerate(header, 1)]


def _copy(connection: psycopg.Connection, statement: sql.Composed, file: Path) -> None:
    with connection.cursor().copy(statement) as copy, file.open("rb") as blocks:
        while block := blocks.read(BLOCK_BYTES):
            copy.write(block)


def connect(server: Cluster, database: str, role: str) -> psycopg.Connection:
    """Speak to a database of the server past Django; each statement is its own transaction."""
    return psycopg.connect(
        host=str(server.run), port=cluster.PORT, dbname=database, user=role, autocommit=True
    )


def make_database(server: Cluster, name: str) -> None:
    """Make a database beside Shuke's, when it is not there; the role of Shuke's owner owns it."""
    with connect(server, "postgres", cluster.OWNER) as connection:
        if not connection.execute("SELECT FROM pg_database WHERE datname = %s", [name]).rowcount:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
