"""The e-card: who has just joined, tier and points, and a code for the counter that is always fresh (A7, A8).

For twelve hours after the code to the phone, in the browser that typed it. The profile is completed here, one
small step at a time; each may be left out, and says what it earns.
"""

from base64 import b64encode
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from loyalty import card, newcomers
from loyalty.pages import kept
from loyalty.pages.forms import STEP_FORMS
from loyalty.pages.showing import show
from members import joining, member_codes, seeing
from members.errors import EnrolmentUnknown, MemberNotFound
from members.models import Enrolment, Member

UNPROCESSABLE = 422
FRESH_SECONDS = 30  # after which the page asks for another code; one lives for a minute

View = Callable[..., HttpResponse]


def _of_member(view: View) -> View:
    """A page for the member whom this browser has proved to be; for others, a word on how to get here."""

    @wraps(view)
    @kept.private
    def page(request: HttpRequest, **arguments: Any) -> HttpResponse:
        enrolment_id = kept.joined(request)
        try:
            if enrolment_id is None:
                raise EnrolmentUnknown
            enrolment = joining.find(enrolment_id, Enrolment.State.CONFIRMED)
            assert enrolment.member is not None
            member = seeing.survivor(enrolment.member)
        except (EnrolmentUnknown, MemberNotFound):
            response = show(request, "nobody", status=403)
            kept.forget(response)
            return response
        return view(request, enrolment, member, **arguments)

    return page


@require_GET
@_of_member
def card_page(request: HttpRequest, enrolment: Enrolment, member: Member) -> HttpResponse:
    """The card, with a code that desk and till can scan."""
    context = {
        "card": card.of_member(member, purchases=0),
        "live": _live(member),
        "seconds": FRESH_SECONDS,
        "steps": newcomers.missing_steps(member.pk),
        "now": timezone.now(),
    }
    return show(request, "card", context, here=reverse("card:show"))


@require_POST
@_of_member
def fresh_code(request: HttpRequest, enrolment: Enrolment, member: Member) -> HttpResponse:
    """The next code, for the card's own script."""
    return JsonResponse(_live(member))


@require_GET
@_of_member
def welcome(request: HttpRequest, enrolment: Enrolment, member: Member) -> HttpResponse:
    """Done: the member number, the way to the card, and the next step of the profile."""
    return _welcome(request, enrolment, member)


@require_POST
@_of_member
def step(request: HttpRequest, enrolment: Enrolment, member: Member, step: str) -> HttpResponse:
    """Take one step of the profile."""
    if step not in STEP_FORMS:
        raise Http404
    form = STEP_FORMS[step](request.POST)
    if not form.is_valid():
        return _welcome(request, enrolment, member, form=form, at=step, status=UNPROCESSABLE)
    newcomers.tell(enrolment, form.cleaned_data)
    return HttpResponseRedirect(reverse("card:welcome"))


@require_POST
@kept.private
def leave(request: HttpRequest) -> HttpResponse:
    """Forget the card in this browser, which may be somebody else's next."""
    response = show(request, "nobody", {"has_left": True})
    kept.forget(response)
    return response


def _welcome(
    request: HttpRequest,
    enrolment: Enrolment,
    member: Member,
    *,
    form: Any = None,
    at: str = "",
    status: int = 200,
) -> HttpResponse:
    missing = newcomers.missing_steps(member.pk)
    passed = request.GET.getlist("not")
    left = [each for each in missing if each not in passed]
    now = at or (left[0] if left else "")
    context = {
        "member": member,
        "enrolment": enrolment,
        "step": now,
        "form": form or (STEP_FORMS[now]() if now else None),
        "earns": newcomers.earned_by(now) if now else "",
        "place": len(newcomers.STEPS) - len(missing) + 1,
        "places": len(newcomers.STEPS),
        "passed": [*(each for each in passed if each in STEP_FORMS), *([now] if now else [])],
        "said": "" if enrolment.is_new_member else _("Welcome back: this phone was a member already."),
    }
    return show(request, "welcome", context, here=reverse("card:welcome"), status=status)


def _live(member: Member) -> dict[str, Any]:
    """A fresh code, as pictures that a page may show under a strict policy."""
    live = member_codes.make(member.pk)
    return {
        "qr": _as_data(member_codes.qr(live.text)),
        "barcode": _as_data(member_codes.barcode_128(live.text)),
        "expires_at": live.expires_at.isoformat(),
    }


def _as_data(picture: str) -> str:
    return f"data:image/svg+xml;base64,{b64encode(picture.encode()).decode()}"
