"""The audit in the console: whether every law holds, what breaks one, and the anchors of the chains (D7)."""

from typing import Any

from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import AnonymousUser, User
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from loyalty import audit_runs, closings
from loyalty.audit import columns, words
from loyalty.console.coupons import staff_who
from loyalty.models import AuditRun

VERB = "audit.view"
SHOWN = 30
ROWS = 200
# Columns of a violation that are the id of a row with a page in the console.
MODELS = {
    "wallet": "loyalty.wallet",
    "entry": "loyalty.entry",
    "hold": "loyalty.hold",
    "coupon": "loyalty.coupon",
    "claim": "loyalty.claim",
    "tier_event": "loyalty.tierevent",
    "benefit_use": "loyalty.benefituse",
    "activity": "loyalty.activity",
    "referral": "loyalty.referral",
    "approval": "privacy.approval",
    "grant": "loyalty.grant",
    "check_in": "loyalty.checkin",
    "order": "members.order",
    "refund": "members.refund",
    "member": "members.member",
}

Person = User | AnonymousUser


@require_GET
@staff_who(VERB)
def overview(request: HttpRequest) -> HttpResponse:
    """The last run, law by law, and the runs before it."""
    return _page(request, audit_runs.latest(), is_latest=True)


@require_GET
@staff_who(VERB)
def past(request: HttpRequest, run_id: int) -> HttpResponse:
    """One run of the past."""
    found = AuditRun.objects.filter(pk=run_id).first()
    if found is None:
        raise Http404
    return _page(request, found, is_latest=False)


@require_POST
@staff_who(VERB)
def run(request: HttpRequest) -> HttpResponse:
    """Let a worker run the audit now."""
    audit_runs.ask_for()
    return HttpResponseRedirect(reverse("audit:overview"))


@require_GET
@staff_who(VERB)
def progress(request: HttpRequest) -> HttpResponse:
    """What the page asks for again and again while the audit runs; at its end the page is drawn anew."""
    response = render(request, "loyalty/audit/_progress.html", _progress())
    if audit_runs.at_work() is None:
        response["HX-Refresh"] = "true"
    return response


def _page(request: HttpRequest, ran: AuditRun | None, *, is_latest: bool) -> HttpResponse:
    context = {
        **admin.site.each_context(request),
        "title": _("Audit of the ledger"),
        "ran": _described(ran) if ran else None,
        "laws": _laws(ran) if ran else [],
        "violations": _violations(ran, request.user) if ran else [],
        "is_latest": is_latest,
        "closing": closings.latest(),
        "runs": [_described(each) for each in AuditRun.objects.order_by("-id")[:SHOWN]],
        **_progress(),
    }
    return render(request, "loyalty/audit/overview.html", context)


def _progress() -> dict[str, Any]:
    last = audit_runs.latest()
    return {
        "job": audit_runs.at_work(),
        "usual": max(1, round(_seconds(last))) if last else None,
    }


def _seconds(ran: AuditRun) -> float:
    return (ran.ended_at - ran.started_at).total_seconds()


def _described(ran: AuditRun) -> dict[str, Any]:
    return {
        "row": ran,
        "seconds": round(_seconds(ran), 1),
        "found": sum(each["violations"] for each in ran.laws),
        "checks": len(ran.laws),
        "is_old": (timezone.now() - ran.ended_at).days >= 2,
    }


def _laws(ran: AuditRun) -> list[dict[str, Any]]:
    """One line for each law, with its checks; the laws in their order."""
    return [
        {
            "proof": proof,
            "words": words.LAWS.get(proof.law, proof.law),
            "checks": [(name, words.CHECKS.get(name, "")) for name in proof.checks],
        }
        for proof in audit_runs.proofs(ran)
    ]


def _violations(ran: AuditRun, user: Person) -> list[dict[str, Any]]:
    return [
        {
            "law": each["law"],
            "name": each["name"],
            "words": words.CHECKS.get(each["name"], ""),
            "cells": [
                (columns.name_of(column), columns.said(column, each["row"]), _link(column, value, user))
                for column, value in each["row"].items()
            ],
        }
        for each in ran.violations[:ROWS]
    ]


def _link(column: str, value: Any, user: Person) -> str:
    """The page of the row that a column names, for who may see it; '' where there is none."""
    label = MODELS.get(column)
    if label is None or not isinstance(value, int):
        return ""
    model = apps.get_model(label)
    app, name = label.split(".")
    if not admin.site.is_registered(model) or not user.has_perm(f"{app}.view_{name}"):
        return ""
    return reverse(f"admin:{app}_{name}_change", args=[value])
