"""Calls of a platform's own API: written with their cause, repeated until they are taken (A15).

Only Tmall is called so far, by its signed gateway (TOP). A call is due once for each cause; where the
platform is away it waits longer and longer, and in the end for a person. What is only asked, and changes
nothing that was caused here, is called at once (members.platform_queues).
"""

import json
import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now
from django.utils import timezone
from procrastinate.contrib.django import app

from members import columns, credentials
from members.cleaning import SHANGHAI
from members.connectors import signing
from members.connectors.errors import BoundAgain, CallRefused
from members.errors import CredentialMissing
from members.models import Account, Channel, PlatformCall, Unbinding
from members.sealing import sealed_field

logger = logging.getLogger(__name__)

JOB = "members.call_platform"
QUEUE = "calls"
GATEWAY = "https://eco.taobao.com/router/rest"
TIMEOUT_SECONDS = 10
MOST_ATTEMPTS = 12
NEEDED = ("app_key", "app_secret", "session")
_UNBINDING = "unbinding:"
_SUCCESS = ("is_success", "result_success", "success")  # each call's own word for it
State = PlatformCall.State

_ARGUMENTS = sealed_field(PlatformCall, "arguments")
_LONGEST_CODE = PlatformCall._meta.get_field("error_code").max_length or 0
_ASK = """
INSERT INTO members_platformcall
       (channel_id, method, cause, seal, arguments, state, error_code, attempts)
VALUES (%s, %s, %s, %s, %s, 'waiting', '', 0)
    ON CONFLICT (channel_id, method, cause) DO NOTHING RETURNING id
"""


def ask(channel: Channel, method: str, cause: str, arguments: Mapping[str, str]) -> bool:
    """Let the platform be called, in the transaction of the cause; False when that was asked before."""
    assert columns.in_transaction(), "a call is due when what caused it is true"
    seal = uuid4()
    sealed = _ARGUMENTS.seal_value(dict(arguments), seal)
    rows = columns.ask(_ASK, [channel.pk, method, cause, seal, sealed])
    for (call_id,) in rows:
        _defer(call_id)
    return bool(rows)


def _defer(call_id: int, *, at: datetime | None = None) -> None:
    app.configure_task(JOB, queue=QUEUE, schedule_at=at).defer(call_id=call_id)


def send(call_id: int, *, client: httpx.Client | None = None) -> None:
    """Make one call that is due. One that is not taken is due again later, until it was tried enough."""
    row = _claim(call_id)
    if row is None:
        return
    if _is_overtaken(row):
        given_up = PlatformCall.objects.filter(pk=call_id, state=State.WAITING)
        given_up.update(state=State.FAILED, error_code=BoundAgain.code)
        return
    try:
        _call(row, client)
    except CallRefused as refusal:
        _put_off(row, refusal)
        return
    PlatformCall.objects.filter(pk=call_id, state=State.WAITING).update(
        state=State.SENT, sent_at=Now(), error_code="", arguments=None
    )


def _claim(call_id: int) -> PlatformCall | None:
    """Count an attempt; None when there is nothing to send."""
    waiting = PlatformCall.objects.filter(pk=call_id, state=State.WAITING)
    if not waiting.update(attempts=F("attempts") + 1):
        return None
    return PlatformCall.objects.select_related("channel").get(pk=call_id)


def cause_of(unbinding: Unbinding) -> str:
    """What a call says it was caused by that tells a platform of an account which we ended."""
    return f"{_UNBINDING}{unbinding.pk}"


def _is_overtaken(row: PlatformCall) -> bool:
    """Whether an account that was ended is bound again: the platform must not be told to end it now."""
    number = row.cause.removeprefix(_UNBINDING)
    if number == row.cause:
        return False
    return Account.objects.filter(unbindings=int(number), unbound_at=None).exists()


def _call(row: PlatformCall, client: httpx.Client | None) -> None:
    """Raises CallRefused."""
    try:
        held = credentials.of(row.channel, *NEEDED)
    except CredentialMissing as missing:
        raise CallRefused(reason=missing.code) from missing
    call(row.method, row.arguments or {}, held, client=client)


def call(
    method: str, arguments: Mapping[str, str], held: Mapping[str, str], *, client: httpx.Client | None = None
) -> dict[str, Any]:
    """Call the platform now, with these credentials; what it answers. Raises CallRefused."""
    params = signed(method, arguments, held, at=timezone.now())
    try:
        with client or httpx.Client(timeout=TIMEOUT_SECONDS, trust_env=False) as http:
            answer = http.post(held.get("address") or GATEWAY, data=params)
    except httpx.HTTPError as broken:
        raise CallRefused(reason=type(broken).__name__) from broken
    said = _read(answer)
    if answer.status_code != httpx.codes.OK:
        raise CallRefused(reason=f"http_{answer.status_code}")
    if refused := said.get("error_response"):
        code = refused.get("sub_code") or refused.get("code") if isinstance(refused, dict) else ""
        raise CallRefused(reason=str(code))
    inner = next(iter(said.values()), None)
    told = inner if isinstance(inner, dict) else {}
    if any(told.get(name) is False for name in _SUCCESS):
        raise CallRefused(reason="not_successful")
    return told


def _read(answer: httpx.Response) -> dict[str, Any]:
    try:
        said = json.loads(answer.content)
    except (ValueError, RecursionError):
        raise CallRefused(reason="answer_unreadable") from None
    return said if isinstance(said, dict) else {}


def signed(
    method: str, arguments: Mapping[str, str], held: Mapping[str, str], *, at: datetime
) -> dict[str, str]:
    """The parameters of a call, signed as TOP wants them; what is empty is neither sent nor signed."""
    params = {
        "method": method,
        "app_key": held["app_key"],
        "session": held.get("session", ""),
        "timestamp": f"{at.astimezone(SHANGHAI):%Y-%m-%d %H:%M:%S}",
        "format": "json",
        "v": "2.0",
        "sign_method": "md5",
        **arguments,
    }
    params = {name: value for name, value in params.items() if value}
    return {**params, "sign": signing.top_sign(params, held["app_secret"])}


@transaction.atomic
def _put_off(row: PlatformCall, refusal: CallRefused) -> None:
    code = str(refusal.details["reason"])[:_LONGEST_CODE]
    # Parameters that the platform says are wrong will be wrong again.
    is_final = code.startswith("isv.") or row.attempts >= MOST_ATTEMPTS
    next_at = timezone.now() + timedelta(seconds=min(2 ** (row.attempts + 2), 6 * 3600))
    changed = PlatformCall.objects.filter(pk=row.pk, state=State.WAITING).update(
        state=State.FAILED if is_final else State.WAITING, error_code=code, next_at=next_at
    )
    if changed and not is_final:
        _defer(row.pk, at=next_at)
    logger.info("call %s was not taken: %s", row.pk, code)


@transaction.atomic
def again(call_id: int) -> None:
    """Let a call that was given up be tried again."""
    if PlatformCall.objects.filter(pk=call_id, state=State.FAILED).update(
        state=State.WAITING, attempts=0, next_at=Now()
    ):
        _defer(call_id)
