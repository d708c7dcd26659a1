"""The same request again: a POST with an Idempotency-Key acts once, and its answer is kept 30 days (D10).

Promises: the answer is kept in the transaction of the effect, so there is never one without the other;
two requests with one key at the same time never act twice. An advisory lock tells the second that the
first is still running; the unique key of the kept answers is what makes it safe.

Only what was done is kept. A refusal moved nothing, and the same request may succeed a moment later.
"""

import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from members import columns
from members.errors import IdempotencyKeyMissing, IdempotencyKeyReused, InProgress
from members.models import KeptAnswer

KEPT = timedelta(days=30)
_KEY = re.compile(r"[\x20-\x7e]{1,255}")

Found = tuple[int, str] | None  # a member's id and status


@dataclass(frozen=True, slots=True)
class Answer:
    """What a request is answered: an HTTP status and a JSON object without personal data."""

    status: int
    body: dict[str, Any]
    is_replay: bool = False


@dataclass(frozen=True, slots=True)
class Request:
    """A request that is to act once. `digest` tells whether another one is the same.

    `number`: of the member it is about, who is looked up where the request is claimed; empty for nobody.
    """

    holder: str
    key: str
    line: str
    digest: bytes
    number: str = ""


def request(holder: str, key: str | None, line: str, body: object, number: str = "") -> Request:
    """Describe a request: the holder of its API key, its Idempotency-Key, method and path, and its body.

    Bodies are the same when they say the same, however they are spaced. `number` is that of the member whom
    the work is to be told. Raises IdempotencyKeyMissing.
    """
    if key is None or not _KEY.fullmatch(key.strip()):
        raise IdempotencyKeyMissing
    said = json.dumps(body, sort_keys=True, separators=(",", ":"))
    digest = hashlib.sha256(f"{line}\n{said}".encode()).digest()
    return Request(holder, key.strip(), line[:500], digest, number)


def once(asked: Request, work: Callable[[], Answer]) -> Answer:
    """As `once_for`, for work that is about nobody in particular."""
    return once_for(asked, lambda member: work())


def once_for(asked: Request, work: Callable[[Found], Answer]) -> Answer:
    """Do the work in a transaction and keep its answer, or give the answer it had the first time.

    `work` is told the id and the status of the member whom the request names. What it raises is passed on,
    and nothing is kept. Raises IdempotencyKeyReused, InProgress.
    """
    try:
        with transaction.atomic():
            kept, member = claim(asked)
            if kept is not None:
                return kept
            answer = work(member)
            _keep(asked, answer)
            return answer
    except IntegrityError as error:
        if not _is_kept_already(error):
            raise
    # The first request ended between our look and our lock: ours is undone, and its answer is there now.
    with transaction.atomic():
        kept, _member = claim(asked)
    if kept is None:
        raise InProgress
    return kept


def claim(asked: Request) -> tuple[Answer | None, Found]:
    """The kept answer, or None when the caller is to act and to keep one; holds a lock until the commit.

    Beside it the member whom the request names, in the same round trip: id and status, or None. Raises
    IdempotencyKeyReused, InProgress.
    """
    [(is_mine, digest, status, answer, *member)] = columns.ask(
        "SELECT l.is_mine, k.digest, k.status, k.answer, m.id, m.status"
        " FROM (SELECT pg_try_advisory_xact_lock(%s) AS is_mine) l"
        " LEFT JOIN members_keptanswer k ON k.holder = %s AND k.key = %s"
        " LEFT JOIN members_member m ON m.number = %s",
        [_lock_of(asked), asked.holder, asked.key, asked.number],
    )
    found = (member[0], member[1]) if member[0] is not None else None
    if digest is not None:
        if bytes(digest) != asked.digest:
            raise IdempotencyKeyReused
        return Answer(status, json.loads(answer), is_replay=True), found
    if not is_mine:
        raise InProgress
    return None, found


def _keep(asked: Request, answer: Answer) -> None:
    columns.tell(
        "INSERT INTO members_keptanswer (holder, key, request, digest, status, answer)"
        " VALUES (%s, %s, %s, %s, %s, %s)",
        [asked.holder, asked.key, asked.line, asked.digest, answer.status, json.dumps(answer.body)],
    )


def _lock_of(asked: Request) -> int:
    name = hashlib.sha256(f"{asked.holder}\n{asked.key}".encode()).digest()
    return int.from_bytes(name[:8], "big", signed=True)


def _is_kept_already(error: IntegrityError) -> bool:
    diagnosis = getattr(error.__cause__, "diag", None)
    return diagnosis is not None and diagnosis.constraint_name == "kept_answer_once_per_key"


def purge() -> int:
    """Forget the answers older than 30 days; the worker does it each night. Returns how many."""
    deleted, _ = KeptAnswer.objects.filter(created_at__lt=timezone.now() - KEPT).delete()
    return deleted
