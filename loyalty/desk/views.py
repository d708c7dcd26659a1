"""The desk: find, sell, enrol (E1). A door: it reads what was typed, calls one operation, and shows.

Every page works as a page; desk.js asks for the same addresses and gets the part that changes.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from loyalty import card, counter, referral_codes
from loyalty.counter import Sale
from loyalty.desk import enrolling, sums
from loyalty.desk.forms import EnrolForm, FindForm, TillForm
from loyalty.desk.showing import PART, known, part, refused, show
from loyalty.desk.station import Station, occasion, staffed
from loyalty.desk.sums import Shown
from loyalty.errors import OrderNotFound
from loyalty.quotes import Offered
from members import member_codes, seeing
from members.errors import CodeWrong, MemberNotFound
from members.models import Member, Store
from members.templatetags.amounts import yuan
from privacy import access, markdown, notices
from privacy.errors import NoticeUnknown, ShukeError

UNPROCESSABLE = 422
# Within this time the same amount for the same member may be a clerk who reloaded after a lost line.
REPEATED_WITHIN = timedelta(minutes=10)


@require_GET
@staffed
def counter_page(request: HttpRequest, station: Station) -> HttpResponse:
    """The desk with nobody at it."""
    return show(request, station, "welcome", {}, url=reverse("desk:counter"))


@require_POST
@staffed
def find(request: HttpRequest, station: Station) -> HttpResponse:
    """From a phone, a member number or a scan to the card in one step; from an unknown phone to enrolment."""
    form = FindForm(request.POST)
    key = form.key() if form.is_valid() else None
    if key is None:
        hint = _("This is neither a phone nor a member number. Check the digits and try again.")
        return show(request, station, "unknown", {"hint": hint})
    kind, value = key
    found, hint = _found(station, kind, value)
    access.note(
        request.user,
        access.Action.SEARCH,
        model=Member._meta.label,
        member=found,
        fields=[kind],
        occasion=occasion(request),
    )
    if found is not None:
        return _member(request, station, found)
    if kind == "phone" and station.may_enrol:
        enrol_form = EnrolForm(initial={"phone": form.cleaned_data["asked"].strip()})
        return _enrol_page(request, station, enrol_form)
    return show(request, station, "unknown", {"hint": hint})


def _found(station: Station, kind: str, value: str) -> tuple[Member | None, str]:
    """The member, or None and what the clerk is told. A member code is used by this."""
    try:
        if kind == "code":
            channel = station.store.channel if station.store else None
            return member_codes.spend(value, channel=channel, actor_id=station.user.pk), ""
        return seeing.find(member_no=value) if kind == "member_no" else seeing.find(phone=value), ""
    except MemberNotFound:
        if kind == "phone":
            return None, _("No member has this phone.")
        return None, _("No member has this number. Check it, or ask for the phone.")
    except ShukeError as refusal:
        return None, str(refusal)


@require_GET
@staffed
def member(request: HttpRequest, station: Station, number: str) -> HttpResponse:
    """A member's card and an empty till."""
    return _member(request, station, known(number))


@require_POST
@staffed
def quote(request: HttpRequest, station: Station, number: str) -> HttpResponse:
    """What the sale as typed so far would come to."""
    someone = known(number)
    if station.store is None or not station.may_sell:
        return refused(request, station)
    form = TillForm(request.POST)
    form.full_clean()
    context = _till(station.store, someone, form)
    if request.headers.get(PART):
        complaint = form.errors.get("points") or (request.POST.get("amount") and form.errors.get("amount"))
        context["quote_error"] = complaint[0] if complaint else ""
        return part(request, "quote", {"station": station, **context})
    return _member(request, station, someone, context)


@require_POST
@staffed
def sell(request: HttpRequest, station: Station, number: str) -> HttpResponse:
    """Record a sale, once for each nonce, and show its receipt."""
    someone = known(number)
    form = TillForm(request.POST)
    if station.store is None or not station.may_sell:
        return refused(request, station)
    if not form.is_valid() or _repeats(station.store, someone, form):
        till = _till(station.store, someone, form)
        return _member(request, station, someone, till, status=UNPROCESSABLE)
    try:
        sale = counter.sell(
            station.store,
            someone.pk,
            amount=form.cleaned_data["amount"],
            points_used=_points(station.store, someone, form),
            codes=form.codes(),
            with_coupons=form.cleaned_data["use_coupons"],
            to_pay=form.seen_to_pay(),
            nonce=form.cleaned_data["nonce"],
            actor_id=request.user.pk,
        )
    except ShukeError as refusal:
        form.add_error(None, str(refusal))
        till = _till(station.store, someone, form)
        return _member(request, station, someone, till, status=refusal.status)
    asked_otherwise = not sale.is_new and sale.amount != form.cleaned_data["amount"]
    return _receipt(request, station, someone, sale, asked_otherwise=asked_otherwise)


@require_GET
@staffed
def receipt(request: HttpRequest, station: Station, number: str, order: str) -> HttpResponse:
    """The receipt of a sale of this store, again."""
    someone = known(number)
    if station.store is None:
        raise Http404
    try:
        sale = counter.find_sale(station.store, someone.pk, order)
    except OrderNotFound as unknown:
        raise Http404 from unknown
    return _receipt(request, station, someone, sale)


@require_POST
@staffed
def enrol(request: HttpRequest, station: Station) -> HttpResponse:
    """Make a member of a phone; a phone that somebody has leads to that member's card."""
    if station.store is None or not station.may_enrol:
        return refused(request, station)
    form = EnrolForm(request.POST)
    if not form.is_valid():
        return _enrol_page(request, station, form, status=UNPROCESSABLE)
    try:
        if "send_code" in request.POST:
            return _enrol_page(request, station, form, sent=enrolling.send_code(station, form, _shown()))
        enrolled = enrolling.enrol(station, form, _shown())
    except ShukeError as refusal:
        form.add_error("code" if isinstance(refusal, CodeWrong) else None, str(refusal))
        return _enrol_page(request, station, form, sent=form.cleaned_data["enrolment"], status=refusal.status)
    someone = Member.objects.get(pk=enrolled.member_id)
    said = (
        _("This phone was a member already.") if enrolled.was_known else _("Welcome! The member is enrolled.")
    )
    return _member(request, station, someone, {"said": said})


# -- Reading ---------------------------------------------------------------------------------------------


def _points(store: Store, someone: Member, form: TillForm) -> int:
    """The points to use: what was asked for, or the most that can be when no number was typed."""
    wanted = form.wanted()
    if form.cleaned_data.get("points") is not None or not wanted:
        return wanted
    return _offered(store, someone, form).points


def _offered(store: Store, someone: Member, form: TillForm) -> Offered:
    return counter.preview(
        store,
        someone.pk,
        form.cleaned_data["amount"],
        form.wanted(),
        codes=form.codes(),
        with_coupons=form.cleaned_data["use_coupons"],
    )


def _quote(store: Store, someone: Member, form: TillForm) -> Shown | None:
    if form.cleaned_data.get("amount") is None:
        return None
    try:
        offered = _offered(store, someone, form)
        return sums.of(offered, seen=form.shown(offered.to_pay))
    except ShukeError as refusal:
        form.add_error("amount", str(refusal))
        return None


def _repeats(store: Store, someone: Member, form: TillForm) -> bool:
    """Whether another form recorded the same amount a moment ago and nobody said this is another sale."""
    if form.cleaned_data["again"]:
        return False
    own = counter.sale_number(store, form.cleaned_data["nonce"])
    since = timezone.now() - REPEATED_WITHIN
    for sold in counter.sales(store, someone.pk, limit=3):
        if sold.number == own:
            return False
        if sold.goods == form.cleaned_data["amount"] and sold.paid_at > since:
            form.asks_again = True
            message = _("%(amount)s was recorded for this member at %(time)s. Is this another purchase?")
            time = timezone.localtime(sold.paid_at).strftime("%H:%M")
            form.add_error(None, message % {"amount": yuan(sold.net), "time": time})
            return True
    return False


def _shown() -> dict[str, str]:
    """The versions of what the clerk's page shows, by kind."""
    return {notice.kind: notice.version for notice in _notices()}


def _notices() -> Iterator[Any]:
    """The agreement and the privacy notice in force, in the reader's language, with their text as HTML."""
    for kind in (notices.Kind.AGREEMENT, notices.Kind.PRIVACY):
        try:
            notice: Any = notices.current(kind, get_language() or "en")
        except NoticeUnknown:
            continue
        notice.html = markdown.html(notice.body)
        yield notice


# -- Showing ---------------------------------------------------------------------------------------------


def _till(store: Store, someone: Member, form: TillForm) -> dict[str, Any]:
    return {"form": form, "quote": _quote(store, someone, form)}


def _member(
    request: HttpRequest,
    station: Station,
    someone: Member,
    context: dict[str, Any] | None = None,
    *,
    status: int = 200,
) -> HttpResponse:
    url = reverse("desk:member", args=[someone.number])
    shown = {"card": card.of_member(someone), "form": TillForm(), **(context or {})}
    shown["referral_code"] = referral_codes.code_of_survivor(someone.pk)
    return show(request, station, "member", shown, url=url, status=status)


def _receipt(
    request: HttpRequest, station: Station, someone: Member, sale: Sale, *, asked_otherwise: bool = False
) -> HttpResponse:
    url = reverse("desk:receipt", args=[someone.number, sale.order_number])
    if request.method == "POST" and not request.headers.get(PART) and sale.is_new:
        return HttpResponseRedirect(url)
    context = {"card": card.of_member(someone), "sale": sale, "asked_otherwise": asked_otherwise}
    context["is_repeat"] = request.method == "POST" and not sale.is_new
    return show(request, station, "receipt", context, url=url)


def _enrol_page(
    request: HttpRequest, station: Station, form: EnrolForm, *, sent: UUID | None = None, status: int = 200
) -> HttpResponse:
    """The form; with `sent`, the enrolment that a code went out for, it also asks for the code."""
    context = {"form": form, "notices": list(_notices()), "sent": sent}
    return show(request, station, "enrol", context, status=status)
