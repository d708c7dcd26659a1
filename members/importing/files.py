"""Files: uploads on disk, from the first byte to the last day (D8).

A file lies under the random key of its run, readable by us alone; the name that it came with is kept
for display only. It is never served back, and erased some days after its run is over.
"""

import os
import unicodedata
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from uuid import UUID

from django.conf import settings

from members.importing.errors import FileTooLarge

_MEGABYTE = 1 << 20
_LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class Stored:
    """What is known of a file by carrying it: size in bytes, SHA-256, and how many line ends it has."""

    size: int
    digest: bytes
    lines: int


def path_of(key: UUID) -> Path:
    """Where the file of a run lies."""
    return Path(settings.UPLOADS) / str(key)


def store(key: UUID, blocks: Iterable[bytes]) -> Stored:
    """Write an upload to disk as it comes, in constant memory.

    Raises FileTooLarge beyond `settings.UPLOAD_LIMIT` bytes; then nothing stays behind.
    """
    path = path_of(key)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    size, lines, digest = 0, 0, sha256()
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            for block in blocks:
                size += len(block)
                if size > settings.UPLOAD_LIMIT:
                    raise FileTooLarge(limit=settings.UPLOAD_LIMIT // _MEGABYTE)
                lines += block.count(b"\n")
                digest.update(block)
                file.write(block)
            file.flush()
            os.fsync(file.fileno())  # the row that names this file must never outlive it
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return Stored(size=size, digest=digest.digest(), lines=lines)


def blocks_of(path: Path) -> Iterator[bytes]:
    """A file in blocks of a megabyte."""
    with path.open("rb") as file:
        while block := file.read(_MEGABYTE):
            yield block


def erase(key: UUID) -> None:
    """Remove the file of a run; one that is gone already is no matter."""
    with suppress(FileNotFoundError):
        path_of(key).unlink()


def shown_name(name: str) -> str:
    """The name of an upload as it may be shown: no folders, no control or direction-changing characters."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    plain = "".join(sign for sign in last if unicodedata.category(sign)[0] != "C")
    return plain.strip()[:_LONGEST_NAME] or "file"
