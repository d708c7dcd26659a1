"""Earning rules in the console: the list in order of priority, the builder with its test bench (B5).

Nothing here changes what holds: every button changes the draft, which somebody else publishes. The pages work
as plain forms; where the browser runs scripts, htmx asks for the same pages and shows the parts that changed.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from typing import Any, Literal

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from django.views.decorators.http import require_GET, require_POST

from loyalty import clock, publishing, rule_choices, rule_drafts, rule_uses, sentences
from loyalty.errors import ProgrammeMissing, RuleNotFound
from loyalty.models import ProgrammeVersion
from loyalty.programme import Programme, Rule, parse
from loyalty.publishing import Held
from loyalty.rule_drafts import Document
from loyalty.rule_uses import Use
from privacy import roles
from privacy.errors import ShukeError

Phase = Literal["running", "to_come", "over"]
PHASES: dict[str, Promise] = {
    "running": gettext_lazy("Running"),
    "to_come": pgettext_lazy("of a rule", "To come"),
    "over": pgettext_lazy("of a rule", "Over"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One rule of the list. `change`: how it differs from what is published (new, changed or '')."""

    rule: Rule
    position: int
    sentence: str
    phase: Phase
    change: str
    use: Use | None
    is_first: bool
    is_last: bool

    @property
    def phase_label(self) -> Promise:
        return PHASES[self.phase]


def for_staff(verb: str) -> Callable[[Callable[..., HttpResponse]], Callable[..., HttpResponse]]:
    """A page of the console for those whose role has a verb."""

    def wrap(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        @wraps(view)
        def page(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if not roles.can(request.user, verb):
                raise PermissionDenied
            try:
                return view(request, *args, **kwargs)
            except ProgrammeMissing:
                return HttpResponseRedirect(reverse("admin:loyalty_programmeversion_changelist"))

        inside: Any = admin.site.admin_view(page)
        return inside

    return wrap


# --- the list ------------------------------------------------------------------------------------------


@require_GET
@for_staff("programme.view")
def show(request: HttpRequest) -> HttpResponse:
    """The rules of the draft, or of what is published; `?given=1` with what they have given so far."""
    version = rule_drafts.base()
    programme = parse(version.document)
    newest = publishing.newest()
    live = publishing.current() if newest is not None else None
    published = programme if newest == version else parse(newest.document) if newest is not None else None
    with_uses = request.GET.get("given") == "1"
    shown = _shown(programme, published, rule_choices.names(version.document), with_uses=with_uses)
    phase, words = request.GET.get("phase", ""), request.GET.get("q", "").strip()
    wanted = [
        each
        for each in shown
        if phase in ("", each.phase)
        and any(
            words.casefold() in text.casefold()
            for text in (each.sentence, each.rule.code, *each.rule.name.values())
        )
    ]
    context = {
        "rules": wanted,
        "is_narrowed": len(wanted) < len(shown),
        "count": len(shown),
        "phases": [
            ("", _("All"), len(shown)),
            *((name, label, sum(each.phase == name for each in shown)) for name, label in PHASES.items()),
        ],
        "phase": phase,
        "q": words,
        "with_uses": with_uses,
        **_life(version, live),
    }
    return page(request, "list.html", context)


def _shown(
    programme: Programme, published: Programme | None, names: sentences.Names, *, with_uses: bool
) -> list[Shown]:
    now = clock.read().now
    before = {rule.code: rule for rule in published.rules} if published is not None else {}
    uses = rule_uses.of(programme.rules) if with_uses else {}
    last = len(programme.rules) - 1
    return [
        Shown(
            rule=rule,
            position=position + 1,
            sentence=sentences.of_rule(rule, names, programme.time_zone),
            phase=_phase(rule, now),
            change="" if before.get(rule.code) == rule else "changed" if rule.code in before else "new",
            use=uses.get(rule.code),
            is_first=position == 0,
            is_last=position == last,
        )
        for position, rule in enumerate(programme.rules)
    ]


def _phase(rule: Rule, now: Any) -> Phase:
    if rule.holds_at(now):
        return "running"
    return "to_come" if rule.starts_at is not None and now < rule.starts_at else "over"


def _life(version: ProgrammeVersion, live: Held | None) -> dict[str, Any]:
    """Where the draft stands, and what holds meanwhile."""
    is_draft = version.state == ProgrammeVersion.State.DRAFT
    return {
        "version": version,
        "draft": version if is_draft else None,
        "changes": publishing.count_changes(version) if is_draft else 0,
        "live": live,
        "seen": publishing.digest(version.document),
    }


def page(
    request: HttpRequest, template: str, context: Mapping[str, Any], *, status: int = 200
) -> HttpResponse:
    """A page about rules, inside the console."""
    told = {
        **admin.site.each_context(request),
        "title": _("Earning rules"),
        "may_draft": roles.can(request.user, "programme.draft"),
        **context,
    }
    return render(request, f"loyalty/rules/{template}", told, status=status)


# --- what a button of the list does --------------------------------------------------------------------


@require_POST
@for_staff("programme.draft")
def act(request: HttpRequest, code: str, verb: str) -> HttpResponse:
    """Move, copy, end or remove a rule of the draft."""
    if verb not in DEEDS:
        raise Http404
    change, told = DEEDS[verb]
    try:
        rule_drafts.edit(
            lambda document: change(document, code), actor=_user(request), seen=request.POST.get("seen", "")
        )
    except RuleNotFound as unknown:
        raise Http404 from unknown
    except ShukeError as refused:
        problems = getattr(refused, "problems", None) or [{"message": str(refused)}]
        for problem in problems[:5]:
            messages.error(request, problem["message"])
    else:
        messages.success(request, told % {"code": code})
    return HttpResponseRedirect(reverse("rules:list") + f"#rule-{code}")


def _ended(document: Document, code: str) -> Document:
    return rule_drafts.ended(document, code, clock.read().now, parse(document).time_zone)


DEEDS: dict[str, tuple[Callable[[Document, str], Document], Promise]] = {
    "up": (
        lambda document, code: rule_drafts.moved(document, code, -1),
        gettext_lazy("%(code)s now comes earlier, in the draft."),
    ),
    "down": (
        lambda document, code: rule_drafts.moved(document, code, 1),
        gettext_lazy("%(code)s now comes later, in the draft."),
    ),
    "copy": (rule_drafts.copied, gettext_lazy("%(code)s is copied, in the draft.")),
    "end": (_ended, gettext_lazy("%(code)s ends now, once the draft is published.")),
    "remove": (rule_drafts.removed, gettext_lazy("%(code)s is removed, in the draft.")),
}


def _user(request: HttpRequest) -> Any:
    return request.user
