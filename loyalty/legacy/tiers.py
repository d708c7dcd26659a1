"""Tiers of an old system: held up to the day until which they were promised, then the programme's rules."""

from collections.abc import Mapping, Sequence
from typing import Any

from loyalty import clock, publishing, tier_events
from loyalty.models import TierEvent
from loyalty.tier_events import Gift
from members.legacy.takers import NOTHING, Made, Offer, Returned, Taken, Use, instant
from members.models import Channel


class Tiers:
    """Takes tiers: an event with a time, beneath which what is earned goes on as it would."""

    def judge(self, documents: Sequence[Mapping[str, Any]]) -> list[str]:
        """The programme has the tier, and it is known until when; the first tier everybody has."""
        programme = publishing.current().programme
        tiers = {tier.code: tier for tier in programme.tiers}
        verdicts = []
        for document in documents:
            tier = tiers.get(document["tier"])
            if tier is None:
                verdicts.append("tier_unknown")
            elif tier.rank == 0:
                verdicts.append(NOTHING)
            else:
                verdicts.append("until_missing" if tier.keep and not document.get("until") else "")
        return verdicts

    def take(
        self, channel: Channel, offers: Sequence[Offer], *, run_id: int, actor_id: int | None
    ) -> list[Taken]:
        """Hold each member in their tier. One that has ended meanwhile, or was abolished, is refused."""
        held, now = publishing.current(), clock.read().now
        gifts = [
            Gift(
                member_id=offer.member_id,
                tier=offer.document["tier"],
                cause=offer.cause,
                programme_id=held.id,
                kind=TierEvent.Kind.LEGACY,
                why={
                    "legacy": run_id,
                    "channel": channel.code,
                    **({"since": offer.document["since"]} if "since" in offer.document else {}),
                },
                ends_at=instant(offer.document, "until"),
            )
            for offer in offers
        ]
        running = [gift for gift in gifts if gift.ends_at is None or gift.ends_at > now]
        made = tier_events.give(running, actor_id=actor_id)
        over = {gift.cause for gift in gifts} - {gift.cause for gift in running}
        return [Taken(made.get(gift.cause), _refusal(gift.cause, made, over)) for gift in gifts]

    def used(self, run_id: int) -> list[Use]:
        """A tier is not used up."""
        return []

    def take_back(
        self, channel: Channel, made: Sequence[Made], *, spent: str, run_id: int, actor_id: int | None
    ) -> list[Returned]:
        """End what still runs; what has ended by itself is gone already."""
        why = {"legacy": run_id, "channel": channel.code, "undone": True}
        ended = tier_events.end_all({each.made: each.cause for each in made}, why, actor_id=actor_id)
        return [Returned(1 if each.made in ended else 0, 0) for each in made]


def _refusal(cause: str, made: Mapping[str, int], over: set[str]) -> str:
    if cause in made:
        return ""
    return "tier_over" if cause in over else "tier_unknown"
