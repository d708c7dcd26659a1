"""Claims that somebody still has to do something about, as lists and pages show them (B8)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db.models import Count, QuerySet
from django.utils.translation import gettext as _

from loyalty import reward_words
from loyalty.fulfilment import CANCELLABLE, READY, TO_DO
from loyalty.models import Claim
from members import survivors
from members.models import Member

State, Way = Claim.State, Claim.Way


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One claim in words, with the steps that may come next."""

    id: int
    name: str
    sentence: str
    member: Member
    state: str
    state_label: str
    way: str
    way_label: str
    points: int
    money: Decimal
    channel_id: int | None
    channel_name: str
    store_name: str
    store_id: int | None
    tracking: str
    claimed_at: datetime

    @property
    def can_prepare(self) -> bool:
        return self.state == State.CLAIMED

    @property
    def can_hand_over(self) -> bool:
        return self.state in READY and self.way != Way.PARCEL

    @property
    def can_ship(self) -> bool:
        return self.state in READY and self.way == Way.PARCEL

    @property
    def can_arrive(self) -> bool:
        return self.state == State.SHIPPED

    @property
    def can_cancel(self) -> bool:
        return self.state in CANCELLABLE


def everywhere(*, way: str = "", state: str = "", store_id: int | None = None) -> QuerySet[Claim]:
    """The open claims, the oldest first; '' and None do not narrow."""
    found = _narrowed(way, store_id).order_by("claimed_at", "pk")
    if state:
        found = found.filter(state=state)
    return found.select_related("member", "channel", "store")


def _narrowed(way: str, store_id: int | None) -> QuerySet[Claim]:
    found = Claim.objects.filter(state__in=TO_DO)
    if way:
        found = found.filter(way=way)
    return found if store_id is None else found.filter(store=store_id)


def counts(*, way: str = "", store_id: int | None = None) -> list[tuple[str, str, int]]:
    """How many are open in each state: (state, its name, number); first all of them, under ''."""
    counted = dict(_narrowed(way, store_id).values_list("state").annotate(number=Count("pk")))
    each = [(str(state), str(state.label), counted.get(state, 0)) for state in TO_DO]
    return [("", _("All"), sum(counted.values())), *each]


def of_member(member_id: int, *, limit: int = 20) -> list[Row]:
    """A member's open claims, the oldest first."""
    return rows(everywhere().filter(member__in=survivors.same_person(member_id))[:limit])


def rows(claims: Iterable[Claim]) -> list[Row]:
    """Claims as they are shown; their member, channel and store should be loaded with them."""
    return [row(claim) for claim in claims]


def row(claim: Claim) -> Row:
    """One claim as it is shown."""
    return Row(
        id=claim.pk,
        name=reward_words.name_of(claim.why, claim.reward),
        sentence=reward_words.sentence(claim.why),
        member=claim.member,
        state=claim.state,
        state_label=str(State(claim.state).label),
        way=claim.way,
        way_label=str(Way(claim.way).label),
        points=claim.points,
        money=claim.money,
        channel_id=claim.channel_id,
        channel_name=claim.channel.name if claim.channel else "",
        store_name=claim.store.name if claim.store else "",
        store_id=claim.store_id,
        tracking=claim.tracking,
        claimed_at=claim.claimed_at,
    )


def said(claim: Claim) -> str:
    """What has just become of a claim, for whoever did it."""
    name = reward_words.name_of(claim.why, claim.reward)
    if claim.state == State.CANCELLED and claim.money:
        money = reward_words.price(0, claim.money)
        return _("%(name)s: cancelled. Give %(money)s back.") % {"name": name, "money": money}
    words = {
        State.CLAIMED: _("%(name)s: claimed."),
        State.PREPARED: _("%(name)s: prepared."),
        State.SHIPPED: _("%(name)s: on its way."),
        State.DONE: _("%(name)s: done."),
        State.CANCELLED: _("%(name)s: cancelled."),
        State.WAITING: _("%(name)s: waits for stock."),
    }
    return words[State(claim.state)] % {"name": name}
