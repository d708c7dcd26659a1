"""The page of one member: who, how we know them, points, tier, and everything that happened (A12)."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import patch_cache_control
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from loyalty import card, grant_lines, open_claims, points, referral_page
from loyalty.console import coupon_panel, versions
from members import leaving, seeing, survivors, tags, timeline
from members.errors import MemberNotFound
from members.identity import LINK_REASONS
from members.models import Account, Member
from privacy import access, consent, roles
from privacy.access import Occasion
from privacy.errors import ShukeError
from privacy.models import ConsentEvent
from privacy.models.consent import word_for

P = ParamSpec("P")
MemberView = Callable[Concatenate[HttpRequest, Member, P], HttpResponse]

REVEALABLE = ("name", "phone", "email", "birthday")
GRANTS = 6  # the latest; all of them stand in the list
SHOWN_SECONDS = 60  # what was revealed goes back behind its mask by itself


def staff_only(view: MemberView[P]) -> Callable[Concatenate[HttpRequest, str, P], HttpResponse]:
    """A page about a member in the console: for staff who may find members; kept by no cache."""

    @wraps(view)
    def page(request: HttpRequest, number: str, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if not roles.can(request.user, "members.find"):
            raise PermissionDenied
        try:
            member = seeing.find(member_no=number)
        except MemberNotFound as unknown:
            raise Http404 from unknown
        response = view(request, member, *args, **kwargs)
        patch_cache_control(response, no_store=True, private=True)
        return response

    inside: Any = admin.site.admin_view(page)
    return inside


@require_POST
def find(request: HttpRequest) -> HttpResponse:
    """From a phone, e-mail or member number to the page; posted, so that no phone stands in an address."""
    if not roles.can(request.user, "members.find"):
        raise PermissionDenied
    asked = request.POST.get("asked", "")
    found = _found(asked)
    access.note(
        request.user,
        access.Action.SEARCH,
        model=Member._meta.label,
        member=found,
        occasion=_occasion(request),
    )
    if found is None:
        messages.warning(request, _("Nobody has this phone, e-mail or member number."))
        return HttpResponseRedirect(reverse("admin:index"))
    return _back(found)


def _found(asked: str) -> Member | None:
    for key in ("member_no", "phone", "email"):
        wanted: dict[str, Any] = {key: asked}
        try:
            return seeing.find(**wanted)
        except MemberNotFound:
            continue
    return None


@require_GET
@staff_only
def show(request: HttpRequest, member: Member) -> HttpResponse:
    """The page; `?kind=` narrows the time line, `?before=` pages on."""
    if timeline.read_cursor(request.GET.get("before", "")) is None:
        access.note(
            request.user,
            access.Action.VIEW,
            model=Member._meta.label,
            member=member,
            occasion=_occasion(request),
        )
    return _page(request, member)


@require_POST
@staff_only
def reveal(request: HttpRequest, member: Member) -> HttpResponse:
    """Show chosen fields in clear for a minute, with a reason, on record (D5)."""
    fields = [field for field in request.POST.getlist("fields") if field in REVEALABLE]
    try:
        clear = access.reveal(
            request.user,
            member,
            member,
            fields or REVEALABLE,
            request.POST.get("reason", ""),
            occasion=_occasion(request),
        )
    except ShukeError as refusal:
        return _page(request, member, refused=str(refusal), status=refusal.status)
    response = _page(request, member, clear=clear)
    response["Refresh"] = f"{SHOWN_SECONDS}; url={reverse('member:show', args=[member.number])}"
    return response


@require_POST
@staff_only
def give_tag(request: HttpRequest, member: Member) -> HttpResponse:
    """Put a tag on the member."""
    if not roles.can(request.user, "members.tag"):
        raise PermissionDenied
    try:
        tags.give(member, request.POST.get("name", ""), actor_id=request.user.pk)
    except ShukeError as refusal:
        return _page(request, member, refused=str(refusal), status=refusal.status)
    return _back(member)


@require_POST
@staff_only
def take_tag(request: HttpRequest, member: Member, code: str) -> HttpResponse:
    """Take a tag off the member."""
    if not roles.can(request.user, "members.tag"):
        raise PermissionDenied
    tags.take_away(member, code)
    return _back(member)


@require_POST
@staff_only
def give_coupon(request: HttpRequest, member: Member) -> HttpResponse:
    """Give the member a coupon by hand, with the reason."""
    if not roles.can(request.user, "coupons.give"):
        raise PermissionDenied
    try:
        name = coupon_panel.give(member.pk, request.POST, actor_id=request.user.pk)
    except ShukeError as refusal:
        return _page(request, member, refused=str(refusal), status=refusal.status)
    messages.success(request, _("Given: %(name)s") % {"name": name})
    return _back(member)


def _back(member: Member) -> HttpResponseRedirect:
    return HttpResponseRedirect(reverse("member:show", args=[member.number]))


def _occasion(request: HttpRequest) -> Occasion:
    return Occasion(request_id=getattr(request, "request_id", ""), ip=request.META.get("REMOTE_ADDR", ""))


def _page(
    request: HttpRequest,
    member: Member,
    *,
    clear: dict[str, Any] | None = None,
    refused: str = "",
    status: int = 200,
) -> HttpResponse:
    user = request.user
    context = {
        **admin.site.each_context(request),
        "title": member.number,
        "member": member,
        "card": card.of_member(member),
        "fields": [_field(member, name, clear) for name in REVEALABLE],
        "is_clear": clear is not None,
        "refused": refused,
        "may_reveal": access.may_see_clear(user),
        "may_tag": roles.can(user, "members.tag"),
        "may_merge": roles.can(user, "members.merge"),
        "may_unbind": roles.can(user, leaving.VERB),
        "may_adjust": roles.can(user, "points.adjust"),
        "holds": points.open_holds(member.pk) if roles.can(user, "points.view") else [],
        "may_see_consents": roles.can(user, "consent.view"),
        "accounts": _accounts(member),
        "consents": _consents(member),
        "grants": grant_lines.latest(member.pk, limit=GRANTS) if roles.can(user, "points.view") else [],
        "may_see_grants": roles.can(user, "points.view"),
        "coupons": coupon_panel.of(member.pk, user),
        "open_claims": open_claims.of_member(member.pk) if roles.can(user, "rewards.view") else [],
        "referral": referral_page.of(member.pk) if roles.can(user, "referrals.view") else None,
        "tags": tags.of(member),
        "known_tags": tags.known(),
        "versions": versions.addresses(user),
        **_timeline(request, member),
    }
    return render(request, "loyalty/member/page.html", context, status=status)


def _field(member: Member, name: str, clear: dict[str, Any] | None) -> dict[str, Any]:
    label = getattr(Member._meta.get_field(name), "verbose_name", name)
    value = access.masked(member, name) if clear is None or name not in clear else clear[name]
    return {"name": name, "label": label, "value": value}


def _accounts(member: Member) -> list[dict[str, Any]]:
    """How we know this person: each account with the reason for its link (A5)."""
    found = (
        Account.objects.filter(member__in=survivors.same_person(member.pk))
        .select_related("channel")
        .order_by("linked_at")
    )
    return [
        {
            "account": account,
            "id": access.masked(account, "external_id"),
            "linked_by": LINK_REASONS.get(account.linked_by, account.linked_by),
        }
        for account in found
    ]


def _consents(member: Member) -> list[dict[str, Any]]:
    said = sorted(consent.current(member).items())
    return [
        {
            "purpose": word_for(key[0], ConsentEvent.Purpose),
            "way": "" if key[1] == ConsentEvent.ANY_CHANNEL else word_for(key[1], ConsentEvent.Way),
            "party": key[2],
            "granted": granted,
        }
        for key, granted in said
    ]


def _timeline(request: HttpRequest, member: Member) -> dict[str, Any]:
    known = timeline.kinds()
    allowed = [name for name in known if roles.can(request.user, known[name].verb)]
    kind = request.GET.get("kind", "")
    chosen = [kind] if kind in allowed else allowed
    cursor = timeline.read_cursor(request.GET.get("before", ""))
    page = timeline.read(member, chosen, cursor=cursor, limit=timeline.PAGE)
    return {
        "events": page.happenings,
        "kinds": [("", _("All")), *((name, known[name].title) for name in allowed)],
        "kind": kind if kind in allowed else "",
        "is_later_page": cursor is not None,
        "older": str(page.older) if page.older else "",
    }
