"""A wish: one thing that is to be given to one member for one occasion, and what became of it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from loyalty.models import Grant
from loyalty.prizes import Prize
from loyalty.publishing import Held


def of_person(occasion: str, member_id: int) -> str:
    """What an occasion of a person is called when it is this member's."""
    return f"{occasion}:{member_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """One thing to be given. `occasion` names for what, for ever: `rule:double:order:17`.

    `per_person`: the occasion is one of a person; the member's number is added to its name, and what was
    given for it to a member that is the same person by a merge counts. `refused`: a reason, as a code, for
    which the occasion is used up and nothing is given.
    """

    member_id: int
    source: str  # a value of Grant.Source
    code: str  # of the rule, activity or milestone
    prize: Prize
    occasion: str
    happened_at: datetime
    programme: Held
    why: Mapping[str, Any] = field(default_factory=dict)
    per_person: bool = False
    refused: str = ""
    channel_id: int | None = None
    store_id: int | None = None
    order_id: int | None = None
    actor_id: int | None = None
    called: Mapping[str, str] = field(default_factory=dict)  # what the code is called, by language

    @property
    def name(self) -> str:
        """The occasion with the member in it, when it is one of a person."""
        return of_person(self.occasion, self.member_id) if self.per_person else self.occasion

    @property
    def explanation(self) -> dict[str, Any]:
        """What explains it (B14): source, code and version, and the numbers that the occasion adds."""
        return {
            "source": str(self.source),
            "code": self.code,
            **({"called": dict(self.called)} if self.called else {}),
            "version": self.programme.number,
            "prize": self.prize.kind,
            "value": self.prize.value,
            **self.why,
        }


@dataclass(slots=True, kw_only=True)
class Given:
    """What became of a wish. `is_new` is False for what its occasion was given for before."""

    wish: Wish
    cause: str
    state: str = Grant.State.GIVEN
    refusal: str = ""
    is_new: bool = True
    grant_id: int | None = None
    entry_id: int | None = None
    coupon_id: int | None = None
    claim_id: int | None = None

    def refuse(self, refusal: str) -> None:
        """Note why it was not given, as a code."""
        self.state, self.refusal = Grant.State.NOT_GIVEN, refusal


def wishes_of(prizes: Iterable[Prize], **how: Any) -> list[Wish]:
    """A wish for each of several prizes of one occasion; `how` is what they share."""
    return [Wish(prize=prize, **how) for prize in prizes]
