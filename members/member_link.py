"""Tmall's member link (品牌会员通): joins, questions and exchanges of points (A2, A5, A15).

Promises: a join is never refused and may be told any number of times, also long after it happened; a
question is answered by one look-up along an index, and Tmall gives it 1.2 s; an exchange moves points
once for each record, and its answer goes out with what it did, or not at all.
"""

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from members import accounts, acquaintances, platform_calls, receivers
from members.cleaning import Unclean
from members.connectors import tmall
from members.connectors.connector import Acknowledgement, Call, PointsFact
from members.connectors.document import Document, parse
from members.errors import AccountNotFound
from members.facts import AccountFact, ConsentFact, IdentifierFact
from members.keys import external_id_of, keys_of
from members.models import Account, Channel, Member, PlatformCall
from privacy.errors import ShukeError

logger = logging.getLogger(__name__)

SUCCESS = "SUC"
NO_MEMBER = "E01"
NOT_BOUND = "E02"
SYSTEM_ERROR = "E04"  # Tmall asks again
WRONG = "E05"
# Why an exchange of points was refused, in words of our own: Tmall keeps them with the record.
SHORT = "POINT_NOT_ENOUGH"
NOBODY = "MEMBER_NOT_EXIST"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a question is answered with: a code, and the member where there is one to tell of."""

    code: str
    member: Mapping[str, str] | None = None


# --- questions --------------------------------------------------------------------------------------


def answer(channel: Channel, asked: str, call: Call, *, seller: str = "") -> Acknowledgement:
    """Answer a question of Tmall, about the shop called `seller` where that is known.

    Whatever goes wrong with us is said to be passing: Tmall asks again.
    """
    try:
        told = parse(call.raw)
        with transaction.atomic():
            said = _answer(channel, asked, told, call.at, seller)
    except (Unclean, ShukeError) as refusal:
        logger.info("%s was refused: %s", asked, getattr(refusal, "code", ""))
        said = Answer(WRONG)
    except Exception:
        logger.exception("%s could not be answered", asked)
        said = Answer(SYSTEM_ERROR)
    return Acknowledgement(json.dumps(_WORDS[asked](said), ensure_ascii=False).encode())


def _answer(channel: Channel, asked: str, told: Document, now: datetime, seller: str) -> Answer:
    if seller and (told.text("seller_name") or seller) != seller:
        return Answer(WRONG)
    buyer = tmall.read_buyer(told)
    if not buyer.is_known:
        return Answer(WRONG)
    if asked == tmall.BIND and told.text("type") == tmall.UNBIND:
        return _unbind(channel, buyer, now)
    if asked == tmall.QUERY:
        return _query(channel, buyer, told)
    if asked == tmall.BIND_QUERY:
        return _bind_query(channel, buyer)
    join(channel, buyer, now=now)
    return Answer(SUCCESS)


def _query(channel: Channel, buyer: AccountFact, told: Document) -> Answer:
    """Points and tier of a buyer who has joined."""
    account = _account(channel, buyer)
    if account is None:
        return Answer(NO_MEMBER if member_of(channel, buyer.identifiers) is None else NOT_BOUND)
    if account.unbound_at is not None:
        return Answer(NOT_BOUND)
    member_id = account.member_id
    if account.member.status != Member.Status.ACTIVE:
        member_id = _survivor(member_id) or 0
    return Answer(SUCCESS, _member(member_id, told)) if member_id else Answer(NO_MEMBER)


def _bind_query(channel: Channel, buyer: AccountFact) -> Answer:
    """Whether we know somebody whom this buyer could be bound to, or is bound to already."""
    account = _account(channel, buyer)
    member_id = account.member_id if account else member_of(channel, buyer.identifiers)
    return Answer(SUCCESS, _member(member_id, Document({}))) if member_id else Answer(NO_MEMBER)


def _unbind(channel: Channel, buyer: AccountFact, now: datetime) -> Answer:
    try:
        accounts.unbind(channel, _external_id(channel, buyer), now=now)
    except AccountNotFound:
        return Answer(NO_MEMBER)
    return Answer(SUCCESS)


def _member(member_id: int, told: Document) -> dict[str, str]:
    """What Tmall shows of a member; of nick and phone it hears back what it told, and nothing else."""
    points, level = receivers.named("standings")([member_id])[member_id]
    return {
        "point": str(points),
        "level": str(level),
        "nick": told.text("nick") or told.text("taobao_nick") or "",
        "mobile": told.text("mobile") or "",
        "extend": "{}",
    }


# The names of the codes in each answer.
_WORDS: dict[str, Callable[[Answer], dict[str, Any]]] = {
    tmall.BIND_QUERY: lambda said: {"bind_code": said.code, "bindable": said.code == SUCCESS} | _with(said),
    tmall.BIND: lambda said: {"bind_code": said.code},
    tmall.REGISTER: lambda said: {"register_code": said.code},
    tmall.QUERY: lambda said: {"query_code": said.code} | _with(said),
    tmall.ACTIVATE: lambda said: {
        "response": {
            "flag": "success" if said.code == SUCCESS else "failure",
            "code": said.code,
            "message": "",
        }
    },
}


def _with(said: Answer) -> dict[str, Any]:
    return {"member": dict(said.member)} if said.member else {}


# --- joins ------------------------------------------------------------------------------------------


@transaction.atomic
def join(channel: Channel, buyer: AccountFact, *, now: datetime) -> str:
    """A buyer joined on Tmall: bound to the member whom a key leads to, or to a new one.

    Told late (flight mode), the join counts from when it happened; told again, nothing changes; of two
    times the earlier holds.
    """
    known = _account(channel, buyer)
    times = [at for at in (known.joined_at if known else None, buyer.joined_at) if at is not None]
    joined_at = min(times, default=None if known else now)
    fact = replace(
        buyer,
        joined_at=joined_at,
        consents=(ConsentFact(purpose="membership", granted=True, at=joined_at),),
    )
    receipt = receivers.hand_over("accounts", channel, [fact])
    if joined_at is not None:
        Member.objects.filter(pk=receipt.member_id, joined_at__gt=joined_at).update(joined_at=joined_at)
    return str(receipt.outcome)


def _account(channel: Channel, buyer: AccountFact) -> Account | None:
    try:
        return accounts.get(channel, _external_id(channel, buyer))
    except AccountNotFound:
        return None


def _external_id(channel: Channel, buyer: AccountFact) -> str:
    return external_id_of(buyer, channel)


def member_of(channel: Channel, identifiers: Sequence[IdentifierFact]) -> int | None:
    """The member whom the surest of these keys leads to; nobody is made and nothing is written."""
    keys = keys_of(AccountFact(identifiers=tuple(identifiers)), channel)
    if not keys:
        return None
    places = [key.place for key in keys]
    rows, _mixes = acquaintances.holders(places)
    leading = sorted((n, member_id) for n, _id, member_id, _verified, leads in rows if leads)
    return _survivor(leading[0][1]) if leading else None


def _survivor(member_id: int) -> int | None:
    """The member that this one was merged into, if any; None for one who was erased."""
    survivor = acquaintances.persons([member_id])[member_id].id
    is_there = Member.objects.filter(pk=survivor).exclude(status=Member.Status.ERASED).exists()
    return survivor if is_there else None


# --- exchanges of points ----------------------------------------------------------------------------


@transaction.atomic
def change_points(channel: Channel, fact: PointsFact) -> str:
    """Take or give points for one record, once, and answer Tmall by a call of its own, once."""
    answered = PlatformCall.objects.filter(channel=channel, method=tmall.CALL_BACK, cause=fact.record)
    if answered.exists():
        return "same"
    index = [identifier for identifier in fact.keys if identifier.kind == "ouid"]
    account = _account(channel, AccountFact(identifiers=tuple(index))) if index else None
    member_id = _survivor(account.member_id) if account else member_of(channel, fact.keys)
    if member_id is None:
        code = NOBODY
    else:
        change = receivers.named("points")
        is_done = change(channel, member_id, fact.points, record=fact.record, reason=fact.reason)
        code = "" if is_done else SHORT
    arguments = {
        "record_id": fact.record,
        "result": "1" if code else "0",
        "error_code": code,
        "point": str(abs(fact.points)),
        **fact.answer,
    }
    platform_calls.ask(channel, tmall.CALL_BACK, fact.record, arguments)
    return "refused" if code else "changed"


# --- balances ---------------------------------------------------------------------------------------


@transaction.atomic
def tell_balances(channel: Channel, member_ids: Mapping[int, str]) -> int:
    """Tell Tmall where members stand now; `member_ids` says by which change. How many are told.

    The version is the instant at which the figures were read, so that of two calls the later holds,
    whichever comes first.
    """
    ouids = _ouids(channel, member_ids)
    standings = receivers.named("standings")(list(ouids)) if ouids else {}
    version = str(int(timezone.now().timestamp() * 1000))
    for member_id, ouid in ouids.items():
        points, level = standings[member_id]
        arguments = {
            "ouid": ouid,
            "point": str(points),
            "level": str(level),
            "level_type": "1",
            "version": version,
        }
        platform_calls.ask(channel, tmall.SYNC, member_ids[member_id], arguments)
    return len(ouids)


def _ouids(channel: Channel, member_ids: Mapping[int, str]) -> dict[int, str]:
    """The shop's ids of those members who have joined there and not left."""
    held = Account.objects.filter(channel=channel, member_id__in=member_ids, unbound_at=None)
    found: dict[int, str] = {}
    for account in held.order_by("pk"):
        kind, _, value = (account.external_id or "").partition(":")
        if kind == "ouid" and value:
            found[account.member_id] = value
    return found
