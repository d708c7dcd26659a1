"""Takers: who judges the rows of each kind, takes what they bring, and gives it back.

`settings.LEGACY_TAKERS` names them by kind: points, tiers, growth value and coupons are of a higher floor.
Members are taken as any file of accounts is (`settings.IMPORT_RECEIVERS`).
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple, Protocol, cast

from django.conf import settings
from django.utils.module_loading import import_string

from members.models import Channel

# A row that is right and brings nothing, as the tier in which everybody begins.
NOTHING = "nothing"


class Offer(NamedTuple):
    """One row whose turn has come. `cause` names it for ever."""

    row_id: int
    account_id: int
    member_id: int
    cause: str
    amount: int
    document: Mapping[str, Any]
    other_id: int | None = None  # the other member whom the row is about, where there is one


class Taken(NamedTuple):
    """What an offer became: the id of what was made, or the reason for which nothing was."""

    made: int | None
    code: str = ""


class Made(NamedTuple):
    """What a row had made, on its way back."""

    row_id: int
    made: int
    cause: str
    amount: int


class Returned(NamedTuple):
    """How much of it was taken back, and how much of it stays because it was used."""

    taken: int
    kept: int


class Use(NamedTuple):
    """How much of what one row brought has been used since, by whom."""

    row_id: int
    member_id: int
    used: int


class Taker(Protocol):
    """What a floor does with one kind. Each call is a fixed number of statements."""

    def judge(self, documents: Sequence[Mapping[str, Any]]) -> list[str]:
        """Why each cannot be brought, '' where it can, or NOTHING; nothing is written."""
        ...

    def take(
        self, channel: Channel, offers: Sequence[Offer], *, run_id: int, actor_id: int | None
    ) -> list[Taken]:
        """Bring what is offered, in the caller's transaction."""
        ...

    def used(self, run_id: int) -> list[Use]:
        """What of a package has been used since, or is set aside."""
        ...

    def take_back(
        self, channel: Channel, made: Sequence[Made], *, spent: str, run_id: int, actor_id: int | None
    ) -> list[Returned]:
        """Take back what is left; `spent` says what becomes of the rest. Raises PackageUsed."""
        ...


def of(kind: str) -> Taker:
    """Who takes rows of a kind."""
    return cast(Taker, import_string(settings.LEGACY_TAKERS[kind])())


def instant(document: Mapping[str, Any], name: str) -> datetime | None:
    """An instant of a row's document."""
    value = document.get(name)
    return datetime.fromisoformat(value) if value else None
