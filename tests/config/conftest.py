"""Servers of PostgreSQL of a test's own, and commands that run beside it."""

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from django.conf import settings

from config import cluster, folders


@contextlib.contextmanager
def own_var() -> Iterator[Path]:
    """A var folder of its own; the server that is left in it is stopped."""
    parent = folders.make(settings.BASE_DIR / "var" / "test" / "own", folders.PASSABLE)
    path = Path(tempfile.mkdtemp(dir=parent))
    path.chmod(folders.PASSABLE)
    yield path
    server = cluster.locate(path)
    cluster.stop(server)
    for folder in {path, server.home}:  # the second is elsewhere when the checkout lies in a closed home
        shutil.rmtree(folder, ignore_errors=folder != path)


@pytest.fixture
def var() -> Iterator[Path]:
    """A var folder for one test."""
    with own_var() as path:
        yield path


@pytest.fixture(scope="module")
def shared_var() -> Iterator[Path]:
    """A var folder for the tests of one module, whose tables need to be made only once."""
    with own_var() as path:
        yield path


@pytest.fixture
def server(var: Path) -> cluster.Cluster:
    """An embedded server that is not started yet."""
    return cluster.locate(var)


@pytest.fixture
def run() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts `manage.py …` on a var folder, as a user of the machine would; none outlives the test."""
    started: list[subprocess.Popen[str]] = []

    def start(var: Path, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        inherited = {
            name: value for name, value in os.environ.items() if name not in {"SHUKE_AS_OWNER", "PGOPTIONS"}
        }
        process = subprocess.Popen(
            [sys.executable, str(settings.BASE_DIR / "manage.py"), *arguments],
            env=inherited | {"SHUKE_VAR": str(var), "DATABASE_URL": "", "WEB_CONCURRENCY": "2"} | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


@pytest.fixture
def connect() -> Callable[..., psycopg.Connection]:
    """Connects to the database of a server as one of its roles."""

    def open_connection(server: cluster.Cluster, role: str = cluster.OWNER) -> psycopg.Connection:
        return psycopg.connect(
            host=str(server.run), port=cluster.PORT, user=role, dbname=cluster.DATABASE, autocommit=True
        )

    return open_connection
