"""Behaviour events: what buyers do in a channel, told by it in batches (A10).

Promises: an event is kept once for as long as events are kept, whatever time it is told with the second time;
one bad event does not stop the others; nobody becomes a member by looking. A buyer whom we do not know is
kept as a visitor, whose events lead to the member from the moment their account is there.

A batch costs a fixed number of statements: four where buyers are told by their ids.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction

from members import acquaintances, event_rows, identity, versions
from members.cleaning import SHANGHAI
from members.errors import BuyerUnknown, EventInFuture, EventTooOld, MemberNotFound, MembersError
from members.event_rows import EventRow, Stranger
from members.facts import AccountFact, EventFact
from members.keys import Key, account_index, external_id_of, keys_of
from members.models import Channel
from members.numbers import read_number

AHEAD = timedelta(days=1)  # how far a clock elsewhere may be ahead of ours
MONTHS_AHEAD = 2
FORGOTTEN_AT_ONCE = 50_000


@dataclass(slots=True)
class EventReceipt:
    """What became of one told event: new, same, or refused with an error."""

    event_id: str
    outcome: str = versions.NEW
    error: MembersError | None = None


@dataclass(slots=True)
class _Telling:
    """One event at work."""

    fact: EventFact
    receipt: EventReceipt
    key: UUID
    index: bytes = b""
    number: str = ""
    keys: tuple[Key, ...] = ()


@transaction.atomic
def record(channel: Channel, facts: Sequence[EventFact], *, now: datetime) -> list[EventReceipt]:
    """Record up to a thousand events of one channel; answers each, in order."""
    receipts = [EventReceipt(fact.event_id, error=_fault_of(fact, now)) for fact in facts]
    good = [
        _read(channel, fact, receipt)
        for fact, receipt in zip(facts, receipts, strict=True)
        if receipt.error is None
    ]
    if not good:
        return receipts
    event_rows.make_months({month_of(telling.fact.at) for telling in good})
    member_ids = _members_named(good)
    good = [telling for telling in good if telling.receipt.error is None]
    _greet(channel, good, now)
    visitor_ids = _visitors(channel, good, member_ids)
    first = {telling.key: telling for telling in reversed(good)}
    added = event_rows.add([_row(telling, visitor_ids[telling.index]) for telling in first.values()])
    for telling in good:
        if telling.key not in added or first[telling.key] is not telling:
            telling.receipt.outcome = versions.SAME
    return receipts


def month_of(at: datetime) -> date:
    """The first day of the month of Shanghai that an instant lies in."""
    return at.astimezone(SHANGHAI).date().replace(day=1)


def first_kept(now: datetime) -> date:
    """The first month that is kept."""
    month = month_of(now)
    years, months = divmod(month.year * 12 + month.month - 1 - settings.EVENT_MONTHS, 12)
    return date(years, months + 1, 1)


def _fault_of(fact: EventFact, now: datetime) -> MembersError | None:
    """Why an event cannot be kept."""
    if not (fact.member_no or (fact.buyer and fact.buyer.is_known)):
        return BuyerUnknown()
    if fact.at > now + AHEAD:
        return EventInFuture()
    if month_of(fact.at) < first_kept(now):
        return EventTooOld(months=settings.EVENT_MONTHS)
    return None


def _read(channel: Channel, fact: EventFact, receipt: EventReceipt) -> _Telling:
    told = hashlib.sha256(f"{channel.pk}:{fact.event_id}".encode()).digest()
    telling = _Telling(fact, receipt, UUID(bytes=told[:16]))
    if fact.member_no:
        telling.number = read_number(fact.member_no) or ""
        telling.index = account_index(channel, telling.number)
    else:
        buyer = _buyer_of(fact)
        telling.keys = keys_of(buyer, channel)
        telling.index = account_index(channel, external_id_of(buyer, channel))
    return telling


def _buyer_of(fact: EventFact) -> AccountFact:
    assert fact.buyer is not None, "an event without a buyer is refused"
    return fact.buyer


def _members_named(tellings: Sequence[_Telling]) -> dict[bytes, int]:
    """The members who were told by their number, by the index of the visitor; others are refused."""
    named = [telling for telling in tellings if telling.fact.member_no]
    if not named:
        return {}
    known = event_rows.members_by_number(sorted({telling.number for telling in named}))
    for telling in named:
        if telling.number not in known:
            telling.receipt.error = MemberNotFound()
    return {telling.index: known[telling.number] for telling in named if telling.number in known}


def _greet(channel: Channel, tellings: Sequence[_Telling], now: datetime) -> None:
    """Give accounts to those who are new to this channel and whom a key leads to: members by other ways.

    Nobody else: a stranger who looks around is no member, and what is known of a buyer is not told here.
    """
    with_keys = {telling.index: telling for telling in tellings if telling.keys}
    if not with_keys:
        return
    seen = acquaintances.members_of(channel, list(with_keys))
    unknown = [telling for index, telling in with_keys.items() if index not in seen]
    places = list(dict.fromkeys(key.place for telling in unknown for key in telling.keys))
    if not places:
        return
    leading = {places[row[0] - 1] for row in acquaintances.holders(places)[0] if row[4]}
    led = [
        _buyer_of(telling.fact) for telling in unknown if any(key.place in leading for key in telling.keys)
    ]
    if led:
        identity.resolve(channel, led, now=now)


def _visitors(
    channel: Channel, tellings: Sequence[_Telling], member_ids: dict[bytes, int]
) -> dict[bytes, int]:
    """The ids of all visitors of a batch by index; who was not there is added."""
    wanted = list(dict.fromkeys(telling.index for telling in tellings))
    found = event_rows.visitors(channel, wanted)
    strangers = [Stranger(index, member_ids.get(index)) for index in wanted if index not in found]
    if strangers:
        found |= event_rows.add_visitors(channel, strangers)
        missing = [stranger.blind for stranger in strangers if stranger.blind not in found]
        if missing:  # somebody added them between our look and our insert
            found |= event_rows.visitors(channel, missing)
    return found


def _row(telling: _Telling, visitor_id: int) -> EventRow:
    fact = telling.fact
    return EventRow(
        key=telling.key,
        month=month_of(fact.at),
        at=fact.at,
        visitor_id=visitor_id,
        kind=fact.kind.value,
        session=fact.session,
        path=fact.path,
        entrance=fact.entrance,
        keyword=fact.keyword,
        product=fact.product,
        category=fact.category,
        duration=fact.duration,
    )


# -- how long they are kept --------------------------------------------------------------------------------


def tidy(now: datetime) -> tuple[int, int]:
    """Make the months to come and drop those that were kept for long enough; how many of each.

    The worker does it each night. Keys go after their months, in portions: each is a transaction of its own.
    """
    kept_from = first_kept(now)
    with transaction.atomic():
        made = event_rows.make_months(set(_months_from(month_of(now), MONTHS_AHEAD)))
    with transaction.atomic():
        dropped = event_rows.forget_months(kept_from)
    while event_rows.forget_keys(kept_from, FORGOTTEN_AT_ONCE) == FORGOTTEN_AT_ONCE:
        pass
    return made, dropped


def _months_from(month: date, ahead: int) -> Iterator[date]:
    for _ in range(ahead + 1):
        yield month
        month = (month + timedelta(days=32)).replace(day=1)
