"""The programme in the console: the matrix that marketing edits into a draft, and its publication.

Who may draft and who may publish is in the role matrix; that these are two people in production is held
by `loyalty.publishing` and the database.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.forms import BooleanField, BoundField, Field
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext, pgettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from loyalty import benefits, programme_file, publishing, sentences
from loyalty.admin.programme_form import ProgrammeForm, values, with_tier, without
from loyalty.admin.programme_settings import CHECKED, TIERS
from loyalty.errors import DraftChanged, ProgrammeInvalid
from loyalty.filters import VersionFilter
from loyalty.models import ProgrammeVersion
from loyalty.programme import Rule, document, parse
from loyalty.programme_file import MAX_BYTES
from loyalty.rule_choices import NamesOnDemand
from privacy import roles
from privacy.errors import ShukeError
from privacy.lists import NarrowedAdmin

PAGE, COMPARE = "admin:loyalty_programmeversion_changelist", "admin:loyalty_programme_compare"


@dataclass(frozen=True, slots=True)
class Cell:
    """One field of the form, and what holds today where that is something else."""

    field: BoundField | None
    was: str | None = None
    about: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the matrix: a setting, across the tiers."""

    label: Promise
    cells: list[Cell]


@dataclass(frozen=True, slots=True)
class Worth:
    """What benefits are worth to the same buyer: (label, weight, yuan by tier), and the tiers' totals."""

    rows: list[tuple[Promise, Decimal, list[Decimal | None]]]
    totals: list[Decimal]


WORTH = {
    "discount": pgettext_lazy("of a tier", "discount"),
    "points": _("points"),
    "shipping": _("shipping"),
    "service": _("service"),
    "birthday": _("birthday"),
    "uses": _("counted benefits"),
    "badge": _("badge"),
    "extra": _("in the brand's own words"),
}


@dataclass(frozen=True, slots=True)
class Band:
    """Rows that belong together."""

    label: Promise
    rows: list[Row]


@admin.register(ProgrammeVersion)
class ProgrammeVersionAdmin(NarrowedAdmin):
    """The matrix first; behind it the list of versions, each of which opens as its changes in words."""

    list_display = ("number", "code", "state", "effective_from", "drafted_by", "published_by", "published_at")
    filterset_class = VersionFilter
    list_select_related = ("drafted_by", "published_by")
    ordering = ("-number",)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return roles.can(request.user, "programme.view")

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_urls(self) -> list[URLPattern]:
        pages: list[tuple[str, Callable[..., HttpResponseBase], str]] = [
            ("versions/", require_GET(super().changelist_view), "loyalty_programme_versions"),
            ("file/", require_http_methods(["GET", "POST"])(self.file), "loyalty_programme_file"),
            ("<int:pk>/compare/", require_GET(self.compare), "loyalty_programme_compare"),
            ("<int:pk>/publish/", require_POST(self.publish), "loyalty_programme_publish"),
            ("<int:pk>/ready/", require_POST(self.ready), "loyalty_programme_ready"),
            ("<int:pk>/send-back/", require_POST(self.send_back), "loyalty_programme_send_back"),
            ("<int:pk>/discard/", require_POST(self.discard), "loyalty_programme_discard"),
        ]
        own = [path(route, self.admin_site.admin_view(view), name=name) for route, view, name in pages]
        return own + super().get_urls()

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> HttpResponse:
        """A version is not a form: it opens as what it changed."""
        return redirect(COMPARE, pk=object_id)

    def changelist_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Whoever comes for the programme wants the matrix; the list of versions is one link away."""
        return require_http_methods(["GET", "POST"])(self.page)(request)

    # --- the matrix -----------------------------------------------------------------------------------

    def page(self, request: HttpRequest) -> HttpResponse:
        """The programme as it would be: the draft, or what is published; what is typed becomes the draft."""
        _require(request, "programme.view")
        base, newest = _base()
        if base is None:
            return self._show(request, "empty.html", {})
        if request.method == "POST":
            _require(request, "programme.draft")
            form = ProgrammeForm(publishing.to_edit(base), request.POST)
            if form.is_valid() and self._save(request, base, form):
                return redirect(PAGE)
        else:
            form = ProgrammeForm(publishing.to_edit(base))
        return self._show(request, "page.html", _matrix(form, base, newest) | _draft_bar(base))

    def _save(self, request: HttpRequest, base: ProgrammeVersion, form: ProgrammeForm) -> bool:
        """Write the edited document as the draft; False when it was refused, with the reason shown."""
        removed = {section: set(request.POST.getlist(f"remove-{section}")) for section in ("tiers", "rules")}
        edited = without(without(form.document, "tiers", removed["tiers"]), "rules", removed["rules"])
        code = request.POST.get("new-tier", "").strip()
        if code and edited["tiers"]:
            edited = with_tier(edited, code)
        try:
            if request.POST.get("seen") != publishing.digest(base.document):
                raise DraftChanged
            loaded = publishing.draft(edited, actor=_user(request), seen=base.document)
        except ProgrammeInvalid as refused:
            for problem in refused.problems:
                form.add_error(None, _("%(path)s: %(message)s") % problem)
            return False
        except ShukeError as refused:
            form.add_error(None, str(refused))
            return False
        messages.success(
            request, _("Saved as a draft.") if loaded.differences else _("This is what is published.")
        )
        return True

    # --- the file -------------------------------------------------------------------------------------

    def file(self, request: HttpRequest) -> HttpResponse:
        """The programme as a file, out and in; what comes in becomes the draft."""
        if request.method == "POST":
            return self._load(request)
        _require(request, "programme.view")
        base, _newest = _base()
        if base is None:
            return redirect(PAGE)
        text = programme_file.write(document(parse(base.document)))
        response = HttpResponse(text, content_type="application/yaml; charset=utf-8")
        response["Content-Disposition"] = f'attachment; filename="programme-{base.number}.yaml"'
        return response

    def _load(self, request: HttpRequest) -> HttpResponse:
        _require(request, "programme.draft")
        upload = request.FILES.get("file")
        if upload is None:
            messages.error(request, _("Choose a file."))
            return redirect(PAGE)
        try:
            loaded = publishing.draft(upload.read(MAX_BYTES + 1), actor=_user(request))
        except ProgrammeInvalid as refused:
            for problem in refused.problems[:20]:
                messages.error(request, _("%(path)s: %(message)s") % problem)
            return redirect(PAGE)
        if not loaded.differences:
            messages.info(request, _("This is what is published."))
            return redirect(PAGE)
        return redirect(COMPARE, pk=loaded.version.pk)

    # --- comparing and publishing ---------------------------------------------------------------------

    def compare(self, request: HttpRequest, pk: int) -> HttpResponse:
        """What a version changes, in words; for a draft, the way to publish it."""
        _require(request, "programme.view")
        version = get_object_or_404(
            ProgrammeVersion.objects.select_related("drafted_by", "ready_by", "published_by"), pk=pk
        )
        had_a_hand = request.user.pk == version.drafted_by_id or request.user.pk in version.drafters
        return self._show(
            request,
            "compare.html",
            {
                "version": version,
                "loaded": publishing.changes_of(version),
                "may_publish": _may_publish(request),
                "alone": had_a_hand and settings.ENVIRONMENT != "demo",
                "waits": version.ready_at is None and settings.ENVIRONMENT != "demo",
            },
        )

    def publish(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Publish a draft, by a second person or with a reason."""
        if not _may_publish(request):
            raise PermissionDenied
        version = get_object_or_404(ProgrammeVersion, pk=pk)
        try:
            if request.POST.get("seen") != publishing.digest(version.document):
                raise DraftChanged
            publishing.publish(version, actor=_user(request), break_glass=request.POST.get("break_glass", ""))
        except ShukeError as refused:
            messages.error(request, str(refused))
            return redirect(COMPARE, pk=pk)
        messages.success(request, _("Version %(number)s is published.") % {"number": version.number})
        return redirect(PAGE)

    def ready(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The author is done: a second person may look at the draft, and publish it."""
        _require(request, "programme.draft")
        version = get_object_or_404(ProgrammeVersion, pk=pk)
        try:
            if request.POST.get("seen") != publishing.digest(version.document):
                raise DraftChanged
            publishing.make_ready(version, actor=_user(request))
        except ShukeError as refused:
            messages.error(request, str(refused))
        else:
            messages.success(request, _("It waits for a second person, who publishes it or sends it back."))
        return redirect(COMPARE, pk=pk)

    def send_back(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The reviewer, or the author, takes the draft back to work, saying why."""
        if not (_may_publish(request) or roles.can(request.user, "programme.draft")):
            raise PermissionDenied
        try:
            publishing.send_back(get_object_or_404(ProgrammeVersion, pk=pk), request.POST.get("reason", ""))
        except ShukeError as refused:
            messages.error(request, str(refused))
        return redirect(COMPARE, pk=pk)

    def discard(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Throw the draft away."""
        _require(request, "programme.draft")
        try:
            publishing.discard(get_object_or_404(ProgrammeVersion, pk=pk))
        except ShukeError as refused:
            messages.error(request, str(refused))
        return redirect(PAGE)

    def _show(self, request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
        version = context.get("version")
        context = {
            **self.admin_site.each_context(request),
            "title": _("Programme"),
            "may_draft": roles.can(request.user, "programme.draft"),
            "seen": publishing.digest(version.document) if version else "",
            **context,
        }
        return TemplateResponse(request, f"loyalty/programme/{template}", context)


def _require(request: HttpRequest, verb: str) -> None:
    if not roles.can(request.user, verb):
        raise PermissionDenied


def _may_publish(request: HttpRequest) -> bool:
    """In the demo one person is enough, so whoever drafts may also publish."""
    may = roles.can(request.user, "programme.publish")
    return may or (settings.ENVIRONMENT == "demo" and roles.can(request.user, "programme.draft"))


def _user(request: HttpRequest) -> Any:
    return request.user


def _base() -> tuple[ProgrammeVersion | None, ProgrammeVersion | None]:
    """What is edited (the draft, or else the newest version), and the newest published version."""
    newest = publishing.newest()
    return publishing.current_draft() or newest, newest


def _matrix(form: ProgrammeForm, base: ProgrammeVersion, newest: ProgrammeVersion | None) -> dict[str, Any]:
    """What the page shows: fields for points, bands of rows by tiers, rules as sentences."""
    today = dict(values(newest.document)) if newest is not None else {}
    # A tier's column may have moved since; its old values are found by its code.
    columns = {tier["code"]: i for i, tier in enumerate(newest.document["tiers"])} if newest else {}
    tiers = base.document["tiers"]

    def cell(name: str, old_name: str, about: str = "") -> Cell:
        old = today.get(old_name)
        if old is None or old == form.initially[name]:
            return Cell(form[name], None, about)
        return Cell(form[name], _in_words(form.fields[name], old), about)

    def row(setting: Any, position: int, tier: dict[str, Any]) -> Cell:
        way = setting.path.replace(".", "-")
        name, old = f"tiers-{position}-{way}", f"tiers-{columns.get(tier['code'])}-{way}"
        return cell(name, old, _tier_name(tier)) if name in form.fields else Cell(None)

    return {
        "form": form,
        "version": base,
        "beginning": Cell(form["effective_from"]),
        "points": [cell(name, name) for name in form.fields if name.startswith(("points-", "growth-"))],
        "valuation": [cell(name, name) for name in form.fields if name.startswith("benefit_value-")],
        "quotes": [cell(name, name) for name in form.fields if name.startswith("quotes-")],
        "worth": _worth(base),
        "tiers": [{"code": tier["code"], "name": _tier_name(tier)} for tier in tiers],
        "bands": [
            Band(
                group.label,
                [
                    Row(setting.label, [row(setting, position, tier) for position, tier in enumerate(tiers)])
                    for setting in group.settings
                ],
            )
            for group in TIERS
        ],
        "rules": _rules_in_words(base.document),
    }


def _worth(base: ProgrammeVersion) -> Worth:
    """What each benefit and all of them together are worth in each tier, by the document as it is saved."""
    columns = benefits.matrix(parse(base.document))
    words = [benefit.word for benefit in columns[0].benefits]
    return Worth(
        rows=[
            (
                WORTH[word],
                columns[0].benefits[place].weight,
                [column.benefits[place].yuan for column in columns],
            )
            for place, word in enumerate(words)
        ],
        totals=[column.value for column in columns],
    )


def _in_words(field: Field, value: str) -> str:
    """What a field held, as people read it."""
    if isinstance(field, BooleanField):
        return str(pgettext("answer", "yes") if value == CHECKED else pgettext("answer", "no"))
    return str(dict(getattr(field, "choices", ())).get(value, value))


def _tier_name(tier: dict[str, Any]) -> str:
    """A tier's name in the reader's language, or the one it has."""
    names = tier["name"]
    language = translation.get_language() or "en"
    return names.get(language) or next(iter(names.values()), tier["code"])


def _draft_bar(base: ProgrammeVersion) -> dict[str, Any]:
    """How many changes wait in the draft, when there is one."""
    if base.state != ProgrammeVersion.State.DRAFT:
        return {"draft": None}
    return {"draft": base, "changes": publishing.count_changes(base)}


def _rules_in_words(document: Mapping[str, Any]) -> list[tuple[Rule, str]]:
    """Each rule of a document with its sentence, by the names of its channels, tiers and things."""
    programme, names = parse(document), NamesOnDemand(document)
    return [(rule, sentences.of_rule(rule, names, programme.time_zone)) for rule in programme.rules]
