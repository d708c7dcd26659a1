"""Rewards at the desk (B8): what this member can have, one touch to claim it, and what waits for them."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from loyalty import card, catalogue, open_claims, rewards
from loyalty.desk.forms import ClaimForm, new_nonce
from loyalty.desk.showing import PART, known, refused, show
from loyalty.desk.station import Station, staffed
from loyalty.models import Claim
from loyalty.open_claims import Row
from members import survivors
from members.models import Member
from privacy.errors import ShukeError

UNPROCESSABLE = 422
# Why claims are undone at a counter. What was chosen is kept with the claim, as the clerk read it.
UNDONE = {
    "mind": gettext_lazy("Changed their mind"),
    "mistake": gettext_lazy("Claimed by mistake"),
    "goods": gettext_lazy("Goods missing or damaged"),
}


@require_GET
@staffed
def shelf(request: HttpRequest, station: Station, number: str) -> HttpResponse:
    """The catalogue as this member sees it, and their open claims."""
    return _shelf(request, station, known(number))


@require_POST
@staffed
def claim(request: HttpRequest, station: Station, number: str, code: str) -> HttpResponse:
    """Claim a reward, once for each nonce, at the price that was shown."""
    someone = known(number)
    if station.store is None or not station.may_claim:
        return refused(request, station)
    form = ClaimForm(request.POST)
    if not form.is_valid():
        complaint = _("This page is too old. Choose the reward again.")
        return _shelf(request, station, someone, complaint=complaint, code=code, status=UNPROCESSABLE)
    try:
        done = rewards.claim(
            someone.pk,
            code,
            cause=f"desk:{form.cleaned_data['nonce']}",
            channel=station.store.channel,
            store_id=station.store.pk,
            actor_id=request.user.pk,
            way=form.cleaned_data["way"],
            points=form.cleaned_data["points"],
            money=form.cleaned_data["money"],
        )
    except ShukeError as refusal:
        return _shelf(request, station, someone, complaint=str(refusal), code=code, status=refusal.status)
    return _done(request, station, someone, done.claim, just_claimed=True)


@require_POST
@staffed
def hand_over(request: HttpRequest, station: Station, number: str, claim_id: int) -> HttpResponse:
    """Note that the member has what they claimed; of another store it is handed over there."""
    someone = known(number)
    if station.store is None or not station.may_hand_over:
        return refused(request, station)
    _own(station, someone, claim_id)
    try:
        done = rewards.hand_over(claim_id, actor_id=request.user.pk, store_id=station.store.pk)
    except ShukeError as refusal:
        return _shelf(request, station, someone, complaint=str(refusal), status=refusal.status)
    return _done(request, station, someone, done)


@require_POST
@staffed
def cancel(request: HttpRequest, station: Station, number: str, claim_id: int) -> HttpResponse:
    """Undo a claim that was not handed over; its points go back to their lots."""
    someone = known(number)
    if station.store is None or not station.may_hand_over:
        return refused(request, station)
    _own(station, someone, claim_id)
    reason = str(UNDONE.get(request.POST.get("why", ""), UNDONE["mind"]))
    try:
        done = rewards.cancel(claim_id, reason=reason, actor_id=request.user.pk)
    except ShukeError as refusal:
        return _shelf(request, station, someone, complaint=str(refusal), status=refusal.status)
    return _done(request, station, someone, done)


def _own(station: Station, someone: Member, claim_id: int) -> None:
    """404 for a claim of another member, or one that is to be picked up in another store."""
    found = Claim.objects.filter(pk=claim_id, member__in=survivors.same_person(someone.pk)).first()
    if found is None or not _is_here(station, found.store_id):
        raise Http404


def _is_here(station: Station, store_id: int | None) -> bool:
    return station.store is not None and store_id in (None, station.store.pk)


def _done(
    request: HttpRequest, station: Station, someone: Member, changed: Claim, *, just_claimed: bool = False
) -> HttpResponse:
    if not request.headers.get(PART):
        return HttpResponseRedirect(reverse("desk:rewards", args=[someone.number]))
    new_claim = changed.pk if just_claimed else None
    return _shelf(request, station, someone, said=open_claims.said(changed), new_claim=new_claim)


def _shelf(
    request: HttpRequest,
    station: Station,
    someone: Member,
    *,
    said: str = "",
    new_claim: int | None = None,
    complaint: str = "",
    code: str = "",
    status: int = 200,
) -> HttpResponse:
    waiting = open_claims.of_member(someone.pk)
    context = {
        "card": card.of(someone.pk),
        "said_of_reward": said,
        "complaint": complaint,
        "complaint_code": code,
        "offers": [{"reward": offer, "nonce": new_nonce()} for offer in _sorted(catalogue.of(someone.pk))],
        "claims": [_waiting(station, each) for each in waiting],
        "undone": UNDONE,
        "ways": dict(Claim.Way.choices),
        "new_claim": new_claim,
    }
    url = reverse("desk:rewards", args=[someone.number])
    return show(request, station, "rewards", context, url=url, status=status)


def _waiting(station: Station, row: Row) -> dict[str, Any]:
    """An open claim, whether it is handed over here, and whether its money was not taken elsewhere."""
    collects = station.store is not None and row.channel_id == station.store.channel_id
    return {"row": row, "is_here": _is_here(station, row.store_id), "collects": collects}


def _sorted(cards: list[catalogue.Card]) -> list[catalogue.Card]:
    """What the member can have first, sales before the rest; the programme's order within."""
    return sorted(cards, key=lambda each: (not each.can_claim, each.sale is None))
