"""Accounts come in with a wallet and a first tier, so that whoever asks next can be answered."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from loyalty import clock, ledger, publishing
from loyalty.purse import Figures
from members import accounts
from members.accounts import AccountReceipt
from members.facts import AccountFact
from members.models import Channel


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a member stands: tier, until when, and points."""

    tier: str
    tier_until: datetime | None
    figures: Figures


@transaction.atomic
def receive(
    channel: Channel, facts: Sequence[AccountFact], *, actor_id: int | None = None
) -> list[AccountReceipt]:
    """Take in buyers as their channel knows them (A2). One receipt a fact, in their order."""
    return accounts.receive(channel, facts, now=clock.read().recorded, actor_id=actor_id)


def standings(member_ids: Collection[int]) -> dict[int, Standing]:
    """Tier and points of many members, in a fixed number of statements; nobody is left out."""
    purses = ledger.peek(member_ids)
    first = publishing.first_tier()
    nothing = Standing(tier=first, tier_until=None, figures=ledger.NOTHING)
    return {
        member_id: Standing(
            tier=purses[member_id].tier,
            tier_until=purses[member_id].tier_until,
            figures=purses[member_id].figures(purses.now),
        )
        if member_id in purses
        else nothing
        for member_id in member_ids
    }
