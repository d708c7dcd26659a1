"""Keys: by what a buyer can be recognised, in the form in which the database looks for it (A5).

A key is looked up by its blind index within a scope: a Tmall ouid means something in one shop only, an
omid and a hashed phone within one brand, a phone everywhere. `SURENESS` is the one place that says
which key is surer than which.
"""

from collections.abc import Iterable
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


def _key_of(identifier: IdentifierFact, channel: Channel) -> Key:
    kind, word = identifier.kind, identifier.kind.value
    verified = identifier.verified
    if verified is None:
        verified = word in channel.vouches_for
    sureness = _SURENESS[kind]
    if kind is IdentifierKind.PHONE and not verified:
        sureness = UNVERIFIED_PHONE
    index = blind_index(identifier.value, purpose=word)
    return Key(Place(word, _scope(kind, channel), index), identifier.value, verified, sureness)


def keys_of(buyer: AccountFact, channel: Channel) -> tuple[Key, ...]:
    """The keys of a buyer, surest first; the same key told twice is one, verified if either is."""
    keys = [_key_of(identifier, channel) for identifier in buyer.identifiers]
    if len(keys) < 2:
        return tuple(keys)
    surest_first = sorted(keys, key=lambda key: (key.sureness, not key.verified))
    by_place: dict[Place, Key] = {}
    for key in surest_first:
        by_place.setdefault(key.place, key)
    return tuple(by_place.values())


def external_id_of(buyer: AccountFact, keys: tuple[Key, ...]) -> str:
    """The id of the buyer's account: the channel's own, or where it has none the surest key."""
    if buyer.external_id:
        return buyer.external_id
    return f"{keys[0].place.kind}:{keys[0].value}"


def account_index(channel: Channel, external_id: str) -> bytes:
    """The blind index under which a channel's account is found."""
    return blind_index(f"{channel.pk}:{external_id}", purpose="external_id")


def buckets_of(indexes: Iterable[bytes]) -> list[int]:
    """The locks that stand for these keys, 0 … 255, each once and in the order in which to take them."""
    return sorted({index[0] for index in indexes})
