"""The embedded PostgreSQL, by starting it, killing it and starting it again."""

import os
import shutil
import signal
import stat
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from config import cluster

pytestmark = pytest.mark.slow

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root hands the server to another user")


def postmaster_of(server: cluster.Cluster) -> int:
    return int((server.data / "postmaster.pid").read_text().splitlines()[0])


def test_a_server_starts_once_and_stops(server, connect):
    assert cluster.start(server)
    assert not cluster.start(server)
    with connect(server) as connection:
        assert connection.execute("SHOW server_encoding").fetchone() == ("UTF8",)
        assert connection.execute("SELECT lower('ÀÖ'), '熟客' ~ '^\\w+$'").fetchone() == ("àö", True)
    cluster.stop(server)
    assert not cluster.is_running(server)
    assert cluster.processes(server) == []


def test_many_starters_make_one_server(server):
    with ThreadPoolExecutor(8) as starters:
        started = list(starters.map(lambda _: cluster.start(server), range(8)))
    assert sorted(started) == [False] * 7 + [True]


def test_a_killed_server_keeps_what_was_committed(server, connect):
    cluster.start(server)
    with connect(server) as connection:
        connection.execute("CREATE TABLE note (text text)")
        connection.execute("INSERT INTO note VALUES ('committed')")
    open_transaction = connect(server)
    open_transaction.autocommit = False
    open_transaction.execute("INSERT INTO note VALUES ('not yet')")
    os.kill(postmaster_of(server), signal.SIGKILL)
    assert cluster.start(server)
    open_transaction.close()
    with connect(server) as connection:
        assert connection.execute("SELECT text FROM note").fetchall() == [("committed",)]


def test_what_a_killed_server_left_at_work_does_not_hold_up_the_next(server, connect, monkeypatch):
    monkeypatch.setattr(cluster, "ORPHAN_SECONDS", 1)
    cluster.start(server)
    busy = connect(server)

    def count_for_hours() -> None:
        with pytest.raises(psycopg.OperationalError):
            busy.execute("SELECT count(*) FROM generate_series(1, 100000000000)")

    work = threading.Thread(target=count_for_hours)
    work.start()
    while "active" not in _states(server):
        time.sleep(0.05)
    os.kill(postmaster_of(server), signal.SIGKILL)
    assert cluster.start(server)
    work.join()
    busy.close()


def _states(server: cluster.Cluster) -> list[str]:
    query = "SELECT state FROM pg_stat_activity WHERE query LIKE 'SELECT count%'"
    with psycopg.connect(
        host=str(server.run), port=cluster.PORT, user=cluster.ADMIN, dbname="postgres"
    ) as connection:
        return [state for (state,) in connection.execute(query)]


def test_a_lock_file_that_names_a_stranger_is_cleared(server):
    cluster.start(server)
    text = (server.data / "postmaster.pid").read_text()
    cluster.stop(server)
    # After a restart of the machine the number may be anybody's: here it is ours, alive and well.
    stale = text.replace(text.splitlines()[0], str(os.getpid()), 1)
    for lock in (server.data / "postmaster.pid", server.run / f".s.PGSQL.{cluster.PORT}.lock"):
        lock.write_text(stale)
        os.chown(lock, server.account.uid, server.account.gid)
    assert not cluster.is_running(server)
    assert cluster.start(server)


def test_half_a_database_is_made_again(server):
    (server.home / "data.new").mkdir()
    (server.home / "data.new" / "PG_VERSION").write_text("18")
    assert cluster.start(server)


def test_the_serving_role_owns_nothing(server, connect):
    cluster.start(server)
    with (
        connect(server, cluster.WEB) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute("CREATE TABLE mine (id int)")


def test_the_log_tells_no_values(server, connect):
    cluster.start(server)
    with connect(server) as connection:
        connection.execute("CREATE TABLE person (phone text UNIQUE)")
        connection.execute("INSERT INTO person VALUES ('13900001234')")
        with pytest.raises(psycopg.errors.UniqueViolation):
            connection.execute("INSERT INTO person VALUES (%s)", ["13900001234"])
        with pytest.raises(psycopg.errors.InvalidTextRepresentation):
            connection.execute("SELECT 'mei@example.com'::int")
    log = server.log.read_text()
    assert "ready to accept connections" in log
    assert "13900001234" not in log
    assert "mei@example.com" not in log


def test_a_long_path_gets_a_short_socket(var):
    deep = var / ("d" * 60) / ("e" * 60)
    server = cluster.locate(deep)
    try:
        assert cluster.start(server)
        assert server.run.parent == Path("/tmp")
        assert stat.S_IMODE(server.run.stat().st_mode) == 0o700
    finally:
        cluster.stop(server)
        shutil.rmtree(server.run, ignore_errors=True)


def test_a_socket_folder_that_others_prepared_is_refused(server):
    server.run.mkdir(mode=0o755)
    with pytest.raises(cluster.ClusterError, match="not a private folder"):
        cluster.start(server)


@needs_root
def test_as_root_the_server_runs_as_somebody_without_rights(server):
    cluster.start(server)
    assert Path(f"/proc/{postmaster_of(server)}").stat().st_uid == server.account.uid != 0


@needs_root
def test_a_closed_home_stays_closed(tmp_path, monkeypatch):
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    wheel = cluster._wheel_binaries()
    programs = home / cluster.PACKAGE / cluster.PROGRAMS
    shutil.copytree(wheel, programs, symlinks=True)
    shutil.copytree(wheel.parent.with_name(cluster.LIBRARIES), home / cluster.LIBRARIES)
    monkeypatch.setattr(cluster, "_wheel_binaries", lambda: programs)
    server = cluster.locate(home / "var")
    try:
        assert cluster.start(server)
        assert server.home.parent == Path("/var/lib")
        assert server.home in server.binaries.parents
        assert stat.S_IMODE(home.stat().st_mode) == 0o700
        # the same place again, without a second copy
        assert cluster.locate(home / "var") == server
    finally:
        cluster.stop(server)
        shutil.rmtree(server.home)
