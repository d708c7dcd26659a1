"""Joining by a store's QR code: phone, code, done (A8). Public pages, for people with a phone in their hand.

The address names the store and nobody; what is typed goes in bodies. Asking for a code answers the same
whether the phone is a member's or not, and too much of it is refused by phone, address and channel.
"""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import get_language
from django.views.decorators.http import require_http_methods, require_POST

from loyalty import newcomers
from loyalty.pages import kept
from loyalty.pages.forms import CodeForm, JoinForm
from loyalty.pages.showing import show
from members import joining, store_links
from members.errors import EnrolmentUnknown, TooOften
from members.facts import ConsentFact
from members.joining import Words
from members.models import Enrolment, Store
from members.network import address_of
from privacy import markdown, notices
from privacy.errors import NoticeUnknown, ShukeError
from privacy.masking import mask_phone

UNPROCESSABLE = 422
CONSENTS = {"marketing": "sms", "personalisation": "any"}
SHOWN = (notices.Kind.AGREEMENT, notices.Kind.PRIVACY, notices.Kind.TIPS)
State = Enrolment.State


@require_http_methods(["GET", "POST"])
@kept.private
def begin(request: HttpRequest, token: str) -> HttpResponse:
    """The store's page: read what is shown, type a phone, and be sent a code."""
    try:
        store = _store(token)
    except Http404:
        # Whoever scanned a torn or old code is a customer: the way to the start is for staff.
        return show(request, "unknown", here=request.path, status=404)
    if request.method == "POST":
        return _ask_for_code(request, token, store)
    response = _begin_page(request, token, store, JoinForm())
    enrolment = _begun(request, store)
    if enrolment is None and (arrived := joining.arrive(store.channel, store, ip=address_of(request))):
        kept.keep_joining(response, arrived)
    return response


def _ask_for_code(request: HttpRequest, token: str, store: Store) -> HttpResponse:
    form = JoinForm(request.POST)
    if not form.is_valid():
        return _begin_page(request, token, store, form, status=UNPROCESSABLE)
    begun = _begun(request, store)
    try:
        asked = joining.begin(
            store.channel,
            form.cleaned_data["phone"],
            origin=Enrolment.Origin.PAGE,
            words=newcomers.check(_words(request, form)),
            store_id=store.pk,
            ip=address_of(request),
            arrived=begun.pk if begun else None,
        )
    except ShukeError as refusal:
        form.add_error(None, str(refusal))
        return _refused(_begin_page(request, token, store, form, status=refusal.status), refusal)
    response = HttpResponseRedirect(reverse("join:code", args=[token]))
    kept.keep_joining(response, asked.id)
    return response


@require_http_methods(["GET", "POST"])
@kept.private
def code(request: HttpRequest, token: str) -> HttpResponse:
    """Type the code that came."""
    store = _store(token)
    enrolment = _begun(request, store)
    if enrolment is None or enrolment.state != State.WAITING:
        return HttpResponseRedirect(reverse("join:begin", args=[token]))
    if request.method == "GET":
        return _code_page(request, token, store, enrolment, CodeForm())
    form = CodeForm(request.POST)
    if not form.is_valid():
        return _code_page(request, token, store, enrolment, form, status=UNPROCESSABLE)
    try:
        joined = newcomers.confirm(enrolment.pk, store.channel, form.cleaned_data["code"])
    except ShukeError as refusal:
        form.add_error("code", str(refusal))
        return _code_page(request, token, store, enrolment, form, status=refusal.status)
    response = HttpResponseRedirect(reverse("card:welcome"))
    kept.keep_joined(response, joined.enrolment_id)
    return response


@require_POST
@kept.private
def resend(request: HttpRequest, token: str) -> HttpResponse:
    """Send another code to the same phone."""
    store = _store(token)
    enrolment = _begun(request, store)
    if enrolment is None or enrolment.state != State.WAITING:
        return HttpResponseRedirect(reverse("join:begin", args=[token]))
    try:
        joining.resend(enrolment.pk, store.channel, ip=address_of(request))
    except TooOften as refusal:
        form = CodeForm()
        page = _code_page(
            request, token, store, enrolment, form, complaint=str(refusal), status=refusal.status
        )
        return _refused(page, refusal)
    return HttpResponseRedirect(reverse("join:code", args=[token]))


# -- Reading ---------------------------------------------------------------------------------------------


def _store(token: str) -> Store:
    store = store_links.read(token)
    if store is None:
        raise Http404
    return store


def _begun(request: HttpRequest, store: Store) -> Enrolment | None:
    """What this browser has begun in this store and not ended."""
    enrolment_id = kept.joining(request)
    if enrolment_id is None:
        return None
    try:
        found = joining.find(enrolment_id, State.OPENED, State.WAITING)
    except EnrolmentUnknown:
        return None
    return found if found.store_id == store.pk else None


def _words(request: HttpRequest, form: JoinForm) -> Words:
    """What was ticked, with the versions of the texts that stood on the page."""
    shown = {notice.kind: notice.version for notice in _notices()}
    for kind in shown:
        version = request.POST.get(f"shown_{kind}", "")
        if notices.is_published(kind, version):
            shown[kind] = version
    consents = tuple(
        ConsentFact(purpose=purpose, channel=channel, granted=True, notice=shown.get("privacy", ""))
        for purpose, channel in CONSENTS.items()
        if form.cleaned_data[purpose]
    )
    return Words(notices=shown, consents=consents, referred_by=form.cleaned_data["referred_by"].strip())


def _notices() -> list[Any]:
    """The agreement, the privacy notice and the tips in force, in the reader's language."""
    found: list[Any] = []
    for kind in SHOWN:
        try:
            notice: Any = notices.current(kind, get_language() or "en")
        except NoticeUnknown:
            continue
        notice.html = markdown.html(notice.body)
        found.append(notice)
    return found


# -- Showing ---------------------------------------------------------------------------------------------


def _begin_page(
    request: HttpRequest, token: str, store: Store, form: JoinForm, *, status: int = 200
) -> HttpResponse:
    context = {"form": form, "store": store, "token": token, "notices": _notices()}
    return show(request, "join", context, here=reverse("join:begin", args=[token]), status=status)


def _code_page(
    request: HttpRequest,
    token: str,
    store: Store,
    enrolment: Enrolment,
    form: CodeForm,
    *,
    complaint: str = "",
    status: int = 200,
) -> HttpResponse:
    context = {
        "form": form,
        "store": store,
        "token": token,
        "phone": mask_phone(enrolment.phone),
        "complaint": complaint,
    }
    return show(request, "code", context, here=reverse("join:code", args=[token]), status=status)


def _refused(response: HttpResponse, refusal: ShukeError) -> HttpResponse:
    """Say when to come again, where that is known."""
    if "seconds" in refusal.details:
        response["Retry-After"] = str(refusal.details["seconds"])
    return response
