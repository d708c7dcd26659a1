"""One member's life with us, newest first, from as many sources as there are floors (A12).

`settings.TIMELINE` names the kinds and who reads them. Each reader is asked for its latest few before an
instant, and what they tell is merged: a page costs the same for the first year and the tenth. Of one
instant, what a reader named earlier tells comes first; so a cursor is a place in one order of everything,
and nothing is passed over or told twice where many things happened at once.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from heapq import merge
from itertools import islice
from typing import Any, NamedTuple, TypeVar

from django.conf import settings
from django.db.models import Q, QuerySet
from django.db.models.expressions import RawSQL
from django.utils.dateparse import parse_datetime
from django.utils.functional import Promise
from django.utils.module_loading import import_string

from members import survivors
from members.models import Member

PAGE = 40

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Happening:
    """One thing that happened. `amounts` are written at the right, `details` below, both in words.

    key: puts what one reader tells of one instant in order. clauses, version: what of the programme decided
    it; by: who did it; recorded_at: when we heard of it, where that was later.
    """

    kind: str
    at: datetime
    key: int
    what: str
    details: Sequence[str] = ()
    amounts: Sequence[str] = ()
    tone: str = ""
    badge: str = ""
    clauses: Sequence[Any] = ()
    version: int | None = None
    by: str = ""
    recorded_at: datetime | None = None

    @property
    def shows_who(self) -> bool:
        """Whether there is a line to be said of who and when; clauses name their version themselves."""
        return bool(self.by or self.recorded_at or (self.version and not self.clauses))


class Cursor(NamedTuple):
    """A place in the order of everything: behind the happening of this instant, reader and key."""

    at: datetime
    rank: int
    key: int

    def __str__(self) -> str:
        return f"{self.at.isoformat()},{self.rank},{self.key}"


def read_cursor(text: str) -> Cursor | None:
    """A cursor from an address; None for what is none. An instant alone is the place before all of it."""
    at, _comma, rest = text.replace(" ", "+").partition(",")
    rank, _comma, key = rest.partition(",")
    numbers = (rank or "-1", key or "0")
    try:
        moment = parse_datetime(at)
        return Cursor(moment, *map(int, numbers)) if moment and moment.tzinfo else None
    except (ValueError, OverflowError):
        return None


@dataclass(frozen=True)
class Reading:
    """What a reader is asked: the latest `limit` of a member, behind the cursor where there is one."""

    member: Member
    limit: int
    rank: int
    cursor: Cursor | None = None
    _shared: dict[Callable[[], Any], Any] = field(default_factory=dict)

    @property
    def person(self) -> RawSQL:
        """The member and whoever was merged with them, for `member__in=`."""
        return survivors.same_person(self.member.pk)

    def shared(self, make: Callable[[], T]) -> T:
        """What all readers of a page need once, such as the versions of the programme."""
        if make not in self._shared:
            self._shared[make] = make()
        kept: T = self._shared[make]
        return kept

    def latest(self, rows: QuerySet[Any], at: str, key: str = "id") -> QuerySet[Any]:
        """The rows that this page may need of a reader, by its columns of instant and key."""
        if self.cursor is not None:
            rows = rows.filter(self._behind(self.cursor, at, key))
        return rows.order_by(f"-{at}", f"-{key}")[: self.limit]

    def _behind(self, cursor: Cursor, at: str, key: str) -> Q:
        if self.rank < cursor.rank:
            return Q(**{f"{at}__lt": cursor.at})
        # Both bounds are said of the instant, so that an index on it serves.
        until = Q(**{f"{at}__lte": cursor.at})
        if self.rank > cursor.rank:
            return until
        return until & (Q(**{f"{at}__lt": cursor.at}) | Q(**{f"{key}__lt": cursor.key}))

    def holds(self, at: datetime, key: int) -> bool:
        """Whether something lies behind the cursor, for readers that ask in SQL of their own."""
        if self.cursor is None:
            return True
        return (at, -self.rank, key) < (self.cursor.at, -self.cursor.rank, self.cursor.key)


Reader = Callable[[Reading], Iterator[Happening]]


class Kind(NamedTuple):
    """A kind of happenings: its name in tabs, the verb that may see it, and its readers with their ranks."""

    title: str | Promise
    verb: str
    readers: Sequence[tuple[int, Reader]]


class Page(NamedTuple):
    """A part of the time line; `older` is None at its end."""

    happenings: list[Happening]
    older: Cursor | None


def kinds() -> Mapping[str, Kind]:
    """All kinds, in the order of the tabs."""
    told: dict[str, Any] = settings.TIMELINE
    return _kinds(
        tuple((name, kind["title"], kind["verb"], tuple(kind["readers"])) for name, kind in told.items())
    )


@cache
def _kinds(named: tuple[tuple[str, Any, str, tuple[str, ...]], ...]) -> Mapping[str, Kind]:
    ranks = iter(range(1000))
    return {
        name: Kind(title, verb, [(next(ranks), import_string(reader)) for reader in readers])
        for name, title, verb, readers in named
    }


def read(member: Member, names: Sequence[str], *, cursor: Cursor | None = None, limit: int = PAGE) -> Page:
    """The latest happenings of these kinds, those behind a cursor when it is given."""
    shared: dict[Callable[[], Any], Any] = {}
    known = kinds()
    sources = [
        _ranked(rank, reader(Reading(member, limit + 1, rank, cursor, shared)))
        for name in names
        for rank, reader in known[name].readers
    ]
    merged = merge(*sources, key=lambda each: each[0], reverse=True)
    found = list(islice(merged, limit + 1))
    page = found[:limit]
    older = None
    if len(found) > limit:
        (at, rank, key), _happening = page[-1]
        older = Cursor(at, -rank, key)
    return Page([happening for _place, happening in page], older)


def _ranked(rank: int, told: Iterator[Happening]) -> Iterator[tuple[tuple[datetime, int, int], Happening]]:
    for happening in told:
        yield (happening.at, -rank, happening.key), happening
