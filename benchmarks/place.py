"""The folder of an installation that is only for measuring: what Django is told before it is set up."""

import os
import shutil
from pathlib import Path

from config import cluster, folders

MARK = ".only-for-benchmarks"
# What somebody may have set for an installation of theirs.
FOREIGN = ("DATABASE_URL", "DATABASE_OWNER_URL", "SHUKE_AS_OWNER", "DATA_KEYS", "INDEX_KEY", "PGOPTIONS")


class NotOurs(Exception):
    """The folder holds something that no measurement has put there."""


def enter(folder: Path) -> None:
    """Make the folder anew, and this process and those it starts part of the installation in it."""
    folder = folder.resolve()
    remove(folder)
    folders.make(folder, folders.PASSABLE)
    (folder / MARK).touch()
    for name in FOREIGN:
        os.environ.pop(name, None)
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "SHUKE_ENV": os.devnull,  # somebody's .env is not for measurements
        "SHUKE_VAR": str(folder),
        "ENVIRONMENT": "demo",
        "LANGUAGE_CODE": "en",
    }


def remove(folder: Path) -> None:
    """Remove an installation, also one that is left of a run that was killed. Raises NotOurs."""
    if not folder.exists() or not any(folder.iterdir()):
        return
    if not (folder / MARK).exists():
        raise NotOurs(f"{folder} is not empty and was not made for measuring.")
    server = cluster.locate(folder)
    cluster.stop(server)
    shutil.rmtree(folder)
    if server.home.exists():  # where the server's user cannot reach the folder, its data lie elsewhere
        shutil.rmtree(server.home)
