"""Keys: by what a buyer can be recognised, in the form in which the database looks for it (A5).

A key is looked up by its blind index within a scope: a Tmall ouid means something in one shop only, an
omid and a hashed phone within one brand, a phone everywhere. `SURENESS` is the one place that says
which key is surer than which.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from members.facts import AccountFact, IdentifierFact, IdentifierKind
from members.models import Channel
from privacy.crypto import blind_index


class Place(NamedTuple):
    """Where a key is looked up; equal for all who share the key."""

    kind: str
    scope: str
    blind: bytes  # its blind index


class Key(NamedTuple):
    """One key of one buyer. `value` is clear: it is sealed on its way into the database."""

    place: Place
    value: str
    verified: bool
    sureness: int  # smaller is surer

    @property
    def is_shared(self) -> bool:
        """Whether it leads to a member only where name and birthday do not disagree."""
        return self.place.kind in SHARED or self.sureness == DERIVED


OF_ONE_CHANNEL = frozenset({IdentifierKind.OUID, IdentifierKind.OPENID})
OF_ONE_BRAND = frozenset({IdentifierKind.OMID, IdentifierKind.MIX_MOBILE})

# Several people share a telephone or a mailbox: these keys lead to a member only where the names agree.
SHARED = frozenset({IdentifierKind.PHONE, IdentifierKind.EMAIL})

_SURENESS = {
    IdentifierKind.OUID: 1,
    IdentifierKind.OMID: 2,
    IdentifierKind.OPENID: 3,
    IdentifierKind.MIX_MOBILE: 4,
    IdentifierKind.UNIONID: 5,
    IdentifierKind.PHONE: 6,  # verified; see below
    IdentifierKind.EMAIL: 7,
}
UNVERIFIED_PHONE = 8
DERIVED = 9  # made of a phone by us (members.phone_hashes), and shared as the phone is


def _scope(kind: IdentifierKind, channel: Channel) -> str:
    if kind in OF_ONE_CHANNEL:
        return channel.code
    return channel.brand if kind in OF_ONE_BRAND else ""


def _trust_in(identifier: IdentifierFact, channel: Channel) -> tuple[int, bool]:
    """How sure an identifier is, and whether it is verified."""
    kind, verified = identifier.kind, identifier.verified
    if verified is None:
        verified = kind in channel.vouches_for
    if kind is IdentifierKind.PHONE and not verified:
        return UNVERIFIED_PHONE, verified
    return _SURENESS[kind], verified


def _surest_first(buyer: AccountFact, channel: Channel) -> Sequence[IdentifierFact]:
    if len(buyer.identifiers) < 2:
        return buyer.identifiers

    def doubt(identifier: IdentifierFact) -> tuple[int, bool]:
        sureness, verified = _trust_in(identifier, channel)
        return sureness, not verified

    return sorted(buyer.identifiers, key=doubt)


def _key_of(identifier: IdentifierFact, channel: Channel) -> Key:
    kind, word = identifier.kind, str(identifier.kind)
    sureness, verified = _trust_in(identifier, channel)
    index = blind_index(identifier.value, purpose=word)
    return Key(Place(word, _scope(kind, channel), index), identifier.value, verified, sureness)


def keys_of(buyer: AccountFact, channel: Channel) -> tuple[Key, ...]:
    """The keys of a buyer, surest first; the same key told twice is one, verified if either is."""
    keys = tuple([_key_of(identifier, channel) for identifier in _surest_first(buyer, channel)])
    if len(keys) < 2:
        return keys
    by_place: dict[Place, Key] = {}
    for key in keys:
        by_place.setdefault(key.place, key)
    return tuple(by_place.values())


def external_id_of(buyer: AccountFact, channel: Channel) -> str:
    """The id of the buyer's account: the channel's own, or where it has none the surest key."""
    if buyer.external_id:
        return buyer.external_id
    surest = _surest_first(buyer, channel)[0]
    return f"{surest.kind}:{surest.value}"


def account_index(channel: Channel, external_id: str) -> bytes:
    """The blind index under which a channel's account is found."""
    return blind_index(f"{channel.pk}:{external_id}", purpose="external_id")


def buckets_of(indexes: Iterable[bytes]) -> list[int]:
    """The locks that stand for these keys, 0 … 255, each once and in the order in which to take them."""
    return sorted({index[0] for index in indexes})
