"""Shelves: how many of each reward there are, and who takes from them (B8). This module alone writes stock.

Promises: what was put on a shelf, by the programme or by hand, is the sum of its moves; `taken` is how many
claims stand on it; no more is taken than there is (`shelf_not_oversold`). Shelves are locked in the order of
their ids, after wallets and coupons, and held until the commit.
"""

from collections.abc import Collection, Mapping
from typing import NamedTuple

from django.db import connection

from loyalty.errors import StockBelowTaken
from loyalty.reward_terms import Place


class Row(NamedTuple):
    """A shelf as the database has it."""

    id: int
    reward: str
    sale: str
    stock: int | None
    taken: int
    declared: int | None

    @property
    def place(self) -> Place:
        return Place(self.reward, self.sale)

    @property
    def free(self) -> int | None:
        """How many are left; None is without limit."""
        return None if self.stock is None else self.stock - self.taken


class Taken(NamedTuple):
    """What a shelf gave of what was asked for."""

    shelf_id: int
    pieces: int


_ROW = "id, reward, sale, stock, taken, declared"


def look(places: Collection[Place]) -> dict[Place, Row]:
    """The shelves at these places, as they stand now; one that nobody has put up yet is missing."""
    return _read(places, "")


def _read(places: Collection[Place], how: str) -> dict[Place, Row]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {_ROW} FROM loyalty_shelf"
            f" WHERE (reward, sale) IN (SELECT * FROM unnest(%s::text[], %s::text[])) ORDER BY id {how}",
            [[place.reward for place in places], [place.sale for place in places]],
        )
        rows = [Row(*row) for row in cursor.fetchall()]
    return {row.place: row for row in rows}


def lock(places: Collection[Place]) -> dict[Place, Row]:
    """The shelves at these places, held until the commit: whoever else takes from them waits."""
    return _read(places, "FOR NO KEY UPDATE")


def free(row: Row | None, declared: int | None) -> int | None:
    """How many are left when the programme declares so many; None is without limit.

    A shelf that is not up yet, or that stands as an older version declared it, is answered as it will be.
    """
    if row is None:
        return declared
    stock = _restocked(row, declared)
    return None if stock is None else stock - row.taken


def _restocked(row: Row, declared: int | None) -> int | None:
    """The stock once the programme declares another number: the difference is put there or taken away.

    What has been claimed stays claimed, so a shelf never falls below what is taken.
    """
    if row.declared == declared:
        return row.stock
    if declared is None:
        return None
    if row.stock is None or row.declared is None:
        return max(declared, row.taken)
    return max(row.stock + declared - row.declared, row.taken)


# --- putting up --------------------------------------------------------------------------------------


def put_up(
    declared: Mapping[Place, int | None], *, programme_id: int, standing: Mapping[Place, Row] | None = None
) -> bool:
    """Make the shelves that are missing, and bring those to stock for which the programme says another one.

    `standing`: the shelves, when the caller has looked already. Answers whether any stock has changed.
    """
    standing = look(declared) if standing is None else standing
    missing = [place for place in declared if place not in standing]
    if missing:
        _make(missing)
    if not missing and all(row.declared == declared[place] for place, row in standing.items()):
        return False
    return _restock(declared, programme_id)


def _make(places: Collection[Place]) -> None:
    ordered = sorted(places)
    with connection.cursor() as cursor:
        # Empty, so that the stock they begin with is a move like every other.
        cursor.execute(
            "INSERT INTO loyalty_shelf (reward, sale, stock, taken, declared)"
            " SELECT reward, sale, NULL, 0, NULL FROM unnest(%s::text[], %s::text[]) AS w(reward, sale)"
            " ON CONFLICT (reward, sale) DO NOTHING",
            [[place.reward for place in ordered], [place.sale for place in ordered]],
        )


def _restock(declared: Mapping[Place, int | None], programme_id: int) -> bool:
    changed = [
        (row, _restocked(row, declared[row.place]))
        for row in lock(declared).values()
        if row.declared != declared[row.place]
    ]
    if not changed:
        return False
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH new AS (SELECT * FROM unnest(%s::bigint[], %s::int[], %s::int[], %s::int[])"
            " AS n(id, stock, declared, change)), restocked AS ("
            " UPDATE loyalty_shelf s SET stock = new.stock, declared = new.declared"
            " FROM new WHERE s.id = new.id)"
            " INSERT INTO loyalty_shelfmove (shelf_id, change, reason, programme_id)"
            " SELECT id, change, '', %s FROM new WHERE change <> 0",
            [
                [row.id for row, _stock in changed],
                [stock for _row, stock in changed],
                [declared[row.place] for row, _stock in changed],
                [(stock or 0) - (row.stock or 0) for row, stock in changed],
                programme_id,
            ],
        )
    return True


def change(place: Place, pieces: int, *, reason: str, actor_id: int) -> Row:
    """Put pieces on a shelf (or take them off, when negative), and write down who did it and why.

    A shelf without limit begins to be counted: what was taken, and the pieces. Raises StockBelowTaken.
    """
    row = lock([place])[place]
    stock = (row.taken if row.stock is None else row.stock) + pieces
    if stock < row.taken:
        raise StockBelowTaken(taken=row.taken, left=row.free or 0)
    moved = stock - (row.stock or 0)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE loyalty_shelf SET stock = %s WHERE id = %s", [stock, row.id])
        if moved:
            cursor.execute(
                "INSERT INTO loyalty_shelfmove (shelf_id, change, reason, actor_id) VALUES (%s, %s, %s, %s)",
                [row.id, moved, reason, actor_id],
            )
    return row._replace(stock=stock)


# --- taking ------------------------------------------------------------------------------------------


def take(wanted: Mapping[Place, int]) -> dict[Place, Taken]:
    """Take pieces off shelves that are up: as many as there are, at most so many as are wanted."""
    assert connection.in_atomic_block, "what is taken is taken by a claim"
    given = {
        place: Taken(row.id, wanted[place] if row.free is None else max(0, min(row.free, wanted[place])))
        for place, row in lock(wanted).items()
    }
    _count(list(given.values()))
    return given


def put_back(shelf_ids: Collection[int]) -> None:
    """Put back one piece for each id; an id may be there more than once."""
    ordered = sorted(set(shelf_ids))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM loyalty_shelf WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE", [ordered]
        )
    _count([Taken(shelf_id, -1) for shelf_id in shelf_ids])


def _count(taken: Collection[Taken]) -> None:
    pieces = {each.shelf_id: 0 for each in taken if each.pieces}
    for each in taken:
        if each.pieces:
            pieces[each.shelf_id] += each.pieces
    if not pieces:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE loyalty_shelf s SET taken = s.taken + w.pieces"
            " FROM unnest(%s::bigint[], %s::int[]) AS w(id, pieces) WHERE s.id = w.id",
            [list(pieces), list(pieces.values())],
        )
