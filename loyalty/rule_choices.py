"""What a rule can name: the channels, stores, tags and products there are, and what they are called (B5)."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, Final

from django.db import connection

from loyalty.names import in_words
from loyalty.sentences import WEEKDAY_NAMES, Names
from members.models import Channel, Store, Tag

MOST_TAGS = 500
MOST_SUGGESTIONS = 300
# Distinct words of all lines ever sold would read the largest table there is: the latest lines tell enough.
LATEST_LINES = 20_000

# Codes of these are called by names that are not the programme's own.
_SECTIONS = (("member.tier", "tiers"), ("tier", "tiers"), ("coupon", "coupons"), ("gift", "rewards"))
# What may have a name and else goes by its code: these are found by their sections.
NAMED_SECTIONS = ("rules", "milestones")

Choices = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class RuleChoices:
    """Codes and names by the field that asks for them; and words to suggest where any text can be asked."""

    options: Mapping[str, Choices] = field(default_factory=dict)
    suggestions: Mapping[str, Sequence[str]] = field(default_factory=dict)
    prizes: Mapping[str, Choices] = field(default_factory=dict)  # coupon, gift and tier

    @property
    def names(self) -> Names:
        """What codes are called in sentences."""
        return {
            (where, code): name
            for group in (self.options, self.prizes)
            for where, choices in group.items()
            for code, name in choices
        }


def of(document: Mapping[str, Any]) -> RuleChoices:
    """What rules of a programme's document can name, in the language that is active."""
    tiers = _named(document.get("tiers"))
    categories, products = _latest_words()
    return RuleChoices(
        options={
            "order.channel": _channels(),
            "order.store": _stores(),
            "order.weekday": [(code, str(name)) for code, name in WEEKDAY_NAMES.items()],
            "member.tier": tiers,
            "member.tags": list(Tag.objects.order_by("code").values_list("code", "name")[:MOST_TAGS]),
        },
        suggestions={"line.category": categories, "line.product": products},
        prizes={
            "coupon": _named(document.get("coupons")),
            "gift": _named(document.get("rewards")),
            "tier": tiers,
        },
    )


def names(document: Mapping[str, Any]) -> Names:
    """What codes are called in sentences, without reading the orders."""
    named = [(where, _named(document.get(section))) for where, section in _SECTIONS]
    named += [(where, read()) for where, read in _READ.items()]
    return {(where, code): name for where, choices in named for code, name in choices}


class NamesOnDemand(Mapping[tuple[str, str], str]):
    """What codes are called; channels, stores and tags are each read when the first of them is asked for."""

    def __init__(self, *documents: Mapping[str, Any]) -> None:
        """documents: programmes whose tiers, coupons and gifts are named; of two names the last holds."""
        self._own: dict[tuple[str, str], Mapping[str, str]] = {
            (where, item["code"]): item.get("name") or {}
            for document in documents
            for where, section in (*_SECTIONS, *((section, section) for section in NAMED_SECTIONS))
            for item in document.get(section) or ()
        }

        self._read: dict[str, dict[str, str]] = {}

    def _called(self, where: str) -> dict[str, str]:
        if where not in self._read:
            self._read[where] = dict(_READ[where]())
        return self._read[where]

    def __getitem__(self, key: tuple[str, str]) -> str:
        where, code = key
        return self._called(where)[code] if where in _READ else in_words(self._own[key]) or code

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return chain(self._own, ((where, code) for where in _READ for code in self._called(where)))

    def __len__(self) -> int:
        return len(self._own) + sum(len(self._called(where)) for where in _READ)


def _named(items: Any) -> list[tuple[str, str]]:
    return [(item["code"], in_words(item.get("name") or {}) or item["code"]) for item in items or ()]


def _stores() -> list[tuple[str, str]]:
    """Stores by code; two channels may each have one of that code, then both names are told."""
    called: dict[str, list[str]] = {}
    for code, name in Store.objects.order_by("code", "channel__code").values_list("code", "name"):
        called.setdefault(code, []).append(name)
    return [(code, " / ".join(dict.fromkeys(found))) for code, found in called.items()]


def _channels() -> list[tuple[str, str]]:
    return list(Channel.objects.order_by("code").values_list("code", "name"))


def _tags() -> list[tuple[str, str]]:
    return list(Tag.objects.order_by("code").values_list("code", "name"))


# What rules name that is not in the document, and who reads what it is called.
_READ: Final[dict[str, Callable[[], list[tuple[str, str]]]]] = {
    "order.channel": _channels,
    "order.store": _stores,
    "member.tags": _tags,
}
PLACES: Final = frozenset(_READ)


def _latest_words() -> tuple[list[str], list[str]]:
    """The categories and products sold of late, most often sold first."""
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH latest AS (SELECT category, product FROM members_orderline ORDER BY id DESC LIMIT %s)"
            " SELECT 'category', category, count(*) FROM latest WHERE category <> '' GROUP BY category"
            " UNION ALL"
            " SELECT 'product', product, count(*) FROM latest WHERE product <> '' GROUP BY product"
            " ORDER BY 3 DESC, 2",
            [LATEST_LINES],
        )
        rows = cursor.fetchall()
    return (list(_first(rows, "category")), list(_first(rows, "product")))


def _first(rows: Sequence[tuple[str, str, int]], kind: str) -> Iterator[str]:
    words = [word for found, word, _count in rows if found == kind]
    yield from words[:MOST_SUGGESTIONS]
