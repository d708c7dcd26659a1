"""Work in a process of its own: how long it takes, and how much memory at its most."""

import re
import subprocess
import time
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryFile
from typing import NamedTuple

from django.conf import settings

from benchmarks.stopwatch import stopwatch

WATCH_SECONDS = 0.05
_PEAK = re.compile(r"^VmHWM:\s+(\d+) kB", re.MULTILINE)


class CommandFailed(Exception):
    """A command failed; the message is what it complained of."""


class Ran(NamedTuple):
    """What a process took, the time in which Python starts included, and what it printed."""

    seconds: float
    peak_mib: float
    said: str


def run(*command: str, good: Collection[int] = (0,)) -> Ran:
    """Run a command to its end. Raises CommandFailed when its status is none of the good ones."""
    with TemporaryFile() as said, TemporaryFile() as complained, stopwatch() as seconds:
        process = subprocess.Popen(command, cwd=settings.BASE_DIR, stdout=said, stderr=complained)
        peak_mib = _watch(process)
        if process.returncode not in good:
            complained.seek(0)
            raise CommandFailed(complained.read().decode())
        said.seek(0)
        return Ran(seconds(), peak_mib, said.read().decode())


def _watch(process: subprocess.Popen[bytes]) -> float:
    """Wait for the end; MiB at the most. What wait4() tells would count our own memory, as of the fork."""
    peak = 0
    while process.poll() is None:
        with suppress(OSError):
            status = Path(f"/proc/{process.pid}/status").read_text()
            if found := _PEAK.search(status):
                peak = max(peak, int(found[1]))
        time.sleep(WATCH_SECONDS)
    return peak / 1024
