"""What `make run` starts, stopped in every way that people and machines stop things."""

import contextlib
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from config import cluster
from config.serving import parent_heeds_nothing

pytestmark = pytest.mark.slow


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until(condition: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.1)


def is_ready(port: int) -> bool:
    """Whether the server says so; one that answers with a fault will not get better by waiting."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as answer:
            return answer.status == 200
    except urllib.error.HTTPError as error:
        assert error.code != 500, "the server is broken"
        error.close()
        return False
    except OSError:
        return False


def greeting(port: int) -> str:
    """What somebody reads who opens the server's address: the page they sign in at."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=30) as answer:
        return str(answer.read().decode())


def started_for(var: Path) -> list[int]:
    """Every process that runs with this var folder in its environment, or lives in its database."""
    found = cluster.processes(cluster.locate(var))
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if f"SHUKE_VAR={var}\0".encode() in (entry / "environ").read_bytes():
                found.append(int(entry.name))
        except OSError:
            continue
    return found


def children_of(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@pytest.fixture
def var(shared_var) -> Path:
    return shared_var


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def serving(var, run, port) -> subprocess.Popen[str]:
    """A server of a var folder of its own that answers, without the demo's data."""
    process = run(var, "serve", "--port", str(port), DEMO="0")
    assert any("Shuke is ready at http://127.0.0.1:" in line for line in process.stdout)
    assert is_ready(port)
    return process


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_the_supervisor_stops_everything(serving, var, number):
    assert len(started_for(var)) > 6
    serving.send_signal(number)
    said = serving.communicate(timeout=60)[0]
    assert serving.returncode == 0
    assert said == ""
    assert started_for(var) == []


def test_a_killed_supervisor_leaves_nothing_behind(serving, var, port):
    serving.kill()
    serving.wait()
    wait_until(lambda: started_for(var) == [])
    assert not is_ready(port)


def test_after_everything_was_killed_it_starts_again(serving, var, run, port):
    for pid in started_for(var):
        with contextlib.suppress(ProcessLookupError):  # the end of one may have been the end of another
            os.kill(pid, signal.SIGKILL)
    serving.wait()
    wait_until(lambda: started_for(var) == [])
    run(var, "serve", "--port", str(port), DEMO="0")
    wait_until(lambda: is_ready(port))
    assert 'id="login-form"' in greeting(port)


def test_what_dies_is_started_again(serving, var, port):
    database = int((cluster.locate(var).data / "postmaster.pid").read_text().split()[0])
    others = [pid for pid in children_of(serving.pid) if pid != database]
    for pid in others:
        os.kill(pid, signal.SIGKILL)
    wait_until(lambda: is_ready(port) and len(children_of(serving.pid)) == 3)
    os.kill(database, signal.SIGKILL)
    # First they are gone and collected, so that what answers afterwards has been started again.
    wait_until(lambda: set(children_of(serving.pid)).isdisjoint({database, *others}))
    wait_until(lambda: is_ready(port) and cluster.is_running(cluster.locate(var)))
    assert 'id="login-form"' in greeting(port)
    serving.terminate()
    assert serving.wait(timeout=60) == 0 and started_for(var) == [], "and it still stops when it is told to"


def test_a_busy_port_is_told_in_one_line(var, run):
    # The tests share a folder: the database of the one before may still be on its way out.
    wait_until(lambda: not cluster.is_running(cluster.locate(var)))
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        process = run(var, "serve", "--port", str(port), DEMO="0")
        said = process.communicate(timeout=30)[0]
    assert process.returncode == 1
    assert len(said.splitlines()) == 1
    assert f"127.0.0.1:{port}" in said
    assert not cluster.is_running(cluster.locate(var))


def test_a_make_that_a_script_started_in_the_background_goes_on_serving(tmp_path):
    # Such a make ignores SIGINT from the start; it has not given up, and the server stays.
    makefile = tmp_path / "Makefile"
    makefile.write_text("all:\n\t@sleep 5\n")
    command = ["sh", "-c", "make --no-print-directory -f Makefile & echo $!; wait"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as shell:
        assert shell.stdout is not None
        make = int(shell.stdout.readline())
        try:
            wait_until(lambda: Path(f"/proc/{make}/comm").read_text().strip() == "make")
            assert not parent_heeds_nothing(make)
        finally:
            os.kill(make, signal.SIGKILL)


def test_a_parent_that_ends_takes_the_server_along(var, run, port):
    script = (
        "import subprocess, sys, time;"
        "command = [sys.executable, 'manage.py', 'serve', '--until-parent-ends'];"
        f"subprocess.Popen([*command, '--port', '{port}']);"
        "time.sleep(600)"
    )
    parent = run(var, "shell", "--no-startup", "-v0", "-c", script, DEMO="0")
    wait_until(lambda: is_ready(port))
    parent.kill()
    parent.wait()
    wait_until(lambda: started_for(var) == [])
    assert not is_ready(port)
