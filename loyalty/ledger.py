"""Points. This module alone writes them.

Promises (ledger.md): a balance is the sum of its entries; every entry can be read alone; the same cause is
never counted twice; nothing is spent that is not there. Callers `lock()` first, move points by the rules
of `loyalty.purse`, then `append()`, all in one transaction. Wallets are locked in the order of their ids,
once per transaction, so that two batches cannot wait for each other. Who asks for one wallet of a person
gets all of them: the link stands on the wallets themselves, so it is read with their locks, and whoever
merges or parts people locks them too.
"""

from collections.abc import (
    Callable,
    Collection,
    ItemsView,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
    ValuesView,
)
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection

from loyalty import clock, ledger_rows, persons
from loyalty.clock import Clock
from loyalty.errors import MergedMeanwhile
from loyalty.lots import Figures, HoldState, LotState, Posting
from loyalty.persons import Tie
from loyalty.purse import Purse
from members import columns, outbox, survivors
from members.outbox import Change

_LOT = "id, order_id, earned, remaining, held, expired, earned_at, available_from, expires_at"


@dataclass(slots=True, eq=False)
class Purses(Mapping[int, Purse]):
    """Purses by member, with the clock they were opened by."""

    clock: Clock
    by_member: dict[int, Purse] = field(default_factory=dict)
    ties: Sequence[Tie] = ()

    def __getitem__(self, member_id: int) -> Purse:
        return self.by_member[member_id]

    def __iter__(self) -> Iterator[int]:
        return iter(self.by_member)

    def __len__(self) -> int:
        return len(self.by_member)

    # A mapping's own views would look each purse up again.
    def values(self) -> ValuesView[Purse]:
        return self.by_member.values()

    def items(self) -> ItemsView[int, Purse]:
        return self.by_member.items()

    @property
    def now(self) -> datetime:
        return self.clock.now

    def of(self, member_ids: Iterable[int]) -> "Purses":
        """Those of these members, and of who is the same person as one of them."""
        mine = {each.member_id for id_ in member_ids for each in self[id_].together}
        return Purses(self.clock, {id_: self[id_] for id_ in sorted(mine)}, self.ties)


# --- opening ----------------------------------------------------------------------------------------


def lock(
    member_ids: Iterable[int],
    *,
    first_tier: Callable[[], str],
    order_ids: Collection[int] = (),
    earning_only: Collection[int] = (),
    paid_by: Collection[str] = (),
) -> Purses:
    """Lock the members' wallets, making those that are missing, and open them at the present instant.

    Who is the same person as one of them is among them. `paid_by`: causes of redemptions; the wallets that
    paid are locked as well. Raises MergedMeanwhile when one of them is just being merged with somebody else.
    `first_tier` is asked for the tier of new wallets. `order_ids`: orders whose own lots are wanted even
    when nothing is left in them. `earning_only`: members who will only be given points; without debt their
    lots are not read, however many they have. In all other purses time has passed when they are returned:
    what lapsed or timed out meanwhile is already posted.
    """
    assert connection.in_atomic_block, "the orchestrator opens the transaction"
    wanted = sorted(set(member_ids))
    only_earning = columns.numbers(earning_only)
    rows = _lock_wallets(wanted, only_earning, order_ids, paid_by)
    missing = sorted(set(wanted) - {row[_MEMBER] for row in rows})
    if missing:
        _make_wallets(missing, first_tier())
        rows += _lock_wallets(missing, only_earning, order_ids)
    rows += _late_kin(rows, order_ids)
    purses = _fill(rows)
    for purse in purses.values():
        if purse.is_whole:
            purse.advance(purses.now)
    return purses


# A row of `loyalty_read`: the clock, whether all lots are there, a wallet, and one of its lots or none.
_ID, _MEMBER, _PERSON, _LOT_ID = 3, 4, 14, 15
_OPEN = "SELECT * FROM loyalty_read(loyalty_lock(%s::bigint[], %s::text[]), %s::bigint[], %s::bigint[])"
_READ = "SELECT * FROM loyalty_read(%s::bigint[], '{}', %s::bigint[])"


def _lock_wallets(
    member_ids: Sequence[int],
    only_earning: str = "{}",
    order_ids: Collection[int] = (),
    paid_by: Collection[str] = (),
) -> list[columns.Row]:
    """Lock the wallets of these members and of their persons, and read them after that, in one round trip."""
    asked = [columns.numbers(member_ids), columns.texts(paid_by), only_earning, columns.numbers(order_ids)]
    return columns.ask(_OPEN, asked)


def _late_kin(rows: Sequence[columns.Row], order_ids: Collection[int]) -> list[columns.Row]:
    """The wallets of a person that a merge brought while we waited for the first of them, locked now.

    They may come before ours in the order of ids, so they are not waited for: whoever holds one may be
    waiting for us. Raises MergedMeanwhile when somebody does.
    """
    people = sorted({row[_PERSON] for row in rows if row[_PERSON] is not None})
    if not people:
        return []
    had = sorted({row[_ID] for row in rows})
    late = columns.ask(
        "SELECT id FROM loyalty_wallet WHERE person_id = ANY(%s::bigint[])"
        " AND id <> ALL(%s::bigint[]) ORDER BY id FOR NO KEY UPDATE SKIP LOCKED",
        [people, had],
    )
    had += [id_ for (id_,) in late]
    [(missed,)] = columns.ask(
        "SELECT count(*) FROM loyalty_wallet WHERE person_id = ANY(%s::bigint[]) AND id <> ALL(%s::bigint[])",
        [people, had],
    )
    if missed:
        raise MergedMeanwhile
    if not late:
        return []
    return columns.ask(_READ, [columns.numbers(id_ for (id_,) in late), columns.numbers(order_ids)])


def _make_wallets(member_ids: Sequence[int], first_tier: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO loyalty_wallet (member_id, balance, held, debt, version, head, tier, tier_steps)"
            " SELECT m, 0, 0, 0, 0, '', %s, 0 FROM unnest(%s::bigint[]) AS m ON CONFLICT DO NOTHING",
            [first_tier, list(member_ids)],
        )


def _fill(rows: Sequence[columns.Row]) -> Purses:
    """Purses of rows of `loyalty_read`, by the clock of the last of them, with holds and kin."""
    by_wallet: dict[int, Purse] = {}
    for row in rows:
        purse = by_wallet.get(row[_ID])
        if purse is None:
            purse = by_wallet[row[_ID]] = _purse(row)
        if row[_LOT_ID] is not None and purse.is_whole:
            purse.lots.append(_lot(row[_LOT_ID:]))
    by_member = {purse.member_id: purse for purse in by_wallet.values()}
    ties = _ties({row[_PERSON] for row in rows if row[_PERSON] is not None})
    if ties:
        persons.link(by_member.values(), ties)
    if any(purse.held for purse in by_wallet.values()):
        _read_holds(by_wallet)
    return Purses(clock.of(*rows[-1][:2]) if rows else clock.read(), by_member, ties)


def _purse(row: columns.Row) -> Purse:
    _, _, is_whole, id_, member_id, balance, held, debt, version, head, tier, since, until, steps, *_ = row
    return Purse(
        id_, member_id, balance, held, debt, version, head, tier, since, until, steps, is_whole=is_whole
    )


def _ties(people: Collection[int]) -> list[Tie]:
    """The merges that hold between the wallets of these persons; no statement where there is nobody."""
    if not people:
        return []
    rows = columns.ask(
        "SELECT m.id, m.survivor_id, m.other_id FROM members_merge m"
        " JOIN loyalty_wallet o ON o.member_id = m.other_id"
        # A merge that is just being made is written, and its wallets are not linked yet.
        " JOIN loyalty_wallet s ON s.member_id = m.survivor_id AND s.person_id = o.person_id"
        " WHERE o.person_id = ANY(%s::bigint[]) AND m.undone_at IS NULL ORDER BY m.id",
        [sorted(people)],
    )
    return [Tie(*row) for row in rows]


def _lot(row: Sequence[Any]) -> LotState:
    id_, order_id, earned, remaining, held, expired, earned_at, available_from, expires_at = row
    return LotState(earned, remaining, earned_at, available_from, expires_at, held, expired, order_id, id_)


def _read_holds(by_wallet: Mapping[int, Purse]) -> None:
    holding = [purse.wallet_id for purse in by_wallet.values() if purse.held]
    holds: dict[int, HoldState] = {}
    for row in columns.ask("SELECT * FROM loyalty_holds(%s::bigint[])", [holding]):
        id_, wallet_id, points, expires_at, cause, reason, channel_id, lot_id, part = row
        purse = by_wallet[wallet_id]
        if id_ not in holds:
            holds[id_] = HoldState(points, expires_at, [], cause, reason, channel_id, id=id_)
            purse.holds.append(holds[id_])
        lot = next(lot for lot in purse.lots if lot.id == lot_id)
        holds[id_].parts.append((lot, part))


@dataclass(frozen=True, slots=True)
class Redemption:
    """Which purse paid, out of which lots: lots and points in the order in which they were spent."""

    purse: Purse
    parts: list[tuple[LotState, int]]


def redemptions(purses: Purses, causes: Mapping[str, int | None]) -> dict[str, Redemption]:
    """What redemptions drew on, by cause.

    `causes` says whose redemption is meant: of this member, or of one who is the same person or was when
    it was made. A stranger's under the same cause is not returned. The lots join their purses, so that what
    is given back lands in them.
    """
    found: dict[str, Redemption] = {}
    if not causes:
        return found
    rows = columns.ask(
        "SELECT e.cause, e.recorded_at, w.member_id, -m.points, l."
        + _LOT.replace(", ", ", l.")
        + " FROM loyalty_entry e"
        " JOIN loyalty_wallet w ON w.id = e.wallet_id JOIN loyalty_lotmove m ON m.entry_id = e.id"
        " JOIN loyalty_lot l ON l.id = m.lot_id"
        " WHERE e.kind = 'redeem' AND e.cause = ANY(%s) ORDER BY m.id",
        [list(causes)],
    )
    for cause, recorded_at, member_id, points, *row in rows:
        asked = causes[cause]
        if cause not in found:
            if asked is None or not _is_same_person(purses, asked, member_id, recorded_at):
                continue
            found[cause] = Redemption(purses[member_id], [])
        paid = found[cause]
        paid.parts.append((lot_of(paid.purse, row), points))
    return found


def lot_of(purse: Purse, row: Sequence[Any]) -> LotState:
    """A lot of a purse, by its row: the one that is there already, or one that joins it."""
    lot = next((lot for lot in purse.lots if lot.id == row[0]), None)
    if lot is None:
        lot = _lot(row)
        purse.lots.append(lot)
    return lot


def _is_same_person(purses: Purses, member_id: int, other_id: int, at: datetime) -> bool:
    if other_id in {purse.member_id for purse in purses[member_id].together}:
        return True
    return other_id in purses and other_id in survivors.linked_at(member_id, at)


# --- writing ----------------------------------------------------------------------------------------


class CauseCounted(Exception):
    """A cause was counted before, for these points or others: nothing was written."""


def append(purses: Purses, told: Sequence[Change] = (), *, zone: ZoneInfo | None = None) -> list[Posting]:
    """Write every posting, lot, hold and wallet that moved, in one statement; returns the postings.

    `told` is what the channels should know of it: it goes to the outbox in the same statement. `zone` tells
    on which local day a limited rule was used; it is wanted when some rule was. Raises
    CauseCounted when the unique key of causes answers; the transaction goes on, and nothing was written.
    """
    assert connection.in_atomic_block, "lock() the wallets first"
    moved = sorted(filter(_has_moved, purses.values()), key=lambda purse: purse.wallet_id)
    if not moved:
        outbox.put(told)
        return []
    postings = [posting for purse in moved for posting in purse.postings]
    lots = [(purse, lot) for purse in moved for lot in purse.lots if lot.touched]
    holds = [(purse, hold) for purse in moved for hold in purse.holds if hold.touched]
    written = ledger_rows.append(
        moved, postings, lots, holds, told, recorded_at=purses.clock.recorded, zone=zone
    )
    if written is None:
        raise CauseCounted
    _settle_down(moved, written, postings, lots, holds)
    return postings


def _settle_down(
    moved: Sequence[Purse],
    written: Mapping[str, list[int]],
    postings: Sequence[Posting],
    lots: Sequence[tuple[Purse, LotState]],
    holds: Sequence[tuple[Purse, HoldState]],
) -> None:
    """Take up the ids the database gave, and call nothing touched any more."""
    for posting, id_ in zip(postings, written["entries"], strict=True):
        posting.id = id_
    for (_purse, lot), id_ in zip(lots, written["lots"], strict=True):
        lot.id, lot.touched = id_, False
    for (_purse, hold), id_ in zip(holds, written["holds"], strict=True):
        hold.id, hold.touched = id_, False
    for purse in moved:
        purse.postings = []
        purse.tier_touched = False


def _has_moved(purse: Purse) -> bool:
    return (
        bool(purse.postings)
        or purse.tier_touched
        or any(lot.touched for lot in purse.lots)
        or any(hold.touched for hold in purse.holds)
    )


# --- reading ----------------------------------------------------------------------------------------


# The wallets of these members, and those of the persons they are merged into. One parameter, twice.
_PEEK = (
    "SELECT * FROM loyalty_read(ARRAY(SELECT id FROM loyalty_wallet WHERE member_id = ANY(%s::bigint[])"
    " OR person_id = ANY(ARRAY(SELECT person_id FROM loyalty_wallet"
    " WHERE member_id = ANY(%s::bigint[]) AND person_id IS NOT NULL)) ORDER BY id), '{}', '{}')"
)


def peek(member_ids: Iterable[int]) -> Purses:
    """Open purses without a lock, for looking only: what time has done is seen, and not written."""
    asked = list(member_ids)
    purses = _fill(columns.ask(_PEEK, [asked, asked]))
    for purse in purses.values():
        purse.advance(purses.now)
    return purses


NOTHING = Figures(balance=0, available=0, pending=0, held=0, debt=0)


def figures(member_id: int) -> Figures:
    """A member's points now (B3). One who never had a wallet has nothing."""
    purses = peek([member_id])
    return purses[member_id].figures(purses.now) if member_id in purses else NOTHING


def figures_as_of(member_id: int, at: datetime) -> Figures:
    """What we would have answered at the instant `at`, by what had been recorded then (B3)."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT w.id, w.member_id, e.balance_after, e.debt_after, e.version FROM loyalty_wallet w"
            " CROSS JOIN LATERAL (SELECT balance_after, debt_after, version FROM loyalty_entry"
            "  WHERE wallet_id = w.id AND recorded_at <= %s ORDER BY version DESC LIMIT 1) AS e"
            f" WHERE w.member_id IN ({survivors.LINKED_AT}) ORDER BY w.id",
            [at, *survivors.asked_at(member_id, at)],
        )
        last = cursor.fetchall()
        if not last:
            return NOTHING
        purses = {
            id_: Purse(id_, member, balance, 0, debt, version) for id_, member, balance, debt, version in last
        }
        cursor.execute(
            "SELECT l.wallet_id, l.id, l.order_id, l.earned, sum(m.points)::bigint, 0, 0,"
            " l.earned_at, l.available_from, l.expires_at"
            " FROM unnest(%s::bigint[], %s::int[]) AS asked(wallet_id, version)"
            " JOIN loyalty_lot l ON l.wallet_id = asked.wallet_id JOIN loyalty_lotmove m ON m.lot_id = l.id"
            " JOIN loyalty_entry e ON e.id = m.entry_id AND e.version <= asked.version"
            " GROUP BY l.id HAVING sum(m.points) > 0 ORDER BY l.id",
            [list(purses), [purse.version for purse in purses.values()]],
        )
        lots: dict[int, LotState] = {}
        for row in cursor.fetchall():
            lots[row[1]] = _lot(row[1:])
            purses[row[0]].lots.append(lots[row[1]])
        cursor.execute(
            "SELECT h.id, h.wallet_id, h.points, h.expires_at, p.lot_id, p.points FROM loyalty_hold h"
            " JOIN loyalty_holdlot p ON p.hold_id = h.id"
            " WHERE h.wallet_id = ANY(%s) AND h.created_at <= %s AND (h.ended_at IS NULL OR h.ended_at > %s)"
            " ORDER BY h.id, p.id",
            [list(purses), at, at],
        )
        holds: dict[int, HoldState] = {}
        for id_, wallet_id, points, expires_at, lot_id, part in cursor.fetchall():
            if id_ not in holds:
                holds[id_] = HoldState(points, expires_at, [], id=id_)
                purses[wallet_id].holds.append(holds[id_])
                purses[wallet_id].held += points
            holds[id_].parts.append((lots[lot_id], part))
            lots[lot_id].held += part
    first, *rest = purses.values()
    first.kin, first.merges = rest, {purse.wallet_id: 0 for purse in rest}
    for purse in rest:
        purse.kin = [each for each in purses.values() if each is not purse]
        purse.merges = {each.wallet_id: 0 for each in purse.kin}
    first.advance(at)
    return first.figures(at)
