"""The pages of migrations: a package in, what it adds up to, in when it ties out, and the way back (A16)."""

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, cast

from django.contrib import admin, messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import TemporaryUploadedFile
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from members import channels, legacies
from members.legacy import kinds, queue, reasons, report, totals, undoing
from members.legacy.errors import PackageUnknown
from members.models import Channel, LegacyRow, LegacyRun, Platform
from privacy import access, roles
from privacy.errors import ShukeError

View = Callable[..., HttpResponse]
State = LegacyRun.State
SHOWN_RUNS = 20
SHOWN_REJECTS = 50
# What the page asks for, in words; the rest go by their own names.
_TOTALS = {
    "members": gettext_lazy("Members"),
    "points": gettext_lazy("Points"),
    "tiers": gettext_lazy("Tiers"),
    "growth": gettext_lazy("Growth value"),
    "coupons": gettext_lazy("Coupons"),
    "consents": gettext_lazy("Consents"),
    "referrals": gettext_lazy("Referrals"),
}
# Parts of a total that are words of ours; months and codes stand as they are.
_PARTS = {"never": gettext_lazy("never expire"), "by_rule": gettext_lazy("expire by the programme")}


def staff_who(verb: str) -> Callable[[View], View]:
    """Let in only who may do this (role matrix); others sign in or are refused."""

    def guard(view: View) -> View:
        @login_required
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if not roles.can(request.user, verb):
                raise PermissionDenied
            try:
                return view(request, *args, **kwargs)
            except PackageUnknown as error:
                return _page(request, "unknown", {"title": str(error)}, status=404)

        return guarded

    return guard


@staff_who("migrations.view")
@require_http_methods(["GET", "POST"])
def overview(request: HttpRequest) -> HttpResponse:
    """Where a package is taken in, and those there are."""
    if request.method == "POST":
        return _upload(request)
    runs = LegacyRun.objects.filter(is_dry=False).select_related("channel", "started_by")
    return _page(
        request,
        "overview",
        {
            "title": _("Migrations"),
            "runs": [(run, run.told.get("members"), run.told.get("points")) for run in runs[:SHOWN_RUNS]],
            "channels": Channel.objects.filter(is_active=True, platform=Platform.OTHER),
            "may_run": roles.can(request.user, "migrations.run"),
            "asked": _TOTALS,
        },
    )


def _upload(request: HttpRequest) -> HttpResponse:
    if not roles.can(request.user, "migrations.run"):
        raise PermissionDenied
    sent = cast(list[TemporaryUploadedFile], request.FILES.getlist("files"))
    paths = {file.name or "": Path(file.temporary_file_path()) for file in sent}
    try:
        with transaction.atomic():
            channel = channels.get(request.POST.get("channel", ""))
            run = legacies.take_in(
                channel, channel.name, paths, expect=_told(request), actor_id=_person(request).pk
            )
            queue.ask(run)
    except ShukeError as error:
        messages.error(request, str(error))
        return redirect("packages:list")
    return redirect("packages:run", run.pk)


@staff_who("migrations.view")
@require_GET
def show(request: HttpRequest, run_id: int) -> HttpResponse:
    """One migration: its progress, whether it ties out, what became of it."""
    run = legacies.get(run_id)
    title = _("Migration %(number)s") % {"number": run.pk}
    return _page(request, "run", {**_detail(run, request), "title": title})


@staff_who("migrations.view")
@require_GET
def fragment(request: HttpRequest, run_id: int) -> HttpResponse:
    """What the page asks for again and again while a migration is at work."""
    return render(request, "members/packages/_run.html", _detail(legacies.get(run_id), request))


@staff_who("migrations.run")
@require_POST
def act(request: HttpRequest, run_id: int, action: str) -> HttpResponse:
    """Say totals, start, stop, resume, discard or take back, then show it."""
    try:
        with transaction.atomic():
            run = _ACTIONS[action](request, run_id)
            if run is not None and run.state in (State.WAITING, State.QUEUED, State.UNDOING):
                queue.ask(run)
    except PackageUnknown:
        raise
    except ShukeError as error:
        messages.error(request, str(error))
    return redirect("packages:list") if action == "discard" else redirect("packages:run", run_id)


def _expect(request: HttpRequest, run_id: int) -> None:
    legacies.expect(run_id, _told(request))


def _start(request: HttpRequest, run_id: int) -> LegacyRun:
    run = legacies.get(run_id)
    if run.state in (State.QUEUED, State.APPLYING, State.DONE):
        return run  # a double click: what it asks for is so
    return legacies.start(run_id, actor_id=_person(request).pk)


def _stop(request: HttpRequest, run_id: int) -> None:
    legacies.stop(run_id)


def _resume(request: HttpRequest, run_id: int) -> LegacyRun:
    return legacies.resume(run_id)


def _discard(request: HttpRequest, run_id: int) -> None:
    legacies.discard(run_id)


def _undo(request: HttpRequest, run_id: int) -> LegacyRun:
    return legacies.take_back(run_id, request.POST.get("spent", ""), actor_id=_person(request).pk)


_ACTIONS: dict[str, Callable[[HttpRequest, int], LegacyRun | None]] = {
    "expect": _expect,
    "start": _start,
    "stop": _stop,
    "resume": _resume,
    "discard": _discard,
    "undo": _undo,
}


@staff_who("migrations.view")
@require_GET
def rejected(request: HttpRequest, run_id: int) -> HttpResponse:
    """The rejected rows as CSV, in the reader's language."""
    run = legacies.get(run_id)
    response = _csv(f"migration-{run.pk}-rejected.csv")
    report.write_rejected(run, response)
    return response


@staff_who("migrations.view")
@require_GET
def used(request: HttpRequest, run_id: int) -> HttpResponse:
    """What was used since it came, by member number, as CSV; who took it is on record."""
    run = legacies.get(run_id)
    access.note(
        request.user,
        access.Action.EXPORT,
        model=LegacyRun._meta.label,
        subjects=[run.pk],
        fields=["member_no", "used"],
        reason=run.name,
    )
    response = _csv(f"migration-{run.pk}-used.csv")
    report.write_used(run, response)
    return response


# ------------------------------------------------------------------------------------------ contexts


def _csv(name: str) -> HttpResponse:
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response.write("\ufeff")  # or spreadsheets take the text for another encoding
    return response


def _person(request: HttpRequest) -> User:
    return cast(User, request.user)


def _told(request: HttpRequest) -> dict[str, str]:
    """The control totals of a form: those that it asks for, and lines of `name = total`."""
    told = {name: request.POST.get(f"expect-{name}", "").strip() for name in _TOTALS}
    for line in request.POST.get("more", "").splitlines():
        name, _sign, total = line.partition("=")
        told[name.strip()] = total.strip()
    return {name: total for name, total in told.items() if name and total}


def _page(request: HttpRequest, name: str, context: dict[str, Any], status: int = 200) -> HttpResponse:
    shell = admin.site.each_context(request)
    return render(request, f"members/packages/{name}.html", {**shell, **context}, status=status)


def _detail(run: LegacyRun, request: HttpRequest) -> dict[str, Any]:
    """What the page of a migration shows."""
    rows = LegacyRow.objects.filter(run=run, state=LegacyRow.State.REJECTED).order_by("place", "line")
    outcomes = report.outcomes(run)
    words = [word for word in report.WORDS if any(word in found for found in outcomes.values())]
    ties = [{**each, "label": _label(each["name"])} for each in report.tie_out(run)]
    uses = undoing.used(run) if run.state in (State.DONE, State.STOPPED, State.HALF_BACK) else []
    return {
        "run": run,
        "problem": report.problem(run),
        "progress": report.progress(run),
        "is_back": run.state in (State.UNDOING, State.HALF_BACK, State.UNDONE),
        "files": [
            (LegacyRow.Kind(kind).label, run.files[kind]["name"])
            for kind in kinds.PLACES
            if kind in run.files
        ],
        "words": [word.label for word in words],
        "outcomes": [
            (LegacyRow.Kind(kind).label, [found.get(word, 0) for word in words])
            for kind, found in outcomes.items()
        ],
        "ties": ties,
        "ties_out": all(each["ties"] for each in ties),
        "needed": [(name, _TOTALS[name]) for name in totals.needed(run) if name not in run.expected],
        "brings": [(_label(name), total) for name, total in run.told.items() if "." in name],
        "amounts": [
            (LegacyRow.Kind(kind).label, each)
            for kind, each in totals.amounts(run).items()
            if kind != kinds.MEMBERS
        ],
        "rejects": [(row, reasons.reason(row.code)) for row in rows[:SHOWN_REJECTS]],
        "used_points": sum(use.used for kind, use in uses if kind == "lots"),
        "used_coupons": sum(1 for kind, _use in uses if kind == "coupons"),
        "choices": LegacyRun.Spent.choices,
        "may_run": roles.can(request.user, "migrations.run"),
    }


def _label(name: str) -> str:
    """`points.2099-12` as `Points · 2099-12`."""
    kind, _dot, part = name.partition(".")
    label = str(_TOTALS.get(kind, kind))
    return f"{label} · {_PARTS.get(part, part)}" if part else label
