"""Who is who: buyers in, members out (A2, A5). This module decides; `members.filing` writes.

Promises: the surest key decides (`members.keys`); an equal phone or e-mail leads to a member only
where name and birthday do not disagree; what looks like one person but may be two waits for a human
(MatchReview) and is never guessed; two requests with the same unknown key end as one member.

One batch costs a fixed number of statements: two when everybody is known, about a dozen when not.
Call it once in a transaction, before orders or wallets are locked: it may wait for other requests
with the same keys, and nobody who holds those may be waiting for us.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from members import acquaintances, columns, filing, phone_hashes, profiles, versions
from members.acquaintances import Held, HeldPlace, Person, Seen
from members.agreement import birthdays_agree, clean_name, names_agree
from members.facts import AccountFact
from members.keys import Key, Place, account_index, buckets_of, external_id_of, keys_of
from members.models import Channel, MatchReview
from members.phone_hashes import MixKey

Reason = MatchReview.Reason

# Why an account belongs to its member, in words for the member page.
LINK_REASONS: dict[str, str | Promise] = {
    "new": _("First heard of here"),
    "ouid": _("Same buyer of the Tmall shop"),
    "omid": _("Same buyer of the brand on Tmall"),
    "openid": _("Same WeChat openid"),
    "mix_mobile": _("Same phone, as hashed by Tmall"),
    "unionid": _("Same WeChat unionid"),
    "phone_verified": _("Same verified phone"),
    "email": _("Same e-mail"),
    "phone": _("Same phone, nothing disagrees"),
    "counter": _("Stood at the counter"),
}


class Known(NamedTuple):
    """A buyer, recognised. `account_outcome` is new, changed, same, stale or conflict."""

    account_id: int
    member_id: int
    is_new_account: bool
    is_new_member: bool
    linked_by: str
    account_outcome: str


class Recognition(NamedTuple):
    """The answers in the order of the buyers, and what members may still be lacking."""

    known: list[Known | None]
    wanted: dict[int, dict[str, Any]]


@dataclass(slots=True, eq=False)
class Buyer:
    """One told buyer with the keys to look for. `digest` is there when their account was told."""

    fact: AccountFact
    blind: bytes
    external_id: str
    keys: tuple[Key, ...]
    digest: bytes | None


def resolve(channel: Channel, buyers: Sequence[AccountFact | None], *, now: datetime) -> list[Known | None]:
    """Recognise the buyers of orders: account and member for each, None where nobody was named.

    Unknown buyers get an account, and a member unless a key leads to one; new keys are added to
    known ones. A profile is not overwritten here: that is what accounts.receive is for.
    """
    found = recognise(channel, buyers, digests=None, now=now)
    profiles.fill(found.wanted, channel=channel)
    return found.known


def recognise(
    channel: Channel,
    buyers: Sequence[AccountFact | None],
    *,
    digests: Sequence[bytes] | None,
    now: datetime,
) -> Recognition:
    """As resolve(), without filling members.

    With `digests` the accounts themselves are told: they are locked, versions decide what holds, and
    the profiles are written. The caller hands `wanted` to profiles.fill() when all else is written.
    """
    assert columns.in_transaction(), "identity is resolved within the transaction that uses it"
    told = [
        _read(channel, fact, digests[n] if digests else None) if fact is not None and fact.is_known else None
        for n, fact in enumerate(buyers)
    ]
    room = _Room(channel, now, _look_up(channel, told, lock=digests is not None))
    strangers = _strangers(told, room.seen)
    if strangers:
        _wait_and_look_again(room, strangers)
        room.strange = set(map(id, strangers))
    known = [room.receive(buyer) if buyer is not None else None for buyer in told]
    filing.file(channel, room.papers(), now=now)
    return Recognition([entry and entry.answer() for entry in known], room.wanted())


def _read(channel: Channel, fact: AccountFact, digest: bytes | None) -> Buyer:
    keys = keys_of(fact, channel)
    external_id = external_id_of(fact, channel)
    return Buyer(fact, account_index(channel, external_id), external_id, keys, digest)


def _look_up(channel: Channel, told: Iterable[Buyer | None], *, lock: bool) -> dict[bytes, Seen]:
    indexes = list(dict.fromkeys(buyer.blind for buyer in told if buyer))
    if not indexes:
        return {}
    if lock:
        return acquaintances.accounts(channel, indexes, lock=True)
    return acquaintances.members_of(channel, indexes)


def _strangers(told: Iterable[Buyer | None], seen: Mapping[bytes, Seen]) -> list[Buyer]:
    """The buyers of whom something is unknown: the account, or a key of it."""
    unknown: list[Buyer] = []
    with_keys: list[tuple[Buyer, int]] = []
    for buyer in told:
        if buyer is None:
            continue
        account = seen.get(buyer.blind)
        if account is None:
            unknown.append(buyer)
        elif buyer.keys and _verdict(buyer, account) in (None, versions.CHANGED):
            with_keys.append((buyer, account.member_id))
    held = acquaintances.held([(member, key) for buyer, member in with_keys for key in buyer.keys])
    unknown += [
        buyer
        for buyer, member in with_keys
        if any(HeldPlace(member, key.place) not in held for key in buyer.keys)
    ]
    return unknown


def _verdict(buyer: Buyer, account: Seen) -> str | None:
    """What versions say of an account told again; None where only an order named the buyer."""
    if buyer.digest is None:
        return None
    return versions.judge(buyer.fact.version, buyer.digest, account.version, account.digest)


def _wait_and_look_again(room: "_Room", strangers: Sequence[Buyer]) -> None:
    """Take our turn with every unknown key, then see what others have written meanwhile."""
    places = list(dict.fromkeys(key.place for buyer in strangers for key in buyer.keys))
    missing = list(dict.fromkeys(buyer.blind for buyer in strangers if buyer.blind not in room.seen))
    take_turns(buckets_of([*missing, *(place.blind for place in places)]))
    if missing:
        room.seen |= acquaintances.accounts(room.channel, missing, lock=False)
    rows, mixes = acquaintances.holders(places) if places else ([], ())
    if mixes:
        places, rows = _look_for_hashes(strangers, places, mixes)
    accounts = [room.seen[buyer.blind] for buyer in strangers if buyer.blind in room.seen]
    member_ids = {row[2] for row in rows} | {account.member_id for account in accounts}
    room.persons = acquaintances.persons(member_ids) if member_ids else {}
    for n, key_id, member_id, verified, leads in rows:
        person = room.persons[member_id]
        room.hold(Held(person, places[n - 1], verified, leads, key_id, verified, leads))


def _look_for_hashes(
    strangers: Sequence[Buyer], places: Sequence[Place], mixes: Sequence[MixKey]
) -> tuple[list[Place], list[columns.Row]]:
    """Look also for what Tmall would hash the phones to, and for phones by the hashes that were told."""
    for buyer in strangers:
        buyer.keys = phone_hashes.with_hashes(buyer.keys, mixes)
    places = list(dict.fromkeys([*places, *(key.place for buyer in strangers for key in buyer.keys)]))
    hashes = [place.blind for place in places if place.kind == phone_hashes.KIND]
    if hashes:
        acquaintances.lock(buckets_of(hashes), namespace=acquaintances.HASH_NAMESPACE)
    return places, acquaintances.holders(places)[0]


def take_turns(buckets: Sequence[int]) -> None:
    """Let requests with the same unknown keys come one after the other (liveness, not safety)."""
    acquaintances.lock(buckets)


class _Entry(NamedTuple):
    """One buyer's place in the answers; ids are read off once everything is written."""

    seen: Seen
    is_new_account: bool
    is_new_member: bool
    outcome: str

    def answer(self) -> Known:
        seen = self.seen
        return Known(
            seen.id, seen.member_id, self.is_new_account, self.is_new_member, seen.linked_by, self.outcome
        )


class _Choice(NamedTuple):
    person: Person
    linked_by: str
    doubts: list[tuple[Person, str, str]]  # another person, why, by which kind of key


@dataclass(slots=True)
class _Room:
    """One batch at work: who is known, who came in, and what must be written."""

    channel: Channel
    now: datetime
    seen: dict[bytes, Seen]
    strange: set[int] = field(default_factory=set)
    persons: dict[int, Person] = field(default_factory=dict)
    leads: dict[Place, Held] = field(default_factory=dict)
    sharing: dict[Place, list[Held]] = field(default_factory=dict)
    held: dict[tuple[Person, Place], Held] = field(default_factory=dict)
    new_persons: list[Person] = field(default_factory=list)
    lacking: dict[int, dict[str, Any]] = field(default_factory=dict)
    reviews: dict[tuple[Person, Person], tuple[str, dict[str, Any]]] = field(default_factory=dict)

    def hold(self, key: Held) -> None:
        self.held[key.person, key.place] = key
        self.sharing.setdefault(key.place, []).append(key)
        if key.leads:
            self.leads[key.place] = key

    def receive(self, buyer: Buyer) -> _Entry:
        """Take one buyer in, in sequence: the batch's earlier buyers are known to the later ones."""
        account = self.seen.get(buyer.blind)
        if account is None:
            return self._admit(buyer)
        verdict = _verdict(buyer, account)
        if verdict in (versions.SAME, versions.STALE, versions.CONFLICT):
            account.keep_version(buyer.fact.version)
            return _Entry(account, False, False, verdict)
        learnt = id(buyer) in self.strange and self._learn(account, buyer)
        if verdict == versions.CHANGED:
            self._retell(account, buyer)
        return _Entry(account, False, False, verdict or (versions.CHANGED if learnt else versions.SAME))

    def _admit(self, buyer: Buyer) -> _Entry:
        """Make an account for an unknown buyer, for the member that the surest key leads to."""
        choice = self._choose(buyer)
        person = choice.person
        account = Seen(
            0,
            person.id,
            choice.linked_by,
            buyer.fact.version,
            buyer.digest,
            person=person,
            index=buyer.blind,
            external_id=buyer.external_id,
            told=profiles.told_by(buyer.fact),
        )
        self.seen[buyer.blind] = account
        self._learn(account, buyer)
        for other, reason, kind in choice.doubts:
            self._doubt(person, other, reason, kind)
        return _Entry(account, True, choice.linked_by == "new", versions.NEW)

    def _choose(self, buyer: Buyer) -> _Choice:
        chosen: Person | None = None
        linked_by = "new"
        doubts: list[tuple[Person, str, str]] = []
        for key in buyer.keys:
            lead = self.leads.get(key.place)
            if lead is None or lead.person is chosen:
                continue
            if chosen is not None:
                doubts.append((lead.person, Reason.KEYS_DISAGREE, key.place.kind))
            elif reason := _disagreement(buyer.fact, lead.person, key):
                doubts.append((lead.person, reason, key.place.kind))
                chosen = self._namesake(buyer.fact, key)
            else:
                chosen = lead.person
            if chosen is not None and linked_by == "new":
                linked_by = _link_reason(key)
        if chosen is None:
            chosen = acquaintances.new_person()
            self.new_persons.append(chosen)
        return _Choice(chosen, linked_by, doubts)

    def _namesake(self, fact: AccountFact, key: Key) -> Person | None:
        """Among those who share a key with the one it leads to, who has this very name."""
        if not clean_name(fact.name):
            return None
        for held in self.sharing[key.place]:
            person = held.person
            if person.name and names_agree(fact.name, person.name) and not _disagreement(fact, person, key):
                return person
        return None

    def _learn(self, account: Seen, buyer: Buyer) -> bool:
        """Add the keys that the member does not hold yet; whether there was anything to learn."""
        person = account.person = account.person or self.persons[account.member_id]
        profiles.want(person.wanted, buyer.fact, buyer.keys)
        learnt = False
        for key in buyer.keys:
            held = self.held.get((person, key.place))
            if held is None:
                held = Held(person, key.place, key.verified, leads=False, value=key.value, seen=account)
                self.hold(held)
            elif held.verified or not key.verified:
                continue
            held.verified = held.verified or key.verified
            learnt = True
            self._lead(held)
        return learnt

    def _lead(self, held: Held) -> None:
        """Let a key lead to its member, unless it leads to another by right: a verified key outranks."""
        leading = self.leads.get(held.place)
        if leading is held:
            return
        if leading is None or (held.verified and not leading.verified):
            if leading is not None:
                leading.leads = False
            held.leads = True
            self.leads[held.place] = held
        if leading is not None and held.seen is not None:
            self._doubt(held.person, leading.person, Reason.KEYS_DISAGREE, held.place.kind)

    def _doubt(self, person: Person, other: Person, reason: str, kind: str) -> None:
        """Put a pair before a human, once; a reason of substance replaces that two keys disagree."""
        if person is other:
            return
        pair = (other, person) if (other, person) in self.reviews else (person, other)
        known_reason, evidence = self.reviews.get(pair, (reason, {"same": []}))
        if known_reason == Reason.KEYS_DISAGREE:
            known_reason = reason
        if kind not in evidence["same"]:
            evidence["same"].append(kind)
        self.reviews[pair] = (known_reason, evidence)

    def _retell(self, account: Seen, buyer: Buyer) -> None:
        """Write what the channel now says of a known account."""
        account.keep_version(buyer.fact.version)
        account.digest = buyer.digest
        profiles.retell(account, buyer.fact)
        if account.person is None:
            profiles.want(self.lacking.setdefault(account.member_id, {}), buyer.fact, buyer.keys)

    def papers(self) -> filing.Papers:
        """What came of the batch, for the files."""
        return filing.Papers(
            persons=self.new_persons,
            accounts=[seen for seen in self.seen.values() if seen.id == 0 or seen.is_touched],
            keys=[
                key
                for key in self.held.values()
                if key.id == 0 or key.is_raised or key.was_leading > key.leads
            ],
            reviews=[(*pair, *why) for pair, why in self.reviews.items()],
        )

    def wanted(self) -> dict[int, dict[str, Any]]:
        """By member id, what accounts told that a known member may be lacking."""
        for person in self.persons.values():
            if person.wanted:
                self.lacking[person.id] = person.wanted | self.lacking.get(person.id, {})
        return self.lacking


def _disagreement(fact: AccountFact, person: Person, key: Key) -> str:
    """Why a shared key does not lead to this person; empty where nothing speaks against it."""
    if not key.is_shared:
        return ""
    if not birthdays_agree(fact.birthday, person.birthday):
        return Reason.BIRTHDAY_DIFFERS
    return "" if names_agree(fact.name, person.name) else Reason.NAME_DIFFERS


def _link_reason(key: Key) -> str:
    return f"{key.place.kind}_verified" if key.place.kind == "phone" and key.verified else key.place.kind
