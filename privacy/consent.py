"""What members agreed to, asked of the events at any instant (D1).

Promises: history is only added to; the latest word on a purpose and channel holds, and `any` channel
counts as each of them; of two words of the same instant the stricter holds; a word told twice is
kept once. Withdrawing is one call, as giving is (PIPL art. 15), and holds from its commit.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from django.conf import settings
from django.db import connection, models, transaction
from django.db.models import OuterRef, QuerySet, Subquery
from django.utils import timezone

from privacy.errors import PartyMissing, PurposeInvalid
from privacy.models import ConsentEvent, Notice

ANY = ConsentEvent.ANY_CHANNEL
Purpose = ConsentEvent.Purpose
Method = ConsentEvent.Method
Key = tuple[str, str, str]  # purpose, channel, party

# What an event is told with; its time and its receipt come besides.
_TOLD = (
    *("member_id", "purpose", "channel", "party", "granted"),
    *("notice_id", "notice_version", "method", "source", "actor_id"),
)
_WORD = re.compile(r"[a-z][a-z0-9_]{0,39}")


class Word(Protocol):
    """A yes or a no on its way in; facts of the floors above fit it as they are."""

    @property
    def purpose(self) -> str: ...
    @property
    def granted(self) -> bool: ...
    @property
    def channel(self) -> str: ...
    @property
    def party(self) -> str: ...
    @property
    def notice(self) -> str: ...
    @property
    def at(self) -> datetime | None: ...


@dataclass(frozen=True, kw_only=True, slots=True)
class ConsentWord:
    """A yes or a no to one purpose. `at` None means now; `notice` is the version that was shown."""

    purpose: str
    granted: bool
    channel: str = ANY
    party: str = ""
    notice: str = ""
    at: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Telling:
    """How we heard: by what act, in which of our channels, through whom."""

    method: str = Method.PLATFORM
    source: str = ""
    actor_id: int | None = None


HEARD = Telling()


def give(
    member: models.Model,
    purpose: str,
    *,
    channel: str = ANY,
    party: str = "",
    notice: str = "",
    telling: Telling = HEARD,
) -> list[ConsentEvent]:
    """The member says yes, now. See record() for what is answered and raised."""
    word = ConsentWord(purpose=purpose, granted=True, channel=channel, party=party, notice=notice)
    return record(member, [word], telling=telling)


def withdraw(
    member: models.Model, purpose: str, *, channel: str = ANY, party: str = "", telling: Telling = HEARD
) -> list[ConsentEvent]:
    """The member says no, now."""
    return record(
        member, [ConsentWord(purpose=purpose, granted=False, channel=channel, party=party)], telling=telling
    )


def record(member: models.Model, words: Iterable[Word], *, telling: Telling = HEARD) -> list[ConsentEvent]:
    """Add the words of one member; answers the events that are new.

    A word with its own time is kept once for ever; a word without is new only when it changes what
    holds. Raises PartyMissing and PurposeInvalid before anything is written.
    """
    return record_many([(member.pk, word) for word in words], telling=telling)


def record_many(words: Sequence[tuple[int, Word]], *, telling: Telling = HEARD) -> list[ConsentEvent]:
    """record() for many members at once, as (member id, word): three statements, however many."""
    for _, word in words:
        _check(word)
    if not words:
        return []
    now = timezone.now()
    with transaction.atomic():
        known = standing([member_id for member_id, word in words if word.at is None], at=now)
        notices = _notices({word.notice for _, word in words if word.notice})
        events = [
            _event(member_id, word, telling, notices, now) for member_id, word in _changing(words, known)
        ]
        _add(events)
        return list(
            ConsentEvent.objects.filter(receipt__in=[event.receipt for event in events]).order_by("pk")
        )


def _add(events: Sequence[ConsentEvent]) -> None:
    """Add events in one statement; those that were told before are passed over.

    One parameter for all: a thousand rows take a third of the time that their objects would. What a merged
    member says is the word of who they were merged into as well, and says whose it was.
    """
    rows = [
        {column: getattr(event, column) for column in _TOLD}
        | {"happened_at": event.happened_at.isoformat(), "receipt": str(event.receipt)}
        for event in events
    ]
    if not rows:
        return
    names = ", ".join((*_TOLD, "happened_at", "receipt"))
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH RECURSIVE told AS (SELECT * FROM jsonb_to_recordset(%s::jsonb) AS event(member_id bigint,"
            " purpose text, channel text, party text, granted boolean, notice_id bigint,"
            " notice_version text, method text, source text, actor_id int, happened_at timestamptz,"
            " receipt uuid)), merged AS ("
            f" SELECT id, merged_into_id FROM {_members()}"
            "  WHERE id IN (SELECT member_id FROM told) AND merged_into_id IS NOT NULL"
            f" UNION SELECT merged.id, m.merged_into_id FROM merged JOIN {_members()} m"
            "  ON m.id = merged.merged_into_id WHERE m.merged_into_id IS NOT NULL)"
            f" INSERT INTO privacy_consentevent ({names}) SELECT {names} FROM told"
            " UNION ALL SELECT merged.merged_into_id, purpose, channel, party, granted, notice_id,"
            " notice_version, %s, concat('member:', told.member_id), actor_id, happened_at,"
            " gen_random_uuid() FROM told JOIN merged ON merged.id = told.member_id ON CONFLICT DO NOTHING",
            [json.dumps(rows), Method.MERGE],
        )


def _members() -> str:
    """The table of members: it stands above, and is known by the key that points to it."""
    return connection.ops.quote_name(ConsentEvent.member.field.related_model._meta.db_table)


def _check(word: Word) -> None:
    if not (_WORD.fullmatch(word.purpose) and _WORD.fullmatch(word.channel)):
        raise PurposeInvalid
    if word.purpose == Purpose.THIRD_PARTY and not word.party:
        raise PartyMissing


def _changing(
    words: Sequence[tuple[int, Word]], known: Mapping[int, Mapping[Key, ConsentEvent]]
) -> list[tuple[int, Word]]:
    """Leave out words without a time that repeat what holds, under the same notice."""
    changing = []
    for member_id, word in words:
        held = known.get(member_id, {}).get((word.purpose, word.channel, word.party))
        repeats = held and held.granted == word.granted and word.notice in ("", held.notice_version)
        if word.at is not None or not repeats:
            changing.append((member_id, word))
    return changing


def _event(
    member_id: int, word: Word, telling: Telling, notices: Mapping[str, Notice], now: datetime
) -> ConsentEvent:
    return ConsentEvent(
        member_id=member_id,
        purpose=word.purpose,
        channel=word.channel,
        party=word.party,
        granted=word.granted,
        notice=notices.get(word.notice),
        notice_version=word.notice,
        method=telling.method,
        source=telling.source,
        actor_id=telling.actor_id,
        # A clock ahead of ours must not make a withdrawal wait.
        happened_at=min(word.at, now) if word.at else now,
    )


def _notices(versions: set[str]) -> dict[str, Notice]:
    """The privacy notices of these versions; a version that only the platform knows stays text."""
    published = Notice.objects.filter(
        kind=Notice.Kind.PRIVACY, version__in=versions, published_at__isnull=False
    )
    rank = {settings.LANGUAGE_CODE: 0, "zh-hans": 1}
    by_language = sorted(published, key=lambda notice: rank.get(notice.language, 2), reverse=True)
    return {notice.version: notice for notice in by_language} if versions else {}


def standing(
    member_ids: Iterable[int],
    *,
    at: datetime | None = None,
    known_at: datetime | None = None,
    but_from: Sequence[str] = (),
) -> dict[int, dict[Key, ConsentEvent]]:
    """The word that holds for each (purpose, channel, party) of each member, in one statement.

    at: as of when it was said (default now). known_at: only what we had heard by then, which is
    what a message of that day must be judged by. but_from: sources whose words are left out.
    """
    ids = set(member_ids)
    if not ids:
        return {}
    events = _heard(at, known_at).filter(member_id__in=ids)
    if but_from:
        events = events.exclude(source__in=but_from)
    latest = events.order_by("member_id", "purpose", "channel", "party", "-happened_at", "granted").distinct(
        "member_id", "purpose", "channel", "party"
    )
    found: dict[int, dict[Key, ConsentEvent]] = {}
    for event in latest:
        found.setdefault(event.member_id, {})[event.purpose, event.channel, event.party] = event
    return found


def current(member: models.Model, *, at: datetime | None = None) -> dict[Key, bool]:
    """{(purpose, channel, party): yes or no} of one member, at any instant (default now)."""
    held = standing([member.pk], at=at).get(member.pk, {})
    return {key: event.granted for key, event in held.items()}


def allowed(
    member: models.Model,
    purpose: str,
    channel: str = ANY,
    *,
    party: str = "",
    at: datetime | None = None,
    known_at: datetime | None = None,
) -> bool:
    """Whether the member's latest word on a purpose by a channel was yes. No word is no."""
    event = deciding(member, purpose, channel, party=party, at=at, known_at=known_at)
    return bool(event and event.granted)


def deciding(
    member: models.Model,
    purpose: str,
    channel: str = ANY,
    *,
    party: str = "",
    at: datetime | None = None,
    known_at: datetime | None = None,
) -> ConsentEvent | None:
    """The event that decides allowed(): its proof. None when nothing was ever said."""
    about = _about(_heard(at, known_at), purpose, channel, party)
    return (
        about.filter(member_id=member.pk).select_related("notice").order_by("-happened_at", "granted").first()
    )


def allowing(
    purpose: str, channel: str = ANY, *, party: str = "", at: datetime | None = None
) -> QuerySet[Any]:
    """A subquery of the ids of all members whose latest word is yes, for segments and lists."""
    about = _about(_heard(at, None), purpose, channel, party)
    latest = (
        about.filter(member_id=OuterRef("member_id")).order_by("-happened_at", "granted").values("pk")[:1]
    )
    return about.filter(pk=Subquery(latest), granted=True).values("member_id")


def _heard(at: datetime | None, known_at: datetime | None) -> QuerySet[ConsentEvent]:
    events = ConsentEvent.objects.filter(happened_at__lte=at) if at else ConsentEvent.objects.all()
    return events.filter(recorded_at__lte=known_at) if known_at else events


def _about(events: QuerySet[ConsentEvent], purpose: str, channel: str, party: str) -> QuerySet[ConsentEvent]:
    return events.filter(purpose=purpose, channel__in={channel, ANY}, party=party)


def receipt(receipt_id: UUID) -> dict[str, Any]:
    """A receipt that a member can keep: what was said, when, to whom, after which text.

    The fields follow the Kantara consent receipt 1.1. Raises ConsentEvent.DoesNotExist.
    """
    event = ConsentEvent.objects.select_related("notice").get(receipt=receipt_id)
    notice = event.notice
    return {
        "version": "KI-CR-v1.1.0",
        "jurisdiction": "CN",
        "consentReceiptID": str(event.receipt),
        "consentTimestamp": event.happened_at.isoformat(),
        "recordedTimestamp": event.recorded_at.isoformat(),
        "collectionMethod": event.method,
        "language": notice.language if notice else "",
        "piiPrincipalId": str(event.member_id),
        "piiControllers": [{"piiController": settings.BRAND_NAME, "contact": settings.BRAND_CONTACT}],
        "policy": {
            "version": event.notice_version,
            "sha256": notice.digest if notice else "",
        },
        "purpose": event.purpose,
        "channel": event.channel,
        "granted": event.granted,
        "sensitive": event.purpose == Purpose.SENSITIVE,
        "thirdPartyDisclosure": event.purpose == Purpose.THIRD_PARTY,
        "thirdPartyName": event.party,
        "termination": "" if event.granted else event.happened_at.isoformat(),
    }
