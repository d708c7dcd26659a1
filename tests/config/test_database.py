"""Which database commands use, as whom, and who stops it."""

import signal

import environ
import pytest
from django.conf import settings
from django.db import connection, transaction

from config import cluster, database

CONNECT = "from django.db import connection; connection.ensure_connection(); print('in', flush=True)"
STAY = CONNECT + "; import time; time.sleep(60)"


@pytest.mark.slow
def test_the_last_command_to_end_stops_the_server(var, run):
    server = cluster.locate(var)
    first = run(var, "shell", "-v0", "-c", STAY)
    assert first.stdout.readline() == "in\n"
    second = run(var, "shell", "-v0", "-c", CONNECT)
    assert (second.communicate()[0], second.returncode) == ("in\n", 0)
    assert cluster.is_running(server)
    first.send_signal(signal.SIGTERM)
    first.communicate()
    assert first.returncode == 128 + signal.SIGTERM
    assert not cluster.is_running(server)


@pytest.mark.slow
def test_a_killed_command_is_off_the_count(var, run):
    server = cluster.locate(var)
    killed = run(var, "shell", "-v0", "-c", STAY)
    assert killed.stdout.readline() == "in\n"
    killed.kill()
    killed.communicate()
    assert cluster.is_running(server)  # nobody was left to stop it
    after = run(var, "shell", "-v0", "-c", CONNECT)
    assert after.communicate()[0] == "in\n"
    assert not cluster.is_running(server)


@pytest.mark.slow
def test_a_guest_keeps_the_server_up(var, run, connect):
    server = cluster.locate(var)
    cluster.start(server)
    with connect(server):
        command = run(var, "shell", "-v0", "-c", CONNECT)
        assert command.communicate()[0] == "in\n"
        assert cluster.is_running(server)


@pytest.mark.slow
def test_the_address_is_one_that_others_understand(var, run):
    owner, web = (run(var, "database_url", *arguments) for arguments in (["--owner"], []))
    assert owner.communicate()[0].startswith("postgresql://shuke_owner@/shuke?host=%2F")
    told = web.communicate()[0].strip()
    assert told.startswith("postgresql://shuke_web@/shuke?host=%2F")
    cluster.start(cluster.locate(var))
    # what was told works as DATABASE_URL too
    command = run(var, "shell", "-v0", "-c", CONNECT, DATABASE_URL=told)
    assert command.communicate()[0] == "in\n"


def test_an_address_keeps_its_password_and_port():
    url = "postgresql://web:p%40ss%2F@db.example.com:6432/shuke?sslmode=require"
    assert database.address(environ.Env.db_url_config(url)) == url


def test_a_database_of_ones_own_starts_nothing(tmp_path, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgresql://web@db.example.com/shuke")
    monkeypatch.setenv("DATABASE_OWNER_URL", "postgresql://owner@db.example.com/shuke")
    env = environ.Env()
    web, owner = (database.configure(env, tmp_path, role=role) for role in ("web", "owner"))
    assert (web["ENGINE"], web["USER"]) == ("django.db.backends.postgresql", "web")
    assert owner["USER"] == "owner"
    assert list(tmp_path.iterdir()) == []


def test_without_an_owner_one_role_is_both(tmp_path, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgresql://web@db.example.com/shuke")
    monkeypatch.delenv("DATABASE_OWNER_URL", raising=False)
    assert database.configure(environ.Env(), tmp_path, role="owner")["USER"] == "web"


@pytest.mark.django_db
def test_the_serving_role_may_use_tables_but_not_change_or_empty_them():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT has_table_privilege(%(role)s, 'auth_user', 'SELECT, INSERT, UPDATE, DELETE'),"
            " has_table_privilege(%(role)s, 'auth_user', 'TRUNCATE'),"
            " (SELECT tableowner FROM pg_tables WHERE tablename = 'auth_user')",
            {"role": settings.SERVING_ROLE},
        )
        usable, emptied, owner = cursor.fetchone()
    assert (usable, emptied, owner) == (True, False, settings.DATABASE_OWNER["USER"])


@pytest.mark.django_db(transaction=True)
def test_as_owner_changes_the_role_and_changes_it_back(monkeypatch):
    with monkeypatch.context() as patch:
        patch.setitem(connection.settings_dict, "USER", settings.SERVING_ROLE)
        connection.close()
        seen = [_role()]
        with database.as_owner():
            seen.append(_role())
        seen.append(_role())
        connection.close()
    assert seen == [settings.SERVING_ROLE, settings.DATABASE_OWNER["USER"], settings.SERVING_ROLE]


@pytest.mark.django_db
def test_as_owner_does_not_drop_a_transaction():
    with transaction.atomic(), pytest.raises(RuntimeError), database.as_owner():
        pytest.fail("a transaction was left behind")


@pytest.mark.django_db(transaction=True)
def test_a_session_that_the_server_ended_is_not_used_again():
    other = connection.copy()
    try:
        other.ensure_connection()
        assert other.is_usable()
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [other.connection.info.backend_pid])
            assert cursor.fetchone() == (True,)
        assert not other.is_usable()
    finally:
        other.close()
    assert not other.is_usable()


def test_the_server_of_the_tests_is_the_only_one_that_may_lose_rows():
    assert settings.VAR == settings.BASE_DIR / "var" / "test"
    assert settings.DATABASE_DURABLE is False


def _role() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        return cursor.fetchone()[0]
