"""The import pages: drop files, look at what would happen, import, watch, read the report (E2)."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from functools import wraps
from pathlib import Path
from typing import Any, cast

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import TemporaryUploadedFile
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from members import channels, imports
from members.console.column_form import ColumnForm
from members.formats.registry import FORMATS
from members.importing import columns, queue, report, showing, undoing
from members.importing.errors import ChannelUnclear, FileTooLarge, ImportUnknown, StateForbids
from members.models import Channel, ImportReject, ImportRun
from privacy import roles
from privacy.errors import ShukeError

View = Callable[..., HttpResponse]
State = ImportRun.State
SHOWN_RUNS = 20
_OPEN = (
    State.WAITING,
    State.READING,
    State.COLUMNS,
    State.READY,
    State.QUEUED,
    State.APPLYING,
    State.STOPPED,
    State.UNDOING,
)


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a file was not taken in."""

    text: str
    file: str = ""
    asks_channel: bool = False


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
            except ImportUnknown as error:
                return _page(request, "unknown", {"title": str(error)}, status=404)

        return guarded

    return guard


@staff_who("imports.view")
@require_http_methods(["GET", "POST"])
def overview(request: HttpRequest) -> HttpResponse:
    """The drop zone, the files that wait for somebody, and the last runs; takes uploads."""
    if request.method == "POST":
        return _upload(request)
    runs = ImportRun.objects.filter(is_of_package=False).select_related("channel", "started_by")
    return _page(
        request,
        "overview",
        {
            "title": _("Imports"),
            "open_runs": [_card(run) for run in runs.filter(state__in=_OPEN)[:SHOWN_RUNS]],
            "past_runs": runs.exclude(state__in=_OPEN)[:SHOWN_RUNS],
            "channels": _channels(),
            "formats": [one for one in FORMATS.values() if one.required],
            "may_run": roles.can(request.user, "imports.run"),
        },
    )


def _upload(request: HttpRequest) -> HttpResponse:
    """Take in each file of a form; the script that sends them one by one gets the card back."""
    if not roles.can(request.user, "imports.run"):
        raise PermissionDenied
    taken, problems = [], list[Problem]()
    sent = request.FILES.getlist("files")  # the body is read here, and found too large or not
    if request.META.get("shuke.too_large"):
        problems.append(Problem(str(FileTooLarge(limit=settings.UPLOAD_LIMIT // (1 << 20)))))
    for file in sent:
        try:
            taken.append(_take_in(request, cast(TemporaryUploadedFile, file)))
        except ShukeError as error:
            problems.append(Problem(str(error), file.name or "", isinstance(error, ChannelUnclear)))
    if not taken and not problems:
        problems.append(Problem(_("Choose at least one file.")))
    if "X-Shuke-Script" in request.headers:
        context = {"cards": [_card(run) for run in taken], "problems": problems, "may_run": True}
        return render(request, "members/imports/_taken.html", {**context, "channels": _channels()})
    for problem in problems:
        messages.error(request, ": ".join(filter(None, (problem.file, problem.text))))
    return redirect("imports:run", taken[0].pk) if len(taken) == 1 else redirect("imports:list")


@transaction.atomic
def _take_in(request: HttpRequest, file: TemporaryUploadedFile) -> ImportRun:
    code = request.POST.get("channel", "")
    channel = channels.get(code) if code else columns.likely_channel(Path(file.temporary_file_path()))
    if channel is None:
        raise ChannelUnclear
    name = request.POST.get("format", "")
    run = imports.take_in(
        channel,
        file.name or "",
        file.chunks(),
        actor_id=_person(request).pk,
        format_name=name if name in FORMATS else "",
    )
    queue.ask_to_read(run)
    return run


@staff_who("imports.view")
@require_GET
def show(request: HttpRequest, run_id: int) -> HttpResponse:
    """One run: its progress, its preview or its report. A file of a package is shown with its package."""
    run = imports.get(run_id)
    if run.is_of_package:
        return redirect("packages:run", run.package.pk)
    title = _("Import %(number)s") % {"number": run.pk}
    return _page(request, "run", {**_detail(run, request), "title": title})


@staff_who("imports.view")
@require_GET
def fragment(request: HttpRequest, run_id: int) -> HttpResponse:
    """What a page asks for again and again while a run is at work: its card, or its whole page."""
    run = imports.get(run_id)
    if "whole" in request.GET:
        return render(request, "members/imports/_run.html", _detail(run, request))
    context = {"card": _card(run), "may_run": roles.can(request.user, "imports.run")}
    return render(request, "members/imports/_card.html", context)


@staff_who("imports.run")
@require_POST
def act(request: HttpRequest, run_id: int, action: str) -> HttpResponse:
    """Start, stop, resume, move or discard a run, then show it. A package's goes with its package."""
    if imports.get(run_id).is_of_package:
        return redirect("imports:run", run_id)
    try:
        with transaction.atomic():
            _ACTIONS[action](request, run_id)
    except ShukeError as error:
        if isinstance(error, ImportUnknown):
            raise
        messages.error(request, str(error))
    return redirect("imports:list") if action == "discard" else redirect("imports:run", run_id)


def _start(request: HttpRequest, run_id: int) -> None:
    try:
        started = imports.start(run_id, actor_id=_person(request).pk)
    except StateForbids:
        if imports.get(run_id).state in (State.QUEUED, State.APPLYING, State.DONE):
            return  # a double click: what it asks for is so
        raise
    queue.ask_to_apply(started)


def _stop(request: HttpRequest, run_id: int) -> None:
    imports.stop(run_id)


def _resume(request: HttpRequest, run_id: int) -> None:
    run = imports.resume(run_id)
    if run.state == State.QUEUED:
        queue.ask_to_apply(run)
    else:
        queue.ask_to_read(run)


def _move(request: HttpRequest, run_id: int) -> None:
    queue.ask_to_read(imports.move(run_id, channels.get(request.POST.get("channel", ""))))


def _discard(request: HttpRequest, run_id: int) -> None:
    imports.discard(run_id)


def _undo(request: HttpRequest, run_id: int) -> None:
    if imports.get(run_id).state == State.UNDONE:
        return  # a double click
    queue.ask_to_undo(imports.undo(run_id, actor_id=_person(request).pk))


_ACTIONS: dict[str, Callable[[HttpRequest, int], None]] = {
    "start": _start,
    "stop": _stop,
    "resume": _resume,
    "move": _move,
    "discard": _discard,
    "undo": _undo,
}


@staff_who("imports.run")
@require_http_methods(["GET", "POST"])
def choose_columns(request: HttpRequest, run_id: int) -> HttpResponse:
    """Say which column means what; remembered for files with the same columns."""
    run = imports.get(run_id)
    if run.is_of_package:
        return redirect("imports:run", run_id)
    form = (
        ColumnForm(run, request.POST)
        if request.method == "POST"
        else ColumnForm(run, kind=request.GET.get("kind"))
    )
    if request.method == "POST" and form.is_valid():
        try:
            with transaction.atomic():
                chosen = imports.choose_columns(run_id, form.mapping(), actor_id=_person(request).pk)
                queue.ask_to_read(chosen)
            return redirect("imports:run", run_id)
        except ShukeError as error:
            form.add_error(None, str(error))
    context = {"title": _("What do the columns mean?"), "run": run, "form": form}
    return _page(request, "columns", context, status=400 if form.is_bound else 200)


@staff_who("imports.run")
@require_POST
def correct(request: HttpRequest, run_id: int) -> HttpResponse:
    """Take in the rejected rows again, with the cells that were typed beside them."""
    run = imports.get(run_id)
    told: dict[int, dict[str, str]] = {}
    for fault in showing.rejects(run):
        value = request.POST.get(f"cell-{fault.pk}", "").strip()
        if value and fault.column:
            told.setdefault(fault.line, {})[fault.column] = value
    try:
        with transaction.atomic():
            fresh = imports.correct(run_id, told, actor_id=_person(request).pk)
            queue.ask_to_read(fresh)
    except ShukeError as error:
        messages.error(request, str(error))
        return redirect("imports:run", run_id)
    return redirect("imports:run", fresh.pk)


@staff_who("imports.view")
@require_GET
def rejected(request: HttpRequest, run_id: int) -> HttpResponse:
    """The rejected rows as CSV, in the reader's language."""
    run = imports.get(run_id)
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="rejected-{run.pk}.csv"'
    response.write("\ufeff")  # or spreadsheets take the text for another encoding
    report.write_rejected(run, response)
    return response


# ------------------------------------------------------------------------------------------ contexts


def _person(request: HttpRequest) -> User:
    return cast(User, request.user)


def _channels() -> QuerySet[Channel]:
    return Channel.objects.filter(is_active=True)


def _page(request: HttpRequest, name: str, context: dict[str, Any], status: int = 200) -> HttpResponse:
    shell = admin.site.each_context(request)
    return render(request, f"members/imports/{name}.html", {**shell, **context}, status=status)


def _card(run: ImportRun) -> dict[str, Any]:
    """What a card says: which file, what it was recognised as, how far it is."""
    described = FORMATS.get(run.format)
    is_applied = run.applied_from is not None
    done, whole = (
        (run.rows_read - run.rows_left, run.rows_read) if is_applied else (run.rows_read, run.file_lines)
    )
    if run.state in (State.WAITING, State.QUEUED):
        done = whole = 0  # nothing moves yet
    elif run.state == State.UNDOING:
        done, whole = run.facts_undone + run.facts_kept, run.facts_new
    return {
        "run": run,
        "format_label": described.label if described else "",
        "columns": len(run.headers),
        "done": done,
        # Line ends are counted before rows are: a guess is shown until the last row is read.
        "whole": max(whole, done) if whole else None,
        "is_applied": is_applied,
        "problem": report.reason(run.problem, run.problem_details) if run.problem else "",
    }


def _detail(run: ImportRun, request: HttpRequest) -> dict[str, Any]:
    """What the page of a run shows beside its card."""
    context: dict[str, Any] = {
        "card": _card(run),
        "run": run,
        "may_run": roles.can(request.user, "imports.run"),
        "fits": columns.fits(run),
        "channels": _channels(),
        "is_correctable": run.state in (State.READY, State.STOPPED, State.DONE) and not run.file_erased_at,
        "is_undoable": run.state == State.DONE and undoing.is_possible(run),
        "rejects": _with_reasons(showing.rejects(run)),
        "remarks": _with_reasons(showing.remarks(run)),
    }
    if run.state == State.READY or run.applied_from is not None:
        context |= {"rows_told": report.rows(run), "facts": report.facts(run)}
    if run.state == State.READY:
        foretold = run.preview["rows"]
        context |= {
            "columns": showing.columns(run),
            "rows": list(showing.rows(run)),
            "due": foretold["new"] + foretold["changed"] + foretold["same"],
            "brings": foretold["new"] + foretold["changed"],
            "money": {name: Decimal(amount) for name, amount in run.preview["money"].items()},
        }
    return context


def _with_reasons(faults: list[ImportReject]) -> list[tuple[ImportReject, str]]:
    return [(one, report.reason(one.code, one.details)) for one in faults]
