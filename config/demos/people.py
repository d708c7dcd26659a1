"""People: who they are. Nobody of them exists; their names are put together from lists of our own.

A person is made from the seed and their number alone, so that the same people come again, in the same
order, however many are asked for.
"""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cache
from hashlib import sha256
from itertools import accumulate
from random import Random
from typing import Any

from config.demos import lists
from members.facts import Gender, ReceiverFact

LAPSED_SHARE = 0.3  # of people who bought once and do not any more
OLD_SHARE = 0.4  # of people who were customers before the history begins


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """One person. `rate` is how often they buy in a year, `appetite` how much they take of a thing.

    `number` is unique over the demo, and so is everything that is made from it. They buy from `since`
    to `until`; `joined` is when they first gave their name, maybe long before.
    """

    number: int
    name: str
    gender: Gender
    birthday: date
    occupation: str
    phone: str  # in E.164
    email: str
    nick: str
    home: ReceiverFact
    joined: date
    since: date
    until: date
    rate: float
    appetite: float


@dataclass(frozen=True, slots=True)
class Weighted:
    """Things to draw from, by weight."""

    things: tuple[Any, ...]
    sums: tuple[float, ...]

    def draw(self, rng: Random) -> Any:
        """One of the things."""
        return rng.choices(self.things, cum_weights=self.sums)[0]


def weighted(pairs: "list[tuple[Any, float]]") -> Weighted:
    """Things with their weights."""
    return Weighted(tuple(thing for thing, _ in pairs), tuple(accumulate(weight for _, weight in pairs)))


def scrambled(number: int, modulus: int, seed: int, *, stride: int = 387_420_489) -> int:
    """Another number for each number below the modulus, a power of ten or of two: no two are the same.

    stride: odd and no multiple of five, or two would be; another one for numbers that must not look alike.
    """
    return (number * stride + seed * 7_919 + 104_729) % modulus


def code_of(*parts: object) -> str:
    """Forty signs that look like chance and are the same each time, as platforms name people."""
    return sha256(":".join(map(str, parts)).encode()).hexdigest()[:40]


def make(number: int, seed: int, rng: Random, first: date, last: date, *, foreign: bool = False) -> Person:
    """The person with this number, who buys at some time from `first` to `last`."""
    gender = Gender.FEMALE if rng.random() < 0.62 else Gender.MALE
    name = _foreign_name(rng, gender) if foreign else _name(rng, gender)
    joined, since, until = _stay(rng, first, last)
    rate = min(rng.lognormvariate(0.75, 0.95), 60.0)
    told = scrambled(number, 10**7, seed, stride=48_271)
    phone = _phone(number, seed)
    return Person(
        number=number,
        name=name,
        gender=gender,
        birthday=_birthday(rng, last),
        occupation=rng.choice(_words("occupations")),
        phone=phone,
        email=f"{name.lower().replace(' ', '.') if foreign else 'tea'}{told}@example.com",
        nick=f"{rng.choice(_words('nick_heads'))}{rng.choice(_words('nick_tails'))}{told}",
        home=replace(_home(rng), name=name, phone=phone),
        joined=joined,
        since=since,
        until=until,
        rate=rate,
        # Who buys often also buys more: the few who carry the brand.
        appetite=rng.lognormvariate(-0.6, 0.6) * (rate / 2) ** 0.35,
    )


def name_in_two_spellings(rng: Random) -> tuple[str, str]:
    """A Chinese name, and the same name as it stands in a passport."""
    spelt: dict[str, str] = lists.read("names")["pinyin"]
    surname = rng.choice([sign for sign in spelt if sign in _words("surnames")])
    given = rng.choice([sign for sign in spelt if sign not in _words("surnames")])
    return f"{surname}{given}", f"{spelt[given]} {spelt[surname]}"


def _stay(rng: Random, first: date, last: date) -> tuple[date, date, date]:
    """When they joined, and from when to when they buy."""
    if rng.random() < OLD_SHARE:
        joined, since = first - timedelta(days=rng.randint(1, 900)), first
    else:
        joined = since = first + timedelta(days=rng.randint(0, (last - first).days))
    lapsed = rng.random() < LAPSED_SHARE
    until = since + timedelta(days=rng.randint(0, (last - since).days)) if lapsed else last
    return joined, since, until


def _birthday(rng: Random, last: date) -> date:
    age_days = int(rng.triangular(18, 72, 33) * 365.25)
    return last - timedelta(days=age_days)


def _phone(number: int, seed: int) -> str:
    prefixes = _words("mobile_prefixes")
    return f"+86{prefixes[number % len(prefixes)]}{scrambled(number, 10**8, seed):08d}"


def _home(rng: Random) -> ReceiverFact:
    city = _cities().draw(rng)
    house = f"{rng.randint(1, 380)}号{rng.randint(1, 30)}幢{rng.randint(101, 1805)}室"
    return ReceiverFact(
        province=city["province"],
        city=city["city"],
        district=rng.choice(city["districts"]),
        address=f"{rng.choice(_streets())}{house}",
    )


def _name(rng: Random, gender: Gender) -> str:
    signs = _signs(gender)
    given = rng.choice(signs) if rng.random() < 0.15 else rng.choice(signs) + rng.choice(signs)
    return f"{_surnames().draw(rng)}{given}"


def _foreign_name(rng: Random, gender: Gender) -> str:
    first = _words("first_names_female" if gender is Gender.FEMALE else "first_names_male")
    return f"{rng.choice(first)} {rng.choice(_words('last_names'))}"


@cache
def _words(name: str) -> tuple[str, ...]:
    return tuple(lists.read("names")[name].split())


@cache
def _signs(gender: Gender) -> tuple[str, ...]:
    return _words("female" if gender is Gender.FEMALE else "male")


@cache
def _surnames() -> Weighted:
    words = _words("surnames")
    return weighted([(name, float(weight)) for name, weight in zip(words[::2], words[1::2], strict=True)])


@cache
def _cities() -> Weighted:
    return weighted([(city, city["weight"]) for city in lists.read("places")["cities"]])


@cache
def _streets() -> tuple[str, ...]:
    return tuple(lists.read("places")["streets"].split())
