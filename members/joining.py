"""Becoming a member by a phone and a one-time code (A8).

Promises: asking for a code looks nobody up, so it says and costs the same whether the phone is a member's or
not; a code is good for five minutes, five tries and one member; of two who confirm at once one does. Why a
code is refused (wrong, run out, used, or of an enrolment that never was) is not told.

A code is written down nowhere. It follows from the enrolment's id, the round and a key that is not in the
database, so the job that sends it needs the id alone, and neither a dump nor a list of jobs shows a code.
Asked for again, it is another round: another code with tries of its own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from hmac import compare_digest
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone
from procrastinate.contrib.django import app

from members import rates
from members.cleaning import Unclean, clean_phone
from members.code_senders import the_sender
from members.errors import CodeSenderMissing, CodeWrong, EnrolmentUnknown, PhoneInvalid
from members.facts import ConsentFact
from members.models import Channel, Enrolment, EnrolmentStep, Store
from members.rates import Counted, Limit
from privacy.crypto import blind_index

SEND = "members.send_code"  # the job
LIFE = timedelta(minutes=5)
TRIES = 5
DIGITS = 6
KEPT = timedelta(days=1)  # then who never confirmed is forgotten
LONGEST_ROUND = 1000

State, Origin, Step = Enrolment.State, Enrolment.Origin, EnrolmentStep.Step


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What somebody was shown and said before they joined. notices: versions, by kind."""

    notices: Mapping[str, str]
    consents: Sequence[ConsentFact] = ()
    referred_by: str = ""

    def document(self) -> dict[str, Any]:
        """As the enrolment keeps it."""
        said = [asdict(fact) | {"at": fact.at.isoformat() if fact.at else None} for fact in self.consents]
        return {"notices": dict(self.notices), "consents": said, "referred_by": self.referred_by}

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> "Words":
        """What an enrolment kept."""
        said = [
            ConsentFact(**{**each, "at": datetime.fromisoformat(each["at"]) if each["at"] else None})
            for each in document.get("consents", ())
        ]
        return cls(
            notices=document.get("notices", {}),
            consents=tuple(said),
            referred_by=document.get("referred_by", ""),
        )


NOTHING_SAID = Words(notices={})


@dataclass(frozen=True, slots=True)
class Asked:
    """A code was asked for: under which id it is confirmed, and how many seconds it is good for."""

    id: UUID
    expires_in: int


@dataclass(frozen=True, slots=True)
class Proof:
    """A code was right: whose enrolment, and of which round."""

    id: UUID
    round: int


# -- Asking for a code ------------------------------------------------------------------------------------


def arrive(channel: Channel, store: Store | None, *, ip: str) -> UUID | None:
    """Somebody opened the page of a store: the first step. None where it is opened too often to count."""
    if not rates.allows(("open", ip, Limit(*settings.ENROLMENT_LIMITS["opened_per_address"]))):
        return None
    with transaction.atomic():
        enrolment = Enrolment.objects.create(channel=channel, store=store, origin=Origin.PAGE)
        _take(enrolment.pk, Step.OPENED)
    return enrolment.pk


def begin(
    channel: Channel,
    phone: str,
    *,
    origin: str,
    words: Words = NOTHING_SAID,
    store_id: int | None = None,
    actor_id: int | None = None,
    ip: str = "",
    arrived: UUID | None = None,
) -> Asked:
    """Send a code to a phone, whoever's it is.

    ip: where the person is, or "" when that is not known. arrived: what arrive() answered, where a page was
    opened first. Raises PhoneInvalid, TooOften, CodeSenderMissing.
    """
    if not settings.CODE_SENDER:
        raise CodeSenderMissing
    number = _clean(phone)
    _count(channel.pk, blind_index(number, purpose="phone"), ip)
    with transaction.atomic():
        enrolment = _own(channel, arrived) or Enrolment(channel=channel, store_id=store_id, origin=origin)
        enrolment.actor_id = actor_id
        enrolment.phone = number
        enrolment.phone_index = blind_index(number, purpose="phone")
        enrolment.words = words.document()
        _next_round(enrolment)
    return Asked(enrolment.pk, int(LIFE.total_seconds()))


def resend(enrolment_id: UUID, channel: Channel, *, ip: str = "") -> Asked:
    """Send another code for the same enrolment; one that is unknown or has ended is answered alike.

    Raises TooOften.
    """
    known = Enrolment.objects.filter(pk=enrolment_id, channel=channel, state=State.WAITING).first()
    index = known and known.phone_index
    _count(channel.pk, index or blind_index(str(enrolment_id), purpose="enrolment"), ip)
    with transaction.atomic():
        enrolment = _own(channel, enrolment_id)
        if enrolment is not None and enrolment.state == State.WAITING:
            _next_round(enrolment)
    return Asked(enrolment_id, int(LIFE.total_seconds()))


def _clean(phone: str) -> str:
    try:
        number = clean_phone(phone)
    except Unclean as unclean:
        raise PhoneInvalid from unclean
    if number is None:
        raise PhoneInvalid
    return number


def _count(channel_id: int, phone_index: bytes, ip: str) -> None:
    """Count the request against the limits of the phone, the address and the channel. Raises TooOften."""
    limits = {name: Limit(*limit) for name, limit in settings.ENROLMENT_LIMITS.items()}
    phone = phone_index.hex()
    counted: list[Counted] = [
        ("phone", phone, limits["phone"]),
        ("phone", phone, limits["phone_per_hour"]),
        ("phone", phone, limits["phone_per_day"]),
        ("channel", str(channel_id), limits["channel_per_day"]),
    ]
    if ip:
        counted.append(("ip", ip, limits["address_per_hour"]))
    rates.count(*counted)


def _own(channel: Channel, enrolment_id: UUID | None) -> Enrolment | None:
    """The enrolment that was begun in this channel and has not ended, locked."""
    if enrolment_id is None:
        return None
    open_ones = Enrolment.objects.filter(pk=enrolment_id, channel=channel, round__lt=LONGEST_ROUND)
    return open_ones.filter(state__in=(State.OPENED, State.WAITING)).select_for_update(no_key=True).first()


def _next_round(enrolment: Enrolment) -> None:
    """Make a new code good, and let a worker send it once this is committed."""
    enrolment.state = State.WAITING
    enrolment.round += 1
    enrolment.tries_left = TRIES
    enrolment.expires_at = timezone.now() + LIFE
    enrolment.sent_at = None
    enrolment.save()
    _take(enrolment.pk, Step.PHONE)
    # Somebody stands there and waits: before files and nightly rounds.
    app.configure_task(SEND, priority=10).defer(enrolment_id=str(enrolment.pk), round=enrolment.round)


def code_of(enrolment_id: UUID, round: int) -> str:
    """The code of one round: six digits that only somebody with the index key can work out."""
    digest = blind_index(f"{enrolment_id}:{round}", purpose="one-time code")
    return f"{int.from_bytes(digest[:8], 'big') % 10**DIGITS:0{DIGITS}}"


# -- Sending it -------------------------------------------------------------------------------------------


def send(enrolment_id: UUID, round: int) -> bool:
    """Hand the code of a round to the sender, unless it was sent, replaced or is too late.

    No transaction is open meanwhile. Raises CodeNotSent, which is worth another try while the code is good,
    and CodeNotSendable, which is not.
    """
    waiting = Enrolment.objects.filter(pk=enrolment_id, state=State.WAITING, round=round)
    enrolment = waiting.filter(sent_at=None, expires_at__gt=timezone.now()).first()
    if enrolment is None:
        return False
    assert enrolment.phone is not None
    the_sender().send(enrolment.phone, code_of(enrolment_id, round), minutes=int(LIFE.total_seconds() // 60))
    with transaction.atomic():
        waiting.update(sent_at=timezone.now())
        _take(enrolment_id, Step.SENT)
    return True


# -- Confirming it ----------------------------------------------------------------------------------------

_TRY = """
UPDATE members_enrolment SET tries_left = tries_left - 1
 WHERE id = %s AND channel_id = %s AND state = 'waiting' AND tries_left > 0
   AND expires_at > statement_timestamp()
RETURNING round
"""


def prove(enrolment_id: UUID, channel: Channel, code: str) -> Proof:
    """Take one of the tries and compare; a try is gone even when what follows fails.

    Raises CodeWrong, whatever is wrong.
    """
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.execute(_TRY, [enrolment_id, channel.pk])
        row = cursor.fetchone()
    round = row[0] if row else 0
    is_right = compare_digest(code_of(enrolment_id, round).encode(), _digits(code).encode())
    if row is None or not is_right:
        raise CodeWrong
    return Proof(enrolment_id, round)


def _digits(code: str) -> str:
    """A code as it was typed: spaces and full-width digits make no difference."""
    return "".join(str(int(each)) for each in code if each.isdecimal())


def hold(proof: Proof) -> Enrolment:
    """The enrolment that was proved, locked until its member is there: who comes second finds it closed.

    Raises CodeWrong.
    """
    waiting = Enrolment.objects.filter(pk=proof.id, round=proof.round, state=State.WAITING)
    found = waiting.select_for_update(no_key=True).first()
    if found is None:
        raise CodeWrong
    return found


def close(enrolment: Enrolment, *, member_id: int, account_id: int, is_new_member: bool) -> None:
    """The end of an enrolment: a member. The phone is the member's now and is forgotten here.

    In the transaction that made the member. `enrolment_step_once` refuses a second end.
    """
    EnrolmentStep.objects.create(enrolment=enrolment, step=Step.CONFIRMED)
    enrolment.state = State.CONFIRMED
    enrolment.member_id, enrolment.account_id = member_id, account_id
    enrolment.is_new_member = is_new_member
    enrolment.phone = enrolment.phone_index = None
    enrolment.tries_left = 0
    enrolment.save()


def at_once(channel: Channel, *, origin: str, words: Words, store_id: int | None = None) -> Enrolment:
    """An enrolment that needs no code, as the platform has proved the person; to be closed right away."""
    enrolment = Enrolment.objects.create(
        channel=channel, store_id=store_id, origin=origin, words=words.document()
    )
    _take(enrolment.pk, Step.PHONE)
    return enrolment


# -- Later ------------------------------------------------------------------------------------------------


def find(enrolment_id: UUID, *states: str) -> Enrolment:
    """An enrolment in one of these states, with its channel, store and member. Raises EnrolmentUnknown."""
    found = Enrolment.objects.select_related("channel", "store", "member")
    enrolment = found.filter(pk=enrolment_id, state__in=states).first()
    if enrolment is None:
        raise EnrolmentUnknown
    return enrolment


def is_for(enrolment_id: UUID, phone: str) -> bool:
    """Whether a code that is waited for went to this phone, or none is waited for any more."""
    index = blind_index(_clean(phone), purpose="phone")
    waiting = Enrolment.objects.filter(pk=enrolment_id, state=State.WAITING)
    return not waiting.exclude(phone_index=index).exists()


def take_step(enrolment_id: UUID, step: str) -> None:
    """Note a step of the profile; taken again, it stays where it was."""
    _take(enrolment_id, step)


def _take(enrolment_id: UUID, step: str) -> None:
    EnrolmentStep.objects.bulk_create(
        [EnrolmentStep(enrolment_id=enrolment_id, step=step)], ignore_conflicts=True
    )


def lapse(now: datetime) -> int:
    """Forget the phones of those who never confirmed; answers how many. The worker does it each hour."""
    late = Enrolment.objects.filter(created_at__lt=now - KEPT, state__in=(State.OPENED, State.WAITING))
    return late.update(state=State.LAPSED, phone=None, phone_index=None, words={}, tries_left=0)


def last_code(phone: str) -> str | None:
    """The code that was sent to a phone last and is still good; for the demo, which has no telephone.

    Raises PhoneInvalid.
    """
    index = blind_index(_clean(phone), purpose="phone")
    sent = Enrolment.objects.filter(phone_index=index, state=State.WAITING, sent_at__isnull=False)
    latest = sent.filter(expires_at__gt=timezone.now(), tries_left__gt=0).order_by("-sent_at").first()
    return code_of(latest.pk, latest.round) if latest else None
