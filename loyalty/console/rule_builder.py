"""The page on which a rule is built and tried out (B5). Saving writes it into the draft."""

from dataclasses import dataclass, field
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from loyalty import bench, publishing, rule_choices, rule_drafts, sentences
from loyalty.bench import Trial
from loyalty.console import rule_bench, rule_form, rule_widgets
from loyalty.console.rule_bench import BenchForm
from loyalty.console.rule_form import LIMIT_LABELS, RuleForm
from loyalty.console.rules import for_staff, page
from loyalty.errors import ProgrammeInvalid, RuleNotFound
from loyalty.models import ProgrammeVersion
from loyalty.programme import Programme, parse, sketch
from loyalty.rule_choices import RuleChoices
from loyalty.sentences import LIMIT_NAMES, Names
from members.models import Member
from privacy import access, roles
from privacy.access import Occasion
from privacy.errors import ShukeError

UNPROCESSABLE = 422
SAVE, TRY = "save", "try"


@dataclass(slots=True)
class Bench:
    """What the right half of the page shows."""

    form: BenchForm
    lines: list[tuple[str, str, str]]
    trial: Trial | None = None
    live: Trial | None = None
    refused: str = ""
    verdicts: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Draft:
    """What the rule stands in: the version, its document as it can be edited, and what it can name."""

    version: ProgrammeVersion
    document: dict[str, Any]
    programme: Programme
    choices: RuleChoices
    code: str  # of the rule as it is written; '' is a new one

    @property
    def place(self) -> int:
        """Where the rule stands in the document, or will."""
        if not self.code:
            return len(rule_drafts.rules_of(self.document))
        return rule_drafts.place(self.document, self.code)

    def with_rule(self, rule: dict[str, Any]) -> dict[str, Any]:
        """The document with the rule as it is typed."""
        return rule_drafts.written(self.document, self.code, rule)


@require_http_methods(["GET", "POST"])
@for_staff("programme.view")
def build(request: HttpRequest, code: str = "") -> HttpResponse:
    """The builder: a rule of the draft, or a new one. What a button does is its `do`."""
    draft = _draft(code)
    base = rule_drafts.find(draft.document, code) if code else {}
    zone = draft.programme.time_zone
    if request.method == "GET":
        form = rule_form.opened(base, zone)
        return _page(request, draft, form, _bench(request, draft))
    do = request.POST.get("do", "")
    # Whoever may only look tries out the rule as it is written.
    may_draft = roles.can(request.user, "programme.draft")
    form = rule_form.posted(base, request.POST, zone, do) if may_draft else rule_form.opened(base, zone)
    if do == SAVE:
        return _save(request, draft, form)
    trial = _tried(request, draft, form) if do == TRY else _bench(request, draft)
    return _page(request, draft, form, trial, focus=do)


def _draft(code: str) -> Draft:
    version = rule_drafts.base()
    document = publishing.to_edit(version)
    try:
        if code:
            rule_drafts.place(document, code)
    except RuleNotFound as unknown:
        raise Http404 from unknown
    return Draft(version, document, parse(version.document), rule_choices.of(document), code)


def _save(request: HttpRequest, draft: Draft, form: RuleForm) -> HttpResponse:
    if not roles.can(request.user, "programme.draft"):
        raise PermissionDenied
    actor: Any = request.user
    try:
        rule_drafts.edit(
            lambda document: rule_drafts.written(document, draft.code, form.document),
            actor=actor,
            seen=request.POST.get("seen", ""),
        )
    except ProgrammeInvalid as refused:
        _show_problems(form, draft, refused)
    except ShukeError as refused:
        form.errors.setdefault("", []).append(str(refused))
    else:
        messages.success(request, _("Saved in the draft."))
        return HttpResponseRedirect(reverse("rules:list") + f"#rule-{form.texts['code']}")
    return _page(request, draft, form, _bench(request, draft), status=UNPROCESSABLE)


def _show_problems(form: RuleForm, draft: Draft, refused: ProgrammeInvalid) -> None:
    """Problems of this rule go to their rows; those of the rest of the programme above the form."""
    own = f"rules[{draft.place}]."
    form.show(
        [
            {"path": problem["path"].removeprefix(own), "message": problem["message"]}
            for problem in refused.problems
            if problem["path"].startswith(own)
        ]
    )
    for problem in refused.problems:
        if not problem["path"].startswith(own):
            form.errors.setdefault("", []).append(_("%(path)s: %(message)s") % problem)


# --- the test bench ------------------------------------------------------------------------------------


def _bench(request: HttpRequest, draft: Draft, *, is_bound: bool = False) -> Bench:
    """The bench as it was typed, without a trial."""
    data = request.POST if request.method == "POST" else None
    form = BenchForm(
        data if is_bound else None,
        initial={name: data.get(f"bench-{name}", "") for name in BenchForm.base_fields} if data else None,
        choices=draft.choices,
        may_see_members=roles.can(request.user, "members.find"),
    )
    return Bench(form, rule_bench.typed_lines(request.POST))


def _tried(request: HttpRequest, draft: Draft, form: RuleForm) -> Bench:
    """The basket or order, priced by the draft with this rule as it is typed, and by what is live."""
    found = _bench(request, draft, is_bound=True)
    try:
        programme = parse(draft.with_rule(form.document))
    except ProgrammeInvalid as refused:
        _show_problems(form, draft, refused)
        found.refused = _("The rule is not finished: see the marks.")
        return found
    if not found.form.is_valid():
        return found
    try:
        purchase = found.form.purchase(request.POST, programme.time_zone)
    except ValidationError as refused:
        found.refused = " ".join(refused.messages)
        return found
    except ShukeError as refused:
        found.form.add_error("order", str(refused))
        return found
    _note(request, purchase.member_id)
    found.trial = bench.try_out(programme, purchase)
    if publishing.is_published():
        found.live = bench.try_out(publishing.current(purchase.at).programme, purchase)
    found.verdicts = _verdicts(found.trial, form, draft.choices.names, programme)
    return found


def _verdicts(trial: Trial, form: RuleForm, names: Names, programme: Programme) -> list[dict[str, Any]]:
    return [
        {
            "verdict": verdict,
            "is_this": verdict.rule.code == form.texts["code"],
            "reasons": verdict.reasons(names, programme.time_zone),
            "left": [
                {"points": points, "whom": LIMIT_NAMES[word]}
                for word, points in trial.left.get(verdict.rule.code, {}).items()
            ]
            if verdict.held
            else [],
        }
        for verdict in trial.verdicts
    ]


def _note(request: HttpRequest, member_id: int | None) -> None:
    """Whose birthday and tags the rules looked at goes on record, as on the member's page."""
    if member_id is None:
        return
    access.note(
        request.user,
        access.Action.VIEW,
        model=Member._meta.label,
        member=Member.objects.get(pk=member_id),
        occasion=Occasion(
            request_id=getattr(request, "request_id", ""), ip=request.META.get("REMOTE_ADDR", "")
        ),
    )


# --- the page ------------------------------------------------------------------------------------------


def _page(
    request: HttpRequest,
    draft: Draft,
    form: RuleForm,
    tested: Bench,
    *,
    focus: str = "",
    status: int = 200,
) -> HttpResponse:
    rule, problems = sketch(form.document)
    names = draft.choices.names
    context = {
        "form": form,
        "root": rule_widgets.group(form.rows, draft.choices),
        "prizes": rule_widgets.prize_options(form.texts, draft.choices),
        "limits": [(name, label, form.texts[name]) for name, label in LIMIT_LABELS.items()],
        "suggestions": draft.choices.suggestions,
        "sentence": sentences.of_rule(rule, names, draft.programme.time_zone),
        "is_finished": not problems,
        "code": draft.code,
        "bench": tested,
        "dropped_from": focus.removeprefix("drop:").rpartition(".")[0] if focus.startswith("drop:") else "",
        "zone": draft.programme.time_zone.key,
        "seen": request.POST.get("seen") or publishing.digest(draft.version.document),
        "version": draft.version,
    }
    return page(request, "builder.html", context, status=status)
