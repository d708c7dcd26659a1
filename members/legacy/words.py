"""Words of an old system: what members agreed to and refused there, with date, way and proof (A16, D1).

A word comes in as it was said, on the day it was said, and never outranks what the member says here. Taken
back, a yes is followed by a no: history is only added to, and the stricter side is the safe one.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction

from members import outbox
from members.legacy.takers import Made, Offer, Returned, Taken, Use, instant
from members.models import Channel, Member
from members.numbers import number_of
from members.outbox import Change
from privacy import consent
from privacy.consent import ConsentWord, Telling
from privacy.models import ConsentEvent

_PURPOSES = frozenset(ConsentEvent.Purpose.values)


class OldWords:
    """Takes consents and refusals."""

    def judge(self, documents: Sequence[Mapping[str, Any]]) -> list[str]:
        """The purpose is one that is asked for here, and a third party has a name."""
        return [_verdict(document) for document in documents]

    @transaction.atomic
    def take(
        self, channel: Channel, offers: Sequence[Offer], *, run_id: int, actor_id: int | None
    ) -> list[Taken]:
        """Record each word; one that is known already is the same."""
        by_method: dict[str, list[Offer]] = defaultdict(list)
        for offer in offers:
            by_method[offer.document["method"]].append(offer)
        made: dict[tuple[Any, ...], ConsentEvent] = {}
        for method, those in by_method.items():
            telling = Telling(method=method, source=channel.code, actor_id=actor_id)
            events = consent.record_many([(o.member_id, _word(o.document)) for o in those], telling=telling)
            made |= {_name(event): event for event in events}
        _tell_on(list(made.values()))
        return [Taken(event.pk if (event := made.pop(_name_of(offer), None)) else None) for offer in offers]

    def used(self, run_id: int) -> list[Use]:
        """A word is not spent."""
        return []

    @transaction.atomic
    def take_back(
        self, channel: Channel, made: Sequence[Made], *, spent: str, run_id: int, actor_id: int | None
    ) -> list[Returned]:
        """Withdraw each yes that still holds by the word that was brought; what was said since stays."""
        events = ConsentEvent.objects.in_bulk([each.made for each in made])
        held = consent.standing([event.member_id for event in events.values()])
        holding = [
            event
            for event in events.values()
            if event.granted and held[event.member_id][event.purpose, event.channel, event.party] == event
        ]
        words = [
            ConsentWord(purpose=each.purpose, granted=False, channel=each.channel, party=each.party)
            for each in holding
        ]
        members = [event.member_id for event in holding]
        telling = Telling(source=channel.code, actor_id=actor_id)
        _tell_on(consent.record_many(list(zip(members, words, strict=True)), telling=telling))
        withdrawn = {event.pk for event in holding}
        return [Returned(*((1, 0) if each.made in withdrawn else (0, 1))) for each in made]


def _verdict(document: Mapping[str, Any]) -> str:
    if document["purpose"] not in _PURPOSES:
        return "purpose_unknown"
    if document["purpose"] == ConsentEvent.Purpose.THIRD_PARTY and not document.get("party"):
        return "party_missing"
    return ""


def _word(document: Mapping[str, Any]) -> ConsentWord:
    return ConsentWord(
        purpose=document["purpose"],
        granted=document["granted"],
        channel=document["way"],
        party=document.get("party", ""),
        notice=document.get("proof", ""),
        at=instant(document, "said_at"),
    )


def _name(event: ConsentEvent) -> tuple[Any, ...]:
    """What an event is one by, as the database has it."""
    about = (event.member_id, event.purpose, event.channel, event.party)
    return (*about, event.happened_at, event.granted)


def _name_of(offer: Offer) -> tuple[Any, ...]:
    word = _word(offer.document)
    return (offer.member_id, word.purpose, word.channel, word.party, word.at, word.granted)


def _tell_on(events: Sequence[ConsentEvent]) -> None:
    """The channels hear which purpose has changed, as of any word."""
    members = Member.objects.filter(pk__in={event.member_id for event in events})
    numbers = dict(members.values_list("pk", "number"))
    outbox.put(
        [
            Change(
                topic="consent.changed",
                change=f"consent:{event.pk}",
                member_id=event.member_id,
                channel_id=None,
                payload={
                    "member_no": numbers.get(event.member_id) or number_of(event.member_id),
                    "purpose": event.purpose,
                    "way": event.channel,
                },
            )
            for event in events
        ]
    )
