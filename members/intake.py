"""Intake: one fact of a platform's message goes the way of every fact, whoever told it (A1, A9).

Those who act on orders, accounts, refunds and points sit on higher floors and are named in
`settings.PLATFORM_RECEIVERS`. Each call runs in the transaction of its caller and may be repeated.
"""

import contextlib
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from django.utils import timezone

from members import accounts, member_link, order_steps
from members.connectors.connector import (
    JoinFact,
    LeavingFact,
    PointsFact,
    RequestFact,
    StepFact,
    Told,
    WordsFact,
)
from members.errors import AccountNotFound
from members.facts import AccountFact, OrderFact, RefundFact
from members.models import Channel, PlatformRequest
from members.receivers import hand_over
from privacy import consent

SAME = "same"
UNKNOWN = "account_unknown"


def take_in(channel: Channel, fact: Told) -> str:
    """Act on one fact; answers what came of it. Raises ShukeError when it is refused."""
    return _TAKERS[type(fact)](channel, fact)


def _account(channel: Channel, fact: AccountFact) -> str:
    return str(hand_over("accounts", channel, [fact]).outcome)


def _order(channel: Channel, fact: OrderFact) -> str:
    return str(hand_over("orders", channel, [fact]).outcome)


def _refund(channel: Channel, fact: RefundFact) -> str:
    return str(hand_over("refunds", channel, [fact]).outcome)


def _step(channel: Channel, fact: StepFact) -> str:
    order = order_steps.as_order(channel, fact)
    return _order(channel, order) if order else "stale"


def _words(channel: Channel, fact: WordsFact) -> str:
    """Words go to the consents alone: what else is known of the account stays as its own topics told it."""
    external_id = fact.account.external_id or ""
    try:
        member_id = accounts.get(channel, external_id).member_id
    except AccountNotFound:
        return _account(channel, replace(fact.account, consents=fact.words))
    telling = consent.Telling(method=consent.Method.PLATFORM, source=channel.code)
    new = consent.record_many([(member_id, word) for word in fact.words], telling=telling)
    return "changed" if new else SAME


def _leaving(channel: Channel, fact: LeavingFact) -> str:
    try:
        accounts.unbind(channel, fact.external_id, now=timezone.now())
    except AccountNotFound:
        return UNKNOWN
    return "changed"


def _request(channel: Channel, fact: RequestFact) -> str:
    """Write down what waits for the privacy officer, once however often it is told."""
    account = None
    if fact.external_id:
        with contextlib.suppress(AccountNotFound):
            account = accounts.get(channel, fact.external_id)
    _row, is_new = PlatformRequest.objects.get_or_create(
        channel=channel,
        kind=fact.kind,
        reference=fact.reference,
        defaults={
            "account": account,
            "details": dict(fact.details),
            "due_at": timezone.now() + timedelta(days=fact.days),
        },
    )
    return "new" if is_new else SAME


def _join(channel: Channel, fact: JoinFact) -> str:
    return member_link.join(channel, fact.account, now=timezone.now())


_TAKERS: dict[type, Callable[[Channel, Any], str]] = {
    AccountFact: _account,
    OrderFact: _order,
    RefundFact: _refund,
    StepFact: _step,
    WordsFact: _words,
    LeavingFact: _leaving,
    RequestFact: _request,
    JoinFact: _join,
    PointsFact: member_link.change_points,
}
