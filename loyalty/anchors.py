"""Anchors: the heads of the wallets' chains, written outside the database day by day (law 11).

Whoever can rewrite the whole database can make every hash anew, and all sums and chains fit again. What
they cannot do is make the new chains pass through heads that were written elsewhere before. An anchor is a
file in `ANCHORS_DIR`: a line for each wallet that moved since the anchor before, which it names by its
digest. Who keeps the last digest elsewhere, on paper or in a mailbox, keeps all files before it with it.

    {"previous": {"name": "...", "sha256": "..."}, "taken_at": "2026-11-22T03:35:00+00:00"}
    17 3 5f0c...            wallet, version, hash of that entry
    {"sha256": "...", "wallets": 1}
"""

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple, Self

from django.conf import settings
from django.db import connection, transaction

from loyalty.models import AuditRun

SUFFIX = ".anchor"
CHUNK = 5000
# A transaction that was going on when the last anchor was taken may have recorded its entries before.
OVERLAP = timedelta(days=1)

_MOVED = """
SELECT w.id, w.version, w.head FROM loyalty_wallet w
  JOIN loyalty_entry e ON e.wallet_id = w.id AND e.version = w.version
 WHERE w.id > %(after)s AND e.recorded_at > %(since)s ORDER BY w.id LIMIT %(chunk)s
"""
_MISFITS = """
SELECT a.wallet, a.version, encode(a.head, 'hex') AS anchored, encode(e.hash, 'hex') AS stored
  FROM unnest(%s::bigint[], %s::int[], %s::bytea[]) AS a(wallet, version, head)
  LEFT JOIN loyalty_entry e ON e.wallet_id = a.wallet AND e.version = a.version
 WHERE e.hash IS DISTINCT FROM a.head ORDER BY a.wallet
"""


class Head(NamedTuple):
    """Where the chain of a wallet stood: the hash of its entry of this version."""

    wallet_id: int
    version: int
    hash: bytes


class UnreadableAnchor(ValueError):
    """A file among the anchors is not one, or is not as it was written."""


@dataclass(frozen=True, slots=True)
class Anchor:
    """One anchor: its file, when it was taken, of how many wallets, and its digest."""

    name: str
    taken_at: datetime
    wallets: int
    sha256: str

    def row(self) -> dict[str, Any]:
        """The anchor as a run of the audit keeps it."""
        return {
            "name": self.name,
            "taken_at": self.taken_at.isoformat(),
            "wallets": self.wallets,
            "sha256": self.sha256,
        }


def directory() -> Path:
    return Path(settings.ANCHORS_DIR)


def names() -> list[str]:
    """The files of all anchors, the oldest first."""
    return sorted(path.name for path in directory().glob(f"*{SUFFIX}"))


def latest() -> Anchor | None:
    """The last anchor. Raises UnreadableAnchor when its file is damaged."""
    return _Reader.of(names()[-1]).anchor() if names() else None


# --- taking --------------------------------------------------------------------------------------------


def take() -> Anchor:
    """Write the heads of all wallets that moved since the last anchor to a new file, on disk when it answers.

    Raises UnreadableAnchor when the last anchor is damaged: nothing may be hung on that.
    """
    before = latest()
    with transaction.atomic(), connection.cursor() as cursor:
        if not connection.savepoint_ids:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        cursor.execute("SELECT clock_timestamp()")
        (taken_at,) = cursor.fetchone()
        since = before.taken_at - OVERLAP if before else datetime(1970, 1, 1, tzinfo=UTC)
        name = f"{taken_at.astimezone(UTC):%Y%m%dT%H%M%S.%fZ}{SUFFIX}"
        return _write(name, taken_at, before, _moved(since))


def _moved(since: datetime) -> Iterator[Head]:
    after = 0
    while True:
        with connection.cursor() as cursor:
            cursor.execute(_MOVED, {"after": after, "since": since, "chunk": CHUNK})
            heads = [Head(wallet, version, bytes(head)) for wallet, version, head in cursor.fetchall()]
        if not heads:
            return
        yield from heads
        after = heads[-1].wallet_id


def _write(name: str, taken_at: datetime, before: Anchor | None, heads: Iterator[Head]) -> Anchor:
    folder = directory()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    previous = {"name": before.name, "sha256": before.sha256} if before else None
    digest, wallets = hashlib.sha256(), 0
    unfinished = folder / f"{name}.part"
    with unfinished.open("xb") as file:
        first = _line({"taken_at": taken_at.isoformat(), "previous": previous})
        file.write(first)
        digest.update(first)
        for head in heads:
            line = f"{head.wallet_id} {head.version} {head.hash.hex()}\n".encode()
            file.write(line)
            digest.update(line)
            wallets += 1
        file.write(_line({"wallets": wallets, "sha256": digest.hexdigest()}))
        file.flush()
        os.fsync(file.fileno())
    unfinished.chmod(0o400)
    unfinished.rename(folder / name)
    _sync(folder)
    return Anchor(name, taken_at, wallets, digest.hexdigest())


def _line(said: dict[str, Any]) -> bytes:
    return json.dumps(said, sort_keys=True).encode() + b"\n"


def _sync(folder: Path) -> None:
    """A file is there after a power cut only when its folder was written too."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


# --- proving -------------------------------------------------------------------------------------------


def misfits() -> Iterator[dict[str, Any]]:
    """Each anchored head through which today's chains do not pass, and each anchor that is not as it was."""
    found = names()
    before: Anchor | None = None
    for name in found:
        try:
            reader = _Reader.of(name)
            yield from reader.misfits(before)
            before = reader.anchor()
        except (UnreadableAnchor, OSError):
            yield {"anchor": name, "what": "damaged"}
            return
    yield from _missing(found)


def _missing(found: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Anchors that a run of the audit wrote and that are gone."""
    written = AuditRun.objects.filter(anchor__has_key="name").exclude(anchor__name__in=found)
    for name in written.order_by("id").values_list("anchor__name", flat=True):
        yield {"anchor": name, "what": "missing"}


class _Reader:
    """Reads one anchor, line by line: an anchor of a million wallets is never in memory as a whole."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def of(cls, name: str) -> Self:
        return cls(directory() / name)

    def anchor(self) -> Anchor:
        """What the file says of itself, after its digest was made again. Raises UnreadableAnchor."""
        digest, held, wallets = hashlib.sha256(), b"", -1
        with self.path.open("rb") as file:
            for line in file:
                if held:
                    digest.update(held)
                    wallets += 1
                held = line
        said, first = _said(held), self._first()
        if (said.get("sha256"), said.get("wallets")) != (digest.hexdigest(), wallets):
            raise UnreadableAnchor(self.path.name)
        return Anchor(self.path.name, datetime.fromisoformat(first["taken_at"]), wallets, said["sha256"])

    def misfits(self, before: Anchor | None) -> Iterator[dict[str, Any]]:
        """The heads that today's chains do not have. Raises UnreadableAnchor."""
        self.anchor()
        previous = {"name": before.name, "sha256": before.sha256} if before else None
        if self._first()["previous"] != previous:
            yield {"anchor": self.path.name, "what": "does not follow the anchor before it"}
        heads = self._heads()
        while chunk := list(islice(heads, CHUNK)):
            with connection.cursor() as cursor:
                cursor.execute(_MISFITS, [list(column) for column in zip(*chunk, strict=True)])
                columns = [column.name for column in cursor.description or ()]
                for row in cursor.fetchall():
                    yield {"anchor": self.path.name, **dict(zip(columns, row, strict=True))}

    def _first(self) -> dict[str, Any]:
        with self.path.open("rb") as file:
            said = _said(file.readline())
        if {"taken_at", "previous"} - said.keys():
            raise UnreadableAnchor(self.path.name)
        return said

    def _heads(self) -> Iterator[Head]:
        with self.path.open("rb") as file:
            file.readline()
            for line in file:
                if line.startswith(b"{"):
                    return
                wallet, version, head = line.decode().split()
                yield Head(int(wallet), int(version), bytes.fromhex(head))


def _said(line: bytes) -> dict[str, Any]:
    try:
        said = json.loads(line)
    except ValueError as error:
        raise UnreadableAnchor from error
    if not isinstance(said, dict):
        raise UnreadableAnchor
    return said
