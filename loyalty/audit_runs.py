"""Runs of the audit: each checks every law, hangs an anchor on what it found whole, and is kept forever."""

import json
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils import timezone
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob
from procrastinate.exceptions import AlreadyEnqueued

from loyalty import anchors, audit
from loyalty.anchors import UnreadableAnchor
from loyalty.audit import Checked
from loyalty.models import AuditRun, Entry, Wallet

JOB = "loyalty.jobs.audit_ledger"
CHAINS = "11"  # the law of hashes and anchors


@dataclass(frozen=True, slots=True)
class Proof:
    """What a run found of one law: its checks by name, how long they took, how many rows break it."""

    law: str
    checks: list[str]
    seconds: float
    violations: int


def run(*, limit: int = 100) -> AuditRun:
    """Check every law, take an anchor if the chains are whole, and keep what came of it.

    limit: rows to keep of each check that fails. An anchor that cannot be written is said in the run
    (`anchor["problem"]`) and stops nothing.
    """
    started_at = timezone.now()
    checks = list(audit.walk(limit=limit))
    return AuditRun.objects.create(
        started_at=started_at,
        ended_at=timezone.now(),
        entries=Entry.objects.count(),
        wallets=Wallet.objects.count(),
        laws=[
            {
                "law": each.law,
                "name": each.name,
                "seconds": round(each.seconds, 3),
                "violations": len(each.violations),
            }
            for each in checks
        ],
        violations=[
            {"law": each.law, "name": each.name, "row": _plain(each.row)}
            for checked in checks
            for each in checked.violations
        ],
        anchor=_anchored(checks),
    )


def _anchored(checks: list[Checked]) -> dict[str, Any]:
    """The anchor that was taken. Nothing is hung on a chain that is broken: it would vouch for it."""
    if any(each.violations for each in checks if each.law == CHAINS):
        return {}
    try:
        return anchors.take().row()
    except (UnreadableAnchor, OSError) as problem:
        return {"problem": str(problem) or type(problem).__name__}


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    """A row as JSON keeps it: numbers, texts, and everything else as text."""
    plain: dict[str, Any] = json.loads(json.dumps(row, default=str))
    return plain


def proofs(ran: AuditRun) -> list[Proof]:
    """What a run found, law by law, in the order of the laws' numbers."""
    by_law: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for each in ran.laws:
        by_law[each["law"]].append(each)
    return [
        Proof(
            law=law,
            checks=[each["name"] for each in by_law[law]],
            seconds=round(sum(each["seconds"] for each in by_law[law]), 2),
            violations=sum(each["violations"] for each in by_law[law]),
        )
        for law in sorted(by_law, key=int)
    ]


def latest() -> AuditRun | None:
    return AuditRun.objects.order_by("-id").first()


def found_lately() -> int:
    """How many violations the last run found; 0 before the first."""
    laws = AuditRun.objects.order_by("-id").values_list("laws", flat=True).first()
    return sum(each["violations"] for each in laws or ())


def ask_for() -> None:
    """Let a worker run the audit; one that waits already is enough."""
    with suppress(AlreadyEnqueued), transaction.atomic():
        app.configure_task(JOB, queueing_lock="audit_ledger").defer(timestamp=0)


def at_work() -> ProcrastinateJob | None:
    """The job that runs the audit now, or is about to."""
    return ProcrastinateJob.objects.filter(task_name=JOB, status__in=["todo", "doing"]).order_by("id").first()
