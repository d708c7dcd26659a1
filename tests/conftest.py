"""What every test runs in: a database of its own, no network beyond this machine, quick passwords."""

import fcntl
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import django
import pytest
from django.conf import settings
from django.core.management.commands import flush
from django.db import connection
from django.utils import translation

from config import folders
from tests import blank, chromium

VAR = Path(__file__).resolve().parent.parent / "var" / "test"
LONG = ("slow", "browser")
# What stands in every deployment before anybody does anything; no test has to make it, and none empties it.
STANDING = {"auth_group", "auth_group_permissions", "auth_permission", "django_content_type"}
LOOPBACK = ("127.", "::1", "localhost")


def _take_slot() -> None:
    """Find a number for this run's databases that no other run on this machine uses now.

    Two runs at once, in two terminals, never share a database; the kernel frees the slot when we end.
    """
    for number in range(100):
        descriptor = os.open(VAR / f"slot-{number}", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            continue
        os.environ["SHUKE_TEST_SLOT"] = str(number)
        return
    raise RuntimeError("A hundred test runs are going on at once.")


# Read by config.settings, which is loaded after this file; workers of xdist inherit them.
os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
os.environ["SHUKE_ENV"] = os.devnull  # somebody's .env is not for tests
os.environ["ENVIRONMENT"] = "demo"
os.environ["SHUKE_VAR"] = "var/test"
os.environ["SHUKE_AS_OWNER"] = "1"
os.environ["LANGUAGE_CODE"] = "en"  # the texts of the source; who tests Chinese pages asks for them
# Tables that refuse TRUNCATE allow it here, or a TransactionTestCase could not clean up.
os.environ["PGOPTIONS"] = "-c shuke.allow_truncate=on"
folders.make(VAR / "static", folders.PASSABLE)
if "SHUKE_TEST_SLOT" not in os.environ:
    _take_slot()
django.setup()  # conftest files further down import models, and are read before pytest-django sets up
BLANK = blank.name()


def pytest_configure(config: pytest.Config) -> None:
    """Replace what is slow or belongs to a deployment."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.DATABASES["default"].setdefault("TEST", {})["NAME"] = (
        f"test_shuke_{os.environ['SHUKE_TEST_SLOT']}"
    )


def _refuse_the_network(real: Any) -> Any:
    def connect(self: socket.socket, address: Any) -> Any:
        host = address[0] if isinstance(address, tuple) else ""
        if self.family != socket.AF_UNIX and not str(host).startswith(LOOPBACK):
            raise AssertionError(f"A test tried to reach {host}: tests speak to this machine only.")
        return real(self, address)

    return connect


@pytest.fixture(autouse=True, scope="session")
def no_network():
    """Refuse connections that leave this machine."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", _refuse_the_network(socket.socket.connect))
        patch.setattr(socket.socket, "connect_ex", _refuse_the_network(socket.socket.connect_ex))
        yield


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that take long go first, so that no process is left alone with one at the end.

    Without a browser on the machine its tests are skipped, by name; `make test` says so too.
    """
    long = {item.path for item in items for mark in LONG if item.get_closest_marker(mark)}
    items.sort(key=lambda item: item.path not in long)
    if chromium.find() is None:
        for item in items:
            if item.get_closest_marker("browser"):
                item.add_marker(pytest.mark.skip(reason="no Chromium on this machine"))


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, Any]:
    """Start the machine's own Chromium; as root it refuses its sandbox."""
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    return {"executable_path": chromium.find(), "args": arguments}


@pytest.fixture(autouse=True)
def the_language_of_the_source():
    """Every test begins in it: a request that was answered in Chinese leaves its thread speaking Chinese."""
    translation.activate("en")
    yield
    translation.activate("en")


@pytest.fixture(autouse=True)
def anchors_of_its_own(settings, tmp_path):
    """Anchors outlive a database by design; a test's must not outlive the test."""
    settings.ANCHORS_DIR = tmp_path / "anchors"


@pytest.fixture(autouse=True)
def jobs_of_its_own(request: pytest.FixtureRequest, django_db_blocker: Any) -> Iterator[None]:
    """The queue is no table of Django's: what a test commits to it would wait for the next test's worker."""
    yield
    marker = request.node.get_closest_marker("django_db")
    commits = {"transactional_db", "live_server"} & set(request.fixturenames)
    if commits or (marker and marker.kwargs.get("transaction")):
        with django_db_blocker.unblock(), connection.cursor() as cursor:
            for table in ("procrastinate_periodic_defers", "procrastinate_events", "procrastinate_jobs"):
                cursor.execute(f"DELETE FROM {table}")


@pytest.fixture(scope="session")
def django_db_setup(django_test_environment, django_db_modify_db_settings, django_db_blocker):
    """This process's own database, a copy of the blank one, with the roles that staff may have."""
    from privacy import roles  # whose models can be read now

    copy = settings.DATABASES["default"]["TEST"]["NAME"]
    with django_db_blocker.unblock(), blank.copied(BLANK, copy), pytest.MonkeyPatch.context() as patch:
        roles.apply_roles()
        patch.setattr(flush, "sql_flush", _empty_what_does_not_stand)
        patch.setattr(flush, "emit_post_migrate_signal", lambda *_, **__: None)
        with django_db_blocker.block():
            yield


def _empty_what_does_not_stand(style: Any, connection: Any, **options: Any) -> list[str]:
    """The statements with which Django empties the database after a test that has committed."""
    tables = connection.introspection.django_table_names(only_existing=True, include_views=False)
    return list(connection.ops.sql_flush(style, sorted(set(tables) - STANDING), **options))
