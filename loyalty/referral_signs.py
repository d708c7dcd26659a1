"""What speaks against a friend: signs that the one who was brought is the one who brings, or a shadow (B9).

When the friend joins: the same person, shared keys (phone, e-mail, platform ids), a shared device, a ring of
members who brought each other. When the friend is about to count: the same again, and where parcels went.

Devices are kept as keyed indexes (`DeviceSeen`). Addresses are kept nowhere beside the sealed order: those of
the latest orders are opened, compared in memory without widths, spaces, marks and the region written twice,
and forgotten. A masked or very short address says nothing. Whatever the referrer shares with the friend, and
whatever another friend of the same referrer shares with them, is a sign.
"""

import unicodedata
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import F, Window
from django.db.models.functions import RowNumber

from loyalty.models import DeviceSeen, Referral
from members import columns, survivors
from members.agreement import is_masked
from members.cleaning import Unclean, clean_phone
from members.facts import IdentifierKind
from members.models import Identifier, Order
from privacy.crypto import blind_index

Reason = Referral.Reason

# What is certain refuses by itself; whatever else is found waits for a person.
CERTAIN = frozenset({Reason.SELF, Reason.NOT_NEW, Reason.OTHER_REFERRER, Reason.NOT_ENTITLED})
LONGEST_RING = 3
ORDERS_LOOKED_AT = 10  # of each member, the latest
FRIENDS_LOOKED_AT = 50  # of each referrer, the latest
SHORTEST_ADDRESS = 5  # 人民路1号 without anything before it
DEVICES_KEPT = timedelta(days=396)  # thirteen months
# A channel may tell of a first purchase a little before it tells of the account.
TOLD_APART = timedelta(days=1)


class Pair(NamedTuple):
    """Somebody who brings, and whom they bring."""

    referrer_id: int
    friend_id: int


Signs = list[set[str]]  # keys of Referral.Reason, in the order of the pairs


def of_joining(pairs: Sequence[Pair]) -> Signs:
    """What speaks against friends when they join. Four statements, however many pairs."""
    found: Signs = [set() for _ in pairs]
    if pairs:
        _same_person(pairs, found)
        _shared_keys(pairs, found)
        _shared_devices(pairs, found)
        _rings(pairs, found)
    return found


def of_purchase(pairs: Sequence[Pair]) -> Signs:
    """What speaks against friends who have bought: what did when they joined, and where parcels went."""
    found = of_joining(pairs)
    if pairs:
        _shared_parcels(pairs, found)
    return found


def see_devices(seen: Iterable[tuple[int, str]], *, channel_id: int, now: datetime) -> None:
    """Keep which devices members were told with, as keyed indexes; a channel's device is its own."""
    rows = {
        (member_id, blind_index(f"{channel_id}:{device}", purpose="device")) for member_id, device in seen
    }
    DeviceSeen.objects.bulk_create(
        [DeviceSeen(member_id=member_id, index=index, seen_at=now) for member_id, index in sorted(rows)],
        update_conflicts=True,
        unique_fields=["member", "index"],
        update_fields=["seen_at"],
    )


def forget_devices(now: datetime) -> int:
    """Delete the devices that were last seen thirteen months ago; how many."""
    deleted, _by_model = DeviceSeen.objects.filter(seen_at__lt=now - DEVICES_KEPT).delete()
    return deleted


# --- when they join ----------------------------------------------------------------------------------


def _same_person(pairs: Sequence[Pair], found: Signs) -> None:
    linked = survivors.linked({id_ for pair in pairs for id_ in pair})
    for pair, signs in zip(pairs, found, strict=True):
        if pair.referrer_id in linked[pair.friend_id]:
            signs.add(Reason.SELF)


_SHARED_KEYS = """
SELECT told.n, a.kind, a.verified AND b.verified
  FROM unnest(%s::int[], %s::bigint[], %s::bigint[]) AS told(n, referrer, friend)
  JOIN members_identifier a ON a.member_id = told.friend
  JOIN members_identifier b
    ON b.member_id = told.referrer AND (b.kind, b.scope, b.index) = (a.kind, a.scope, a.index)
 WHERE told.referrer <> told.friend
"""
_SHARED_DEVICES = """
SELECT DISTINCT told.n
  FROM unnest(%s::int[], %s::bigint[], %s::bigint[]) AS told(n, referrer, friend)
  JOIN loyalty_deviceseen d ON d.member_id = told.friend
  JOIN loyalty_deviceseen o ON o.index = d.index AND o.member_id <> told.friend
 WHERE o.member_id = told.referrer
    OR EXISTS (SELECT FROM loyalty_referral r
                WHERE r.friend_id = o.member_id AND r.referrer_id = told.referrer)
"""
_RINGS = f"""
WITH RECURSIVE up AS (
    SELECT told.n, told.friend, told.referrer AS reached, 0 AS steps
      FROM unnest(%s::int[], %s::bigint[], %s::bigint[]) AS told(n, referrer, friend)
     UNION
    SELECT up.n, up.friend, r.referrer_id, up.steps + 1
      FROM up JOIN loyalty_referral r ON r.friend_id = up.reached AND r.state <> 'refused'
     WHERE up.steps < {LONGEST_RING}
)
SELECT DISTINCT n FROM up WHERE reached = friend AND steps > 0
"""


def _shared_keys(pairs: Sequence[Pair], found: Signs) -> None:
    """A verified key or a platform's id is the person; a phone or mailbox may be a family's."""
    shared = {IdentifierKind.PHONE.value: Reason.SAME_PHONE, IdentifierKind.EMAIL.value: Reason.SAME_EMAIL}
    for n, kind, both_verified in columns.ask(_SHARED_KEYS, _columns(pairs)):
        found[n].add(Reason.SELF if both_verified else shared.get(kind, Reason.SELF))


def _shared_devices(pairs: Sequence[Pair], found: Signs) -> None:
    for (n,) in columns.ask(_SHARED_DEVICES, _columns(pairs)):
        found[n].add(Reason.SAME_DEVICE)


def _rings(pairs: Sequence[Pair], found: Signs) -> None:
    for (n,) in columns.ask(_RINGS, _columns(pairs)):
        found[n].add(Reason.HOUSEHOLD)


def _columns(pairs: Sequence[Pair]) -> list[str]:
    return [
        columns.numbers(range(len(pairs))),
        columns.numbers([pair.referrer_id for pair in pairs]),
        columns.numbers([pair.friend_id for pair in pairs]),
    ]


# --- when they have bought ---------------------------------------------------------------------------


def _shared_parcels(pairs: Sequence[Pair], found: Signs) -> None:
    """Compare where the friend's parcels went with those of the referrer and of the referrer's friends."""
    others = _other_friends({pair.referrer_id for pair in pairs})
    everybody = {id_ for pair in pairs for id_ in pair} | {id_ for each in others.values() for id_ in each}
    went = _parcels(everybody)
    phones = _phones({pair.referrer_id for pair in pairs})
    for pair, signs in zip(pairs, found, strict=True):
        own = went.get(pair.friend_id, set())
        if pair.friend_id == pair.referrer_id or not own:
            continue
        compared = {pair.referrer_id, *others.get(pair.referrer_id, ())} - {pair.friend_id}
        theirs = {sign for id_ in compared for sign in went.get(id_, ())}
        theirs |= phones.get(pair.referrer_id, set())
        signs.update(reason for reason, _value in own & theirs)


Sign = tuple[str, str]  # a key of Reason, and what would have to be equal


def _parcels(member_ids: Collection[int]) -> Mapping[int, set[Sign]]:
    """Where the latest parcels of members went: addresses and telephones, in the form they are compared."""
    latest = Window(RowNumber(), partition_by="member", order_by=[F("placed_at").desc(), F("id").desc()])
    orders = Order.objects.filter(member__in=member_ids, receiver__isnull=False)
    went: dict[int, set[Sign]] = defaultdict(set)
    for order in (
        orders.annotate(place=latest)
        .filter(place__lte=ORDERS_LOOKED_AT)
        .only("member_id", "seal", "receiver")
    ):
        receiver: Mapping[str, str] = order.receiver or {}
        assert order.member_id is not None
        if address := place_of(receiver):
            went[order.member_id].add((Reason.SAME_ADDRESS, address))
        if phone := _phone_of(receiver):
            went[order.member_id].add((Reason.SAME_PHONE, phone))
    return went


def place_of(receiver: Mapping[str, Any]) -> str:
    """An address in the form in which it is compared; '' when it says too little or is masked."""
    address = _folded(receiver.get("address"))
    if len(address) < SHORTEST_ADDRESS or is_masked(str(receiver["address"])):
        return ""
    regions = [_folded(receiver.get(name)) for name in ("province", "city", "district")]
    for region in regions:
        address = address.removeprefix(region)
    return "".join(regions) + address


def _folded(text: Any) -> str:
    """Letters and digits only, whatever their width and case: 1 号 and １号 are one."""
    folded = unicodedata.normalize("NFKC", str(text or "")).casefold()
    return "".join(character for character in folded if character.isalnum())


def _phone_of(receiver: Mapping[str, Any]) -> str:
    try:
        phone = clean_phone(receiver.get("phone"))
    except Unclean:
        return ""
    return blind_index(phone, purpose=IdentifierKind.PHONE.value).hex() if phone else ""


def _phones(member_ids: Collection[int]) -> Mapping[int, set[Sign]]:
    """The phones that members are known by, as receivers' phones are compared."""
    known: dict[int, set[Sign]] = defaultdict(set)
    rows = Identifier.objects.filter(member__in=member_ids, kind=IdentifierKind.PHONE.value)
    for member_id, index in rows.values_list("member_id", "index"):
        known[member_id].add((Reason.SAME_PHONE, bytes(index).hex()))
    return known


def _other_friends(referrer_ids: Collection[int]) -> Mapping[int, list[int]]:
    """The latest friends of each referrer, refused ones too."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT referrer_id, friend_id FROM (SELECT referrer_id, friend_id, row_number() OVER"
            " (PARTITION BY referrer_id ORDER BY id DESC) AS place FROM loyalty_referral"
            " WHERE referrer_id = ANY(%s)) AS latest WHERE place <= %s",
            [sorted(referrer_ids), FRIENDS_LOOKED_AT],
        )
        friends: dict[int, list[int]] = defaultdict(list)
        for referrer_id, friend_id in cursor.fetchall():
            friends[referrer_id].append(friend_id)
    return friends
