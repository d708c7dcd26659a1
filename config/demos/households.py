"""Households: who buys where, and what each channel learns of them.

Most people are easy: every channel that knows them knows their phone. The others are why members have to
be matched: a buyer whom a platform masks, a phone that a family shares, a number that was given to somebody
else, a name in two spellings. `Presence.identity` says what Shuke should make of it: presences of a person
with the same word are one member, and those without a word are nobody's.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from random import Random
from typing import Final

from config.demos import people
from config.demos.people import Person
from config.demos.seasons import Seasons
from members.cleaning import SHANGHAI
from members.facts import AccountFact, ConsentFact, IdentifierFact, IdentifierKind

SELF: Final = "self"
NOBODY: Final = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Presence:
    """A person in one channel.

    `account` is their row in the channel's list of customers, if they are on one; `buyer` is what its
    orders tell of them. `weight` is how readily they buy here rather than elsewhere.
    """

    channel: str
    account: AccountFact | None = None
    buyer: AccountFact | None = None
    identity: str = SELF
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Customer:
    """A person with the places where they buy."""

    person: Person
    presences: tuple[Presence, ...]


Household = tuple[Customer, ...]


def households(seed: int, seasons: Seasons) -> Iterator[Household]:
    """Household after household, without end."""
    number = 0
    while True:
        number += 1
        yield household(number, seed, seasons)


def household(number: int, seed: int, seasons: Seasons) -> Household:
    """The household with this number: a person mostly, and two where they share something."""
    rng = Random(f"{seed}:household:{number}")
    place = number % _ROUND
    if place in _HARD_CASES:
        return _HARD_CASES[place](_Makers(number, seed, seasons, rng))
    makers = _Makers(number, seed, seasons, rng)
    chance = rng.random()
    if chance < 0.10:
        return makers.strangers()
    if chance < 0.13:
        return makers.foreigners()
    return makers.regulars()


def _key(kind: IdentifierKind, value: str) -> IdentifierFact:
    return IdentifierFact(kind=kind, value=value)


def _phone_of(person: Person) -> IdentifierFact:
    return _key(IdentifierKind.PHONE, person.phone)


def _joined(person: Person) -> datetime:
    return datetime.combine(person.joined, time(10 + person.number % 11, person.number % 60), SHANGHAI)


def _masked(text: str) -> str:
    return f"{text[0]}**"


def _masked_phone(person: Person) -> str:
    national = person.phone.removeprefix("+86")
    return f"{national[:3]}****{national[7:]}"


@dataclass(frozen=True, slots=True)
class _Makers:
    """Makes the households of one number."""

    number: int
    seed: int
    seasons: Seasons
    rng: Random

    def _person(self, second: bool = False, *, foreign: bool = False) -> Person:
        number = 2 * self.number + second
        return people.make(
            number, self.seed, self.rng, self.seasons.first, self.seasons.last, foreign=foreign
        )

    # ------------------------------------------------------------------------- what a channel knows

    def _tmall(self, person: Person) -> Presence:
        """By nick. The shop's own list has phones; orders have Alipay accounts, clear or masked."""
        chance = self.rng.random()
        if chance < 0.15:  # 小** is thousands of people
            nick = _masked(person.nick)
            return Presence(
                channel="tmall",
                buyer=AccountFact(external_id=nick, nick=nick, phone_masked=_masked_phone(person)),
                identity=NOBODY,
            )
        if chance < 0.60:
            name = _masked(person.name) if self.rng.random() < 0.2 else person.name
            return Presence(
                channel="tmall",
                account=replace(self._profile(person), external_id=person.nick, name=name, nick=person.nick),
                buyer=AccountFact(external_id=person.nick, phone_masked=_masked_phone(person)),
            )
        if chance < 0.87:
            return self._tmall_by_phone(person)
        return Presence(
            channel="tmall",
            buyer=AccountFact(external_id=person.nick, phone_masked=_masked_phone(person)),
            identity="tmall",
        )

    def _tmall_by_phone(self, person: Person) -> Presence:
        buyer = AccountFact(external_id=person.nick, identifiers=(_phone_of(person),))
        return Presence(channel="tmall", buyer=buyer)

    def _jd(self, person: Person) -> Presence:
        """By pin. Only who joined the shop's club has left a phone."""
        pin = f"jd_{people.scrambled(person.number, 2**40, self.seed):010x}"
        buyer = AccountFact(external_id=pin)
        if self.rng.random() < 0.6:
            return Presence(
                channel="jd", account=replace(self._profile(person), external_id=pin), buyer=buyer
            )
        return Presence(channel="jd", buyer=buyer, identity="jd")

    def _youzan(self, person: Person) -> Presence:
        """By phone alone."""
        account = replace(
            self._profile(person),
            nick=person.nick,
            tags=tuple(tag for tag in ("会员日", "试饮官", "企业采购") if self.rng.random() < 0.06),
        )
        buyer = AccountFact(identifiers=(_phone_of(person),), nick=person.nick)
        return Presence(channel="youzan", account=account, buyer=buyer)

    def _wechat(self, person: Person, *, with_phone: bool = True) -> Presence:
        """By openid; with the unionid, and the phone of those who let the mini-program ask for it."""
        openid = _key(IdentifierKind.OPENID, f"o{people.code_of(self.seed, 'openid', person.number)[:27]}")
        unionid = _key(IdentifierKind.UNIONID, self._unionid(person))
        keys = (openid, unionid, _phone_of(person)) if with_phone else (openid, unionid)
        account = replace(
            self._profile(person),
            identifiers=keys,
            nick=person.nick,
            name=person.name if with_phone else None,
            birthday=person.birthday if with_phone else None,
        )
        return Presence(
            channel="wechat",
            account=account,
            buyer=AccountFact(identifiers=(openid,)),
            identity=SELF if with_phone else "wechat",
        )

    def _store(self, person: Person, *, with_unionid: bool = True) -> Presence:
        """By the number of the card; whoever scanned the code at the till is known in WeChat too."""
        card = f"86{people.scrambled(person.number, 10**8, self.seed):08d}"
        unionid = _key(IdentifierKind.UNIONID, self._unionid(person))
        keys = (_phone_of(person), unionid) if with_unionid else (_phone_of(person),)
        account = replace(
            self._profile(person), external_id=card, identifiers=keys, occupation=person.occupation
        )
        return Presence(channel="jingan", account=account, buyer=AccountFact(external_id=card))

    def _shopify(self, person: Person, name: str) -> Presence:
        """By customer id, e-mail and phone, with what they agreed to."""
        keys = (_phone_of(person), _key(IdentifierKind.EMAIL, person.email))
        account = AccountFact(
            external_id=str(6_000_000_000_000 + people.scrambled(person.number, 10**11, self.seed)),
            identifiers=keys,
            name=name,
            city=person.home.city,
            consents=tuple(
                ConsentFact(purpose="marketing", granted=self.rng.random() < share, channel=channel)
                for channel, share in (("email", 0.7), ("sms", 0.3))
            ),
        )
        return Presence(channel="shopify", account=account, buyer=AccountFact(identifiers=keys))

    def _nameless(self, channel: str) -> Presence:
        """Where no buyer is told: Pinduoduo, Douyin, and the till for whoever shows no card."""
        return Presence(channel=channel, identity=NOBODY)

    def _unionid(self, person: Person) -> str:
        return f"oU{people.code_of(self.seed, 'unionid', person.number)[:26]}"

    def _profile(self, person: Person) -> AccountFact:
        """What people tell of themselves when they join, more or less of it."""
        return AccountFact(
            identifiers=(_phone_of(person),),
            name=person.name,
            gender=person.gender,
            birthday=person.birthday if self.rng.random() < 0.7 else None,
            province=person.home.province,
            city=person.home.city,
            joined_at=_joined(person),
        )

    # ----------------------------------------------------------------------------------- easy people

    def regulars(self) -> Household:
        """Somebody with one favourite channel, and now and then others."""
        person = self._person()
        if self.rng.random() < 0.05:
            return (self._scanned(person),)
        known = {"tmall": self._tmall, "jd": self._jd, "youzan": self._youzan, "jingan": self._store}
        favourite = _FAVOURITES.draw(self.rng)
        found: list[Presence] = []
        for channel, share in _ALSO.items():
            if channel != favourite and self.rng.random() >= share:
                continue
            if channel == "wechat":
                presence = self._wechat(person)
            else:
                presence = known[channel](person) if channel in known else self._nameless(channel)
            found.append(replace(presence, weight=3.0 if channel == favourite else 1.0))
        return (Customer(person, tuple(found)),)

    def _scanned(self, person: Person) -> Customer:
        """Known in WeChat without a phone, until the code scanned at the till brings both together."""
        wechat = replace(self._wechat(person, with_phone=False), identity=SELF)
        return Customer(person, (wechat, self._store(person), self._tmall_by_phone(person)))

    def strangers(self) -> Household:
        """Somebody of whom no platform says who they are."""
        channels = self.rng.choice((("pinduoduo",), ("douyin",), ("jingan",), ("pinduoduo", "douyin")))
        return (Customer(self._person(), tuple(map(self._nameless, channels))),)

    def foreigners(self) -> Household:
        """Somebody who buys in the English shop, and comes to the store."""
        person = self._person(foreign=True)
        presences = [self._shopify(person, person.name)]
        if self.rng.random() < 0.3:
            presences.append(self._store(person, with_unionid=False))
        return (Customer(person, tuple(presences)),)

    # ----------------------------------------------------------------------------------- hard people

    def family(self) -> Household:
        """Two people with one phone: name and birthday tell them apart."""
        one = self._person()
        other = replace(self._person(second=True), phone=one.phone)
        youzan = self._youzan(one)
        return (
            Customer(one, (replace(youzan, account=self._told_fully(youzan, one)),)),
            Customer(other, (self._named_store(other),)),
        )

    def recycled(self) -> Household:
        """A number that was given to somebody else after its owner let it go."""
        before, now = self._person(), self._person(second=True)
        early = self.seasons.first + timedelta(days=120)
        before = replace(before, joined=min(before.joined, early), since=self.seasons.first, until=early)
        now = replace(now, phone=before.phone, since=max(now.since, early), until=self.seasons.last)
        youzan = self._youzan(before)
        return (
            Customer(before, (replace(youzan, account=self._told_fully(youzan, before)),)),
            Customer(now, (self._wechat(now),)),
        )

    def mistyped(self) -> Household:
        """The same person, whose birthday was typed wrong at the till: a human has to say so."""
        person = self._person()
        wrong = replace(person, birthday=person.birthday + timedelta(days=9))
        youzan = self._youzan(person)
        return (
            Customer(
                person,
                (
                    replace(youzan, account=self._told_fully(youzan, person)),
                    replace(self._named_store(wrong, with_unionid=False), identity="jingan"),
                ),
            ),
        )

    def two_spellings(self) -> Household:
        """王伟 here and Wei Wang in the English shop, with one phone."""
        chinese, passport = people.name_in_two_spellings(self.rng)
        person = replace(self._person(), name=chinese)
        shopify = replace(self._shopify(person, passport), identity="shopify")
        return (Customer(person, (self._wechat(person), shopify)),)

    def keys_disagree(self) -> Household:
        """Known in WeChat and in Youzan as two members before the till tells the keys of both."""
        person = self._person()
        return (
            Customer(
                person,
                (
                    self._youzan(person),
                    self._wechat(person, with_phone=False),
                    replace(self._store(person), identity="wechat"),
                ),
            ),
        )

    def _told_fully(self, presence: Presence, person: Person) -> AccountFact:
        assert presence.account is not None
        return replace(presence.account, name=person.name, birthday=person.birthday)

    def _named_store(self, person: Person, *, with_unionid: bool = True) -> Presence:
        presence = self._store(person, with_unionid=with_unionid)
        return replace(presence, account=self._told_fully(presence, person))


_FAVOURITES: Final = people.weighted(
    [("tmall", 34), ("wechat", 19), ("jd", 16), ("jingan", 19), ("youzan", 12)]
)
# How many of those who like another channel better buy here too.
_ALSO: Final = {
    "tmall": 0.2,
    "jd": 0.1,
    "youzan": 0.08,
    "wechat": 0.2,
    "jingan": 0.12,
    "pinduoduo": 0.06,
    "douyin": 0.09,
}
# Of so many households one each is a hard case, so that the smallest demo already has all of them.
_ROUND: Final = 180
_HARD_CASES: Final[dict[int, Callable[[_Makers], Household]]] = {
    11: _Makers.family,
    31: _Makers.recycled,
    53: _Makers.mistyped,
    71: _Makers.two_spellings,
    97: _Makers.keys_disagree,
}
