"""Folders that Shuke makes on the machine, with the rights they need whatever the umask is."""

from pathlib import Path

PASSABLE = 0o711  # the database's user passes through, nobody lists
PRIVATE = 0o700


def make(path: Path, mode: int) -> Path:
    """Make the folder and the missing ones above it; one that exists is left as it is."""
    for step in (*reversed(path.parents), path):
        if not step.exists():
            step.mkdir(exist_ok=True)
            step.chmod(mode)
    return path
