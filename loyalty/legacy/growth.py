"""Growth value of an old system: an entry that counts from the day that was told, or from now."""

from collections.abc import Mapping, Sequence
from typing import Any

from loyalty import clock, publishing, tier_events
from loyalty.models import GrowthEntry
from loyalty.tier_events import GrowthGift
from members.legacy.takers import Made, Offer, Returned, Taken, Use, instant
from members.models import Channel


class OpeningGrowth:
    """Takes growth value. What it raises a member to, their tier's period keeps."""

    def judge(self, documents: Sequence[Mapping[str, Any]]) -> list[str]:
        """The programme has growth value."""
        has_growth = publishing.current().programme.growth is not None
        return ["" if has_growth else "growth_unused"] * len(documents)

    def take(
        self, channel: Channel, offers: Sequence[Offer], *, run_id: int, actor_id: int | None
    ) -> list[Taken]:
        """One entry for each."""
        held, now = publishing.current(), clock.read().now
        tier_events.give_growth(
            [
                GrowthGift(
                    member_id=offer.member_id,
                    growth=offer.amount,
                    cause=offer.cause,
                    programme_id=held.id,
                    happened_at=instant(offer.document, "counted_at") or now,
                    why={"legacy": run_id, "channel": channel.code},
                    channel_id=channel.pk,
                )
                for offer in offers
            ]
        )
        made = _by_cause([offer.cause for offer in offers])
        return [Taken(made[offer.cause].pk) for offer in offers]

    def used(self, run_id: int) -> list[Use]:
        """Growth value is not spent."""
        return []

    def take_back(
        self, channel: Channel, made: Sequence[Made], *, spent: str, run_id: int, actor_id: int | None
    ) -> list[Returned]:
        """Reverse each by an entry of its own, which counts when the first did."""
        entries = _by_cause([each.cause for each in made])
        tier_events.give_growth(
            [
                GrowthGift(
                    member_id=entry.wallet.member_id,
                    growth=-entry.growth,
                    cause=f"{cause}:undone",
                    programme_id=entry.programme_id,
                    happened_at=entry.happened_at,
                    why={"legacy": run_id, "channel": channel.code, "undone": True},
                    channel_id=channel.pk,
                )
                for cause, entry in entries.items()
            ]
        )
        return [Returned(each.amount, 0) for each in made]


def _by_cause(causes: Sequence[str]) -> dict[str, GrowthEntry]:
    rows = GrowthEntry.objects.filter(cause__in=causes).select_related("wallet")
    return {entry.cause: entry for entry in rows}
