"""Claims: their rows, and the steps they take. `loyalty.rewards` decides, this module writes (B8).

Promises: a claim's history has no gap and no fork, and its state is the last step's; every step is told to
the channels once. A claim is locked before it takes a step; without the lock the key of the history refuses.
"""

from collections.abc import Collection, Sequence
from datetime import datetime

from django.db import connection

from loyalty import shelves
from loyalty.models import Claim, ClaimMove
from loyalty.reward_terms import Place
from loyalty.tellings import reward_changed
from members import outbox

State = Claim.State
ENDED = frozenset({State.DONE, State.CANCELLED})


def entry_cause(cause: str) -> str:
    """What names the entry, and the coupon, of the claim with this cause."""
    return f"claim:{cause}"


def numbers(reward: str, sale: str, member_ids: Collection[int]) -> set[int]:
    """The how-manieth claims of a reward, or of one of its sales, that these members hold."""
    held = Claim.objects.filter(reward=reward, sale=sale, member__in=member_ids, member_number__isnull=False)
    return {number for number in held.values_list("member_number", flat=True) if number is not None}


def next_number(held: Collection[int]) -> int:
    """The lowest number that is free; a cancelled claim has given its number back."""
    number = 1
    while number in held:
        number += 1
    return number


def write(new: Sequence[Claim], *, actor_id: int | None) -> None:
    """Insert claims with the first step of their history, and tell them."""
    assert connection.in_atomic_block, "a claim is written with the points it cost"
    Claim.objects.bulk_create(new)
    _record(new, actor_id=actor_id)


def lock(claim_ids: Collection[int]) -> list[Claim]:
    """These claims, in the order of their ids, held until the commit."""
    found = Claim.objects.filter(pk__in=claim_ids).order_by("pk")
    return list(found.select_for_update(no_key=True))


def step(
    taking: Sequence[Claim], state: Claim.State, *, now: datetime, actor_id: int | None, reason: str = ""
) -> None:
    """Let locked claims take a step. What is cancelled stands on no shelf and counts for no limit."""
    for claim in taking:
        claim.state, claim.steps = state, claim.steps + 1
        if state in ENDED:
            claim.ended_at = now
        if state == State.CANCELLED:
            claim.shelf_id, claim.member_number = None, None
    Claim.objects.bulk_update(
        taking, ["state", "steps", "ended_at", "shelf", "member_number", "tracking", "store"], batch_size=1000
    )
    _record(taking, actor_id=actor_id, reason=reason, at=now)


def _record(
    taken: Sequence[Claim], *, actor_id: int | None, reason: str = "", at: datetime | None = None
) -> None:
    ClaimMove.objects.bulk_create(
        ClaimMove(
            claim=claim,
            position=claim.steps,
            state=claim.state,
            reason=reason,
            actor_id=actor_id,
            happened_at=at or claim.claimed_at,
        )
        for claim in taken
    )
    outbox.put(
        [
            reward_changed(
                claim.pk,
                claim.steps,
                member_id=claim.member_id,
                channel_id=claim.channel_id,
                payload={
                    "reward": claim.reward,
                    "sale": claim.sale,
                    "state": str(claim.state),
                    "way": str(claim.way),
                    "points": claim.points,
                },
            )
            for claim in taken
        ]
    )


def serve_waiting(places: Collection[Place], *, now: datetime) -> list[Claim]:
    """Give what is free on these shelves to the gifts that wait for it, the oldest first."""
    waiting_for = Claim.objects.filter(state=State.WAITING, reward__in=[place.reward for place in places])
    rewards = set(waiting_for.values_list("reward", flat=True))
    served: list[Claim] = []
    for row in shelves.lock(
        [place for place in places if place.reward in rewards and not place.sale]
    ).values():
        waiting = waiting_for.filter(reward=row.reward).order_by("claimed_at", "pk")
        # One that is being cancelled just now needs nothing; it is passed over and not waited for.
        chosen = list(waiting.select_for_update(no_key=True, skip_locked=True)[: row.free])
        for claim in chosen:
            claim.shelf_id = row.id
        served += chosen
    if served:
        wanted: dict[Place, int] = {}
        for claim in served:
            wanted[Place(claim.reward)] = wanted.get(Place(claim.reward), 0) + 1
        shelves.take(wanted)
        step(served, State.CLAIMED, now=now, actor_id=None)
    return served
