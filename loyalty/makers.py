"""What one person may do alone: up to a limit for one member, and up to a multiple of it in all (D6).

Both are counted over the last 24 hours, so that a change cannot be cut into slices, or wait for midnight.
What a second person approved is not counted: it was seen.
"""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.db import connection

DAY = timedelta(hours=24)
Amount = int | Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What a person has done alone within a day, and what they may. Points, or yuan."""

    of_member: Amount
    in_all: Amount
    limit: Amount
    day_limit: Amount

    def leaves_room_for(self, amount: Amount) -> bool:
        """Whether so much more needs nobody else."""
        return self.of_member + amount <= self.limit and self.in_all + amount <= self.day_limit

    def as_why(self) -> dict[str, Any]:
        """The numbers by which it was decided, as an entry keeps them."""
        return {"limit": self.limit, "of_member": self.of_member, "in_all": self.in_all}


def take_turn(actor_id: int, what: str) -> None:
    """Let one thing of a kind by one person happen at a time, until the transaction ends.

    Taken before any other lock: two at once cannot both see the room that is left for one.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"maker:{what}:{actor_id}"])
