"""Matches to review and merges by hand: two members side by side, and what becomes of them (A6)."""

from collections.abc import Mapping
from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import patch_cache_control
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from members import merging, reviews, seeing
from members.errors import MemberNotFound
from members.merged_profiles import FIELDS, OTHER, SURVIVOR, FieldChoice
from members.merging import Preview
from members.models import Identifier, MatchReview, Member, Merge
from privacy import access, roles
from privacy.errors import ShukeError
from privacy.masking import mask

MASKS = {"name": "name", "phone": "phone", "email": "email", "birthday": "birthday"}
TONES = {"same": "good", "near": "warn", "different": "", "one": ""}
AGREEMENTS = {
    "same": gettext_lazy("same"),
    "near": gettext_lazy("near"),
    "different": gettext_lazy("different"),
    "one": gettext_lazy("known of one"),
}
WHY = {
    "same": gettext_lazy("both say the same"),
    "known": gettext_lazy("the other says nothing"),
    "verified": gettext_lazy("verified"),
    "clear": gettext_lazy("in clear, the other is masked"),
    "first": gettext_lazy("joined first"),
    "newer": gettext_lazy("heard later"),
}
DECIDED = gettext_lazy("Decided in the review queue")
SKIPPED = "skip"
MOST_SKIPPED = 50


# --- the queue ----------------------------------------------------------------------------------------


@require_GET
def _queue(request: HttpRequest) -> HttpResponse:
    """The match that waits longest, but for those that were skipped."""
    return _review_page(request)


@require_POST
def _decide(request: HttpRequest, review_id: int) -> HttpResponse:
    """Same, different, or not now; the next one comes at once."""
    skipped = [*_skipped(request), review_id]
    decision = request.POST.get("decision", "")
    if decision not in ("same", "different"):
        return _next(skipped)
    person = _allowed(request, "reviews.decide")
    survivor = request.POST.get("survivor", "")
    try:
        _review, made = reviews.decide(
            review_id,
            same=decision == "same",
            actor_id=person.pk,
            reason=str(DECIDED),
            survivor_id=int(survivor) if survivor.isascii() and survivor.isdigit() else None,
        )
    except ShukeError as refusal:
        return _review_page(request, refused=str(refusal), status=refusal.status)
    if made is not None:
        names = {"other": made.other.number, "survivor": made.survivor.number}
        messages.success(request, _("%(other)s is %(survivor)s now.") % names)
    else:
        messages.success(request, _("They are two people. Nobody will ask again."))
    return _next(_skipped(request))


def _review_page(request: HttpRequest, *, refused: str = "", status: int = 200) -> HttpResponse:
    skipped = _skipped(request)
    review = reviews.following(skipped)
    context: dict[str, Any] = {
        **admin.site.each_context(request),
        "title": _("Matches to review"),
        "refused": refused,
        "review": review,
        "skipped": ",".join(map(str, skipped)),
        "may_decide": roles.can(request.user, "reviews.decide"),
        "may_merge": roles.can(request.user, "members.merge"),
    }
    if review is not None:
        survivor, other = reviews.survivor_of(review)
        waiting = reviews.waiting().count()
        context |= {
            "waiting": ngettext("%(count)s waits", "%(count)s wait", waiting) % {"count": waiting},
            "evidence": _evidence(review),
            **_side_by_side(request, merging.preview(survivor.pk, other.pk)),
        }
    return render(request, "members/merges/review.html", context, status=status)


def _skipped(request: HttpRequest) -> list[int]:
    """Those that were skipped in this sitting, the last of them."""
    text = request.POST.get(SKIPPED) or request.GET.get(SKIPPED, "")
    ids = [int(part) for part in text.split(",") if part.isascii() and part.isdigit() and len(part) < 18]
    return ids[-MOST_SKIPPED:]


def _next(skipped: list[int]) -> HttpResponse:
    query = f"?{SKIPPED}={','.join(map(str, skipped[-MOST_SKIPPED:]))}" if skipped else ""
    return HttpResponseRedirect(reverse("reviews:queue") + query)


def _evidence(review: MatchReview) -> str:
    """Why somebody has to look, in words: the reason, and which keys both have."""
    kinds = dict(Identifier.Kind.choices)
    same = [str(kinds.get(kind, kind)) for kind in review.evidence.get("same", ())]
    said = [str(MatchReview.Reason(review.reason).label)] if review.reason in MatchReview.Reason else []
    if same:
        said.append(_("Both have the same: %(keys)s") % {"keys": " · ".join(same)})
    return " · ".join(said)


# --- by hand ------------------------------------------------------------------------------------------


@require_GET
def _of_member(request: HttpRequest, number: str) -> HttpResponse:
    """The merges of a member, and the way to merge another one into them."""
    return _member_page(request, _found(number))


@require_POST
def _choose_other(request: HttpRequest, number: str) -> HttpResponse:
    """From a number, phone or e-mail to the preview; posted, so that no phone stands in an address."""
    member, asked = _found(number), request.POST.get("asked", "")
    found = _by_anything(asked)
    occasion = access.Occasion(ip=request.META.get("REMOTE_ADDR", ""))
    access.note(request.user, access.Action.SEARCH, model=Member._meta.label, member=found, occasion=occasion)
    if found is None:
        refused = _("Nobody has this phone, e-mail or member number.")
        return _member_page(request, member, refused=refused, status=404)
    if found.pk == member.pk:
        return _member_page(request, member, refused=_("That is the same member."), status=409)
    return HttpResponseRedirect(reverse("merges:with", args=[member.number, found.number]))


@require_http_methods(["GET", "POST"])
def _with(request: HttpRequest, number: str, other: str) -> HttpResponse:
    """What merging would do, field by field; and the merge itself."""
    member, second = _found(number), _found(other)
    refused, status = "", 200
    if request.method == "POST":
        person = _allowed(request, "members.merge")
        choices = {field: request.POST[field] for field in FIELDS if request.POST.get(field)}
        reason = request.POST.get("reason", "")
        try:
            merging.merge(member.pk, second.pk, actor_id=person.pk, reason=reason, choices=choices)
        except ShukeError as refusal:
            refused, status = str(refusal), refusal.status
        else:
            names = {"other": second.number, "survivor": member.number}
            messages.success(request, _("%(other)s is %(survivor)s now.") % names)
            return HttpResponseRedirect(reverse("member:show", args=[member.number]))
    try:
        seen = merging.preview(member.pk, second.pk)
    except ShukeError as refusal:
        return _member_page(request, member, refused=str(refusal), status=refusal.status)
    review = seen.review
    context = {
        **admin.site.each_context(request),
        "title": _("Merge %(other)s into %(survivor)s") % {"other": second.number, "survivor": member.number},
        "refused": refused,
        "was_different": review is not None and review.state == MatchReview.State.DIFFERENT,
        "reason": request.POST.get("reason", ""),
        "chooses": True,
        **_side_by_side(request, seen, request.POST),
    }
    return render(request, "members/merges/preview.html", context, status=status)


@require_POST
def _undo(request: HttpRequest, number: str) -> HttpResponse:
    """Undo the latest merge of a member, with the reason."""
    member, person = _found(number), _allowed(request, "members.merge")
    try:
        latest = merging.latest_of(member.pk)
        undone = merging.unmerge(latest.pk, actor_id=person.pk, reason=request.POST.get("reason", ""))
    except ShukeError as refusal:
        return _member_page(request, member, refused=str(refusal), status=refusal.status)
    names = {"other": undone.other.number, "survivor": undone.survivor.number}
    messages.success(request, _("%(other)s and %(survivor)s are two people again.") % names)
    return HttpResponseRedirect(reverse("merges:of", args=[undone.survivor.number]))


def _member_page(
    request: HttpRequest, member: Member, *, refused: str = "", status: int = 200
) -> HttpResponse:
    found = merging.merges_of(member.pk)
    context = {
        **admin.site.each_context(request),
        "title": _("Merges of %(number)s") % {"number": member.number},
        "member": member,
        "refused": refused,
        "merges": [(each, _why_merged(each)) for each in found],
        "latest": next((each for each in found if each.is_open), None),
        "may_merge": roles.can(request.user, "members.merge"),
    }
    return render(request, "members/merges/member.html", context, status=status)


def _why_merged(merge: Merge) -> str:
    """The reason that a person gave; of the matching the one that its code stands for."""
    if merge.actor_id is None and merge.reason in MatchReview.Reason:
        return str(MatchReview.Reason(merge.reason).label)
    return merge.reason


def _found(number: str) -> Member:
    try:
        return seeing.find(member_no=number)
    except MemberNotFound as unknown:
        raise Http404 from unknown


def _by_anything(asked: str) -> Member | None:
    for key in ("member_no", "phone", "email"):
        wanted: dict[str, Any] = {key: asked}
        try:
            return seeing.find(**wanted)
        except MemberNotFound:
            continue
    return None


# --- side by side -------------------------------------------------------------------------------------


def _side_by_side(
    request: HttpRequest, seen: Preview, chosen: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Both members, masked, in the same rows; and what merging them does. The look is recorded."""
    for member in (seen.survivor, seen.other):
        access.note(request.user, access.Action.VIEW, model=Member._meta.label, member=member)
    return {
        "survivor": seen.survivor,
        "other": seen.other,
        "rows": [_row(each, chosen or {}) for each in seen.fields if each.is_told],
        "effects": [line for each in seen.effects.values() for line in each.get("lines", ())],
    }


def _row(each: FieldChoice, chosen: Mapping[str, str]) -> dict[str, Any]:
    side = chosen.get(each.field) or each.chosen
    return {
        "name": each.field,
        "label": getattr(Member._meta.get_field(each.field), "verbose_name", each.field),
        "survivor": _shown(each.field, each.survivor),
        "other": _shown(each.field, each.other),
        "agreement": each.agreement,
        "agreement_text": AGREEMENTS[each.agreement],
        "tone": TONES[each.agreement],
        "chosen": side if side in (SURVIVOR, OTHER) else each.chosen,
        "why": WHY[each.why],
    }


def _shown(field: str, value: Any) -> str:
    if not value:
        return "—"
    if field in MASKS:
        return mask(MASKS[field], value)
    if field == "joined_at":
        return date_format(localtime(value), "SHORT_DATE_FORMAT")
    if field == "gender":
        return str(Member.Gender(value).label)
    return mask("text", value) if field == "profile" else str(value)


# --- who may come in ----------------------------------------------------------------------------------


def _allowed(request: HttpRequest, verb: str) -> User:
    if not roles.can(request.user, verb):
        raise PermissionDenied
    assert isinstance(request.user, User), "nobody else has a role"
    return request.user


def _inside(view: Any, verb: str) -> Any:
    """A page of the console for those who may do something; kept by no cache."""

    def page(request: HttpRequest, **arguments: Any) -> HttpResponse:
        _allowed(request, verb)
        response: HttpResponse = view(request, **arguments)
        patch_cache_control(response, no_store=True, private=True)
        return response

    return admin.site.admin_view(page)


queue, decide = _inside(_queue, "reviews.view"), _inside(_decide, "reviews.view")
of_member, choose_other = _inside(_of_member, "members.merge"), _inside(_choose_other, "members.merge")
with_other, undo = _inside(_with, "members.merge"), _inside(_undo, "members.merge")
