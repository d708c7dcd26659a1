"""Coupons in the database: found, locked in the order of their ids, and written a batch at a time.

This module alone writes coupons, their uses and their history. Each move of a coupon is one row of its
history with the next position, and one change that the channels are told.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import connection

from loyalty.models import Coupon, CouponMove
from loyalty.tellings import coupon_changed
from members import columns, outbox

_LOCKS = 7412  # the namespace of advisory locks for campaigns
State = Coupon.State
Kind = CouponMove.Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """A coupon that pays part of an order; amounts in yuan, None where the basket was not told."""

    order_no: str
    channel_id: int
    store_id: int | None = None
    member_id: int | None = None
    discount: Decimal | None = None
    postage: Decimal | None = None
    counted: Decimal | None = None


@dataclass(slots=True)
class Moves:
    """What happens to coupons in one transaction, to be written at its end in a few statements."""

    now: datetime
    actor_id: int | None = None
    steps: list[tuple[Coupon, int, str, int | None, str, str]] = field(default_factory=list)
    uses: list[tuple[int, Use]] = field(default_factory=list)
    returned: list[int] = field(default_factory=list)  # ids of uses

    def add(
        self,
        coupon: Coupon,
        kind: CouponMove.Kind,
        *,
        channel_id: int | None = None,
        order_no: str = "",
        why: Mapping[str, Any] | None = None,
    ) -> None:
        """Note one move of a coupon that stands already as it is to stand after it."""
        coupon.steps += 1
        step = (coupon, coupon.steps, kind.value, channel_id, order_no, json.dumps(dict(why or {})))
        self.steps.append(step)

    def write(self) -> None:
        """Write all moves, and tell them."""
        if not self.steps:
            return
        # Uses come first: that nothing is used twice is refused in its own name.
        _add_uses(self.uses, self.now, self.actor_id)
        _return_uses(self.returned, self.now)
        _add_moves(self.steps, self.now, self.actor_id)
        coupons = list({step[0].pk: step[0] for step in self.steps}.values())
        _change(coupons)
        outbox.put(_told(self.steps))


def _told(steps: Sequence[tuple[Coupon, int, str, int | None, str, str]]) -> list[outbox.Change]:
    """One change a step; of several of one coupon each has its own number and the state at the end."""
    changes = []
    for coupon, position, kind, channel_id, _order_no, _why in steps:
        change = coupon_changed(coupon, kind, channel_id)
        changes.append(change._replace(change=f"coupon:{coupon.pk}:{position}"))
    return changes


# --- locks --------------------------------------------------------------------------------------------


def take_turns(campaigns: Collection[str]) -> None:
    """Wait until no other transaction issues coupons of these campaigns."""
    if campaigns:
        _take_turns([f"campaign:{campaign}" for campaign in sorted(set(campaigns))])


def take_turns_of_orders(orders: Collection[tuple[int, str]]) -> None:
    """Wait until no other transaction decides which coupons these orders (channel, number) have."""
    if orders:
        _take_turns([f"order:{channel_id}:{number}" for channel_id, number in sorted(set(orders))])


def _take_turns(names: Sequence[str]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(%s, hashtext(name)) FROM unnest(%s::text[]) AS name",
            [_LOCKS, list(names)],
        )


def hold(coupon_ids: Collection[int]) -> dict[int, Coupon]:
    """Lock coupons in the order of their ids; as they stand, by id."""
    assert connection.in_atomic_block, "the caller opens the transaction"
    rows = Coupon.objects.filter(pk__in=coupon_ids).order_by("pk").select_for_update(no_key=True)
    return {coupon.pk: coupon for coupon in rows}


# --- finding ------------------------------------------------------------------------------------------


def find(codes: Sequence[str]) -> Coupon | None:
    """The coupon that one of these codes names, the first of them rather than the second."""
    found = {coupon.code: coupon for coupon in Coupon.objects.filter(code__in=codes)}
    return next((found[code] for code in codes if code in found), None)


def codes_taken(codes: Collection[str], *, but: str = "") -> set[str]:
    """Which of these codes some coupon has; `but`: coupons whose cause begins so are left out."""
    if not codes:
        return set()
    rows = columns.ask(
        "SELECT code FROM loyalty_coupon WHERE code = ANY(%s) AND (%s = '' OR NOT starts_with(cause, %s))",
        [list(codes), but, but],
    )
    return {code for (code,) in rows}


def of_order(channel_id: int, order_no: str, now: datetime) -> list[tuple[int, str, int]]:
    """The coupons that an order has locked or used now: id, campaign, programme version."""
    return columns.ask(
        "SELECT id, campaign, programme_id FROM loyalty_coupon WHERE state = 'locked'"
        " AND locked_channel_id = %s AND locked_order_no = %s AND locked_until > %s"
        " UNION ALL SELECT c.id, c.campaign, c.programme_id"
        "  FROM loyalty_couponuse u JOIN loyalty_coupon c ON c.id = u.coupon_id"
        " WHERE u.channel_id = %s AND u.order_no = %s AND u.returned_at IS NULL",
        [channel_id, order_no, now, channel_id, order_no],
    )


def for_public_code(
    campaign: str, *, channel_id: int, order_no: str, member_id: int | None, now: datetime
) -> int | None:
    """The coupon that a public code means for an order: the one it has, or one the member may still use."""
    rows = columns.ask(
        "SELECT id FROM ("
        "SELECT c.id, 1 AS rank FROM loyalty_couponuse u JOIN loyalty_coupon c ON c.id = u.coupon_id"
        " WHERE u.channel_id = %s AND u.order_no = %s AND c.campaign = %s"
        " UNION ALL SELECT id, 2 FROM loyalty_coupon WHERE state = 'locked'"
        "   AND locked_channel_id = %s AND locked_order_no = %s AND campaign = %s"
        " UNION ALL SELECT id, 3 FROM loyalty_coupon"
        "  WHERE member_id IN (SELECT members_same_person(%s)) AND campaign = %s AND NOT is_bearer"
        "   AND (state = 'issued' OR state = 'locked' AND locked_until <= %s)"
        "   AND (valid_until IS NULL OR valid_until > %s)"
        ") AS found ORDER BY rank, id LIMIT 1",
        [channel_id, order_no, campaign, channel_id, order_no, campaign, member_id, campaign, now, now],
    )
    return rows[0][0] if rows else None


def touched_by(orders: Collection[tuple[int, str]]) -> set[int]:
    """The coupons that these orders (channel, number) have locked, or have ever used."""
    rows = columns.ask(
        "SELECT u.coupon_id FROM unnest(%s::bigint[], %s::text[]) AS asked(channel_id, order_no)"
        "  JOIN loyalty_couponuse u USING (channel_id, order_no)"
        " UNION SELECT c.id FROM unnest(%s::bigint[], %s::text[]) AS asked(channel_id, order_no)"
        "  JOIN loyalty_coupon c ON c.state = 'locked' AND c.locked_channel_id = asked.channel_id"
        "   AND c.locked_order_no = asked.order_no",
        [[channel_id for channel_id, _number in orders], [number for _channel, number in orders]] * 2,
    )
    return {row[0] for row in rows}


def last_numbers(campaigns: Collection[str]) -> dict[str, int]:
    """The last number issued of each campaign; take_turns() first."""
    rows = columns.ask(
        "SELECT campaign, (SELECT number FROM loyalty_coupon c WHERE c.campaign = asked.campaign"
        " ORDER BY number DESC LIMIT 1) FROM unnest(%s::text[]) AS asked(campaign)",
        [sorted(set(campaigns))],
    )
    return {campaign: number or 0 for campaign, number in rows}


def numbers_of_members(
    pairs: Collection[tuple[str, int]], *, but: int = 0
) -> dict[tuple[str, int], set[int]]:
    """The numbers that members have of campaigns, by (campaign, member), also as who is the same person.

    `but`: a coupon that is left out.
    """
    found: dict[tuple[str, int], set[int]] = {pair: set() for pair in pairs}
    if not found:
        return found
    rows = columns.ask(
        "WITH asked AS (SELECT * FROM unnest(%s::text[], %s::bigint[]) AS asked(campaign, member_id)),"
        " theirs AS (SELECT campaign, member_id, member_id AS holder, true AS own FROM asked UNION ALL"
        " SELECT a.campaign, a.member_id, k.member_id, false FROM asked a"
        "  JOIN loyalty_wallet w ON w.member_id = a.member_id"
        "  JOIN loyalty_wallet k ON k.person_id = w.person_id AND k.id <> w.id)"
        " SELECT t.campaign, t.member_id, c.member_number FROM theirs t"
        " JOIN loyalty_coupon c ON c.campaign = t.campaign AND c.member_id = t.holder"
        " WHERE c.member_number IS NOT NULL AND c.id <> %s ORDER BY t.own DESC, c.member_number",
        [[campaign for campaign, _member in found], [member for _campaign, member in found], but],
    )
    for campaign, member_id, number in rows:
        # Merged members may each have had a first one: every one counts.
        taken = found[campaign, member_id]
        taken.add(free_number(taken) if number in taken else number)
    return found


def free_number(taken: set[int]) -> int:
    """The smallest number that is not taken: what was withdrawn or let go makes room."""
    return next(number for number in range(1, len(taken) + 2) if number not in taken)


# --- writing ------------------------------------------------------------------------------------------


def add(coupons: Sequence[Coupon]) -> None:
    """Insert issued coupons in one statement; each has its id afterwards, and its member is told."""
    if not coupons:
        return
    rows = columns.ask(
        "INSERT INTO loyalty_coupon (campaign, programme_id, code, number, quota, member_id, member_number,"
        " per_member, is_bearer, state, cause, why, order_id, actor_id, valid_from, valid_until,"
        " locked_order_no, steps, issued_at)"
        " SELECT campaign, programme_id, code, number, quota, member_id, member_number, per_member,"
        " is_bearer, 'issued', cause, why::jsonb, order_id, actor_id, valid_from, valid_until, '', 0,"
        " issued_at FROM unnest(%s::text[], %s::bigint[], %s::text[], %s::int[], %s::int[], %s::bigint[],"
        " %s::int[], %s::int[], %s::bool[], %s::text[], %s::text[], %s::bigint[], %s::bigint[],"
        " %s::timestamptz[], %s::timestamptz[], %s::timestamptz[])"
        " AS issued(campaign, programme_id, code, number, quota, member_id, member_number, per_member,"
        " is_bearer, cause, why, order_id, actor_id, valid_from, valid_until, issued_at)"
        " RETURNING id, code",
        [
            columns.texts([coupon.campaign for coupon in coupons]),
            columns.numbers([coupon.programme_id for coupon in coupons]),
            columns.texts([coupon.code for coupon in coupons]),
            columns.numbers([coupon.number for coupon in coupons]),
            columns.numbers([coupon.quota for coupon in coupons]),
            columns.numbers([coupon.member_id for coupon in coupons]),
            columns.numbers([coupon.member_number for coupon in coupons]),
            columns.numbers([coupon.per_member for coupon in coupons]),
            columns.flags([coupon.is_bearer for coupon in coupons]),
            columns.texts([coupon.cause for coupon in coupons]),
            columns.texts([json.dumps(coupon.why, ensure_ascii=False) for coupon in coupons]),
            columns.numbers([coupon.order_id for coupon in coupons]),
            columns.numbers([coupon.actor_id for coupon in coupons]),
            columns.times([coupon.valid_from for coupon in coupons]),
            columns.times([coupon.valid_until for coupon in coupons]),
            columns.times([coupon.issued_at for coupon in coupons]),
        ],
    )
    ids = {code: id_ for id_, code in rows}
    for coupon in coupons:
        coupon.pk = ids[coupon.code]
    outbox.put([coupon_changed(coupon, "issued", None) for coupon in coupons if not coupon.is_bearer])


def _change(coupons: Sequence[Coupon]) -> None:
    columns.tell(
        "UPDATE loyalty_coupon c SET state = t.state, member_id = t.member_id,"
        " member_number = t.member_number, valid_until = t.valid_until,"
        " locked_channel_id = t.locked_channel_id, locked_order_no = t.locked_order_no,"
        " locked_until = t.locked_until, steps = t.steps"
        " FROM unnest(%s::bigint[], %s::text[], %s::bigint[], %s::int[], %s::timestamptz[], %s::bigint[],"
        " %s::text[], %s::timestamptz[], %s::int[]) AS t(id, state, member_id, member_number, valid_until,"
        " locked_channel_id, locked_order_no, locked_until, steps) WHERE c.id = t.id",
        [
            columns.numbers([coupon.pk for coupon in coupons]),
            columns.words([coupon.state for coupon in coupons]),
            columns.numbers([coupon.member_id for coupon in coupons]),
            columns.numbers([coupon.member_number for coupon in coupons]),
            columns.times([coupon.valid_until for coupon in coupons]),
            columns.numbers([coupon.locked_channel_id for coupon in coupons]),
            columns.texts([coupon.locked_order_no for coupon in coupons]),
            columns.times([coupon.locked_until for coupon in coupons]),
            columns.numbers([coupon.steps for coupon in coupons]),
        ],
    )


def _add_moves(
    steps: Sequence[tuple[Coupon, int, str, int | None, str, str]], now: datetime, actor_id: int | None
) -> None:
    columns.tell(
        "INSERT INTO loyalty_couponmove"
        " (coupon_id, position, kind, channel_id, order_no, actor_id, why, happened_at)"
        " SELECT coupon_id, position, kind, channel_id, order_no, %s::bigint, why::jsonb, %s"
        " FROM unnest(%s::bigint[], %s::int[], %s::text[], %s::bigint[], %s::text[], %s::text[])"
        " AS moved(coupon_id, position, kind, channel_id, order_no, why)",
        [
            actor_id,
            now,
            columns.numbers([step[0].pk for step in steps]),
            columns.numbers([step[1] for step in steps]),
            columns.words([step[2] for step in steps]),
            columns.numbers([step[3] for step in steps]),
            columns.texts([step[4] for step in steps]),
            columns.texts([step[5] for step in steps]),
        ],
    )


def _add_uses(uses: Sequence[tuple[int, Use]], now: datetime, actor_id: int | None) -> None:
    if not uses:
        return
    columns.tell(
        "INSERT INTO loyalty_couponuse (coupon_id, channel_id, store_id, member_id, order_no, discount,"
        " postage, counted, actor_id, used_at)"
        " SELECT coupon_id, channel_id, store_id, member_id, order_no, discount, postage, counted,"
        " %s::bigint, %s FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::text[],"
        " %s::numeric[], %s::numeric[], %s::numeric[])"
        " AS used(coupon_id, channel_id, store_id, member_id, order_no, discount, postage, counted)",
        [
            actor_id,
            now,
            columns.numbers([coupon_id for coupon_id, _use in uses]),
            columns.numbers([use.channel_id for _id, use in uses]),
            columns.numbers([use.store_id for _id, use in uses]),
            columns.numbers([use.member_id for _id, use in uses]),
            columns.texts([use.order_no for _id, use in uses]),
            columns.numbers([use.discount for _id, use in uses]),
            columns.numbers([use.postage for _id, use in uses]),
            columns.numbers([use.counted for _id, use in uses]),
        ],
    )


def _return_uses(use_ids: Sequence[int], now: datetime) -> None:
    if use_ids:
        columns.tell("UPDATE loyalty_couponuse SET returned_at = %s WHERE id = ANY(%s)", [now, list(use_ids)])
