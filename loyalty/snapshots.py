"""Snapshots: what an order earned by the rules of its day, read and written a batch at a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from loyalty.models import OrderEarning
from members import columns


@dataclass(slots=True)
class Snapshot:
    """The row of `OrderEarning`, in memory."""

    order_id: int
    wallet_id: int
    programme_id: int
    net_bought: Decimal
    earned: int
    stays: int
    forgiven: int
    given_back: int
    why: dict[str, Any]
    touched: bool = False

    @property
    def is_priced(self) -> bool:
        """Whether it is decided what the order earns: one that points were spent on is kept unpaid too."""
        return bool(self.why)


def read(order_ids: Sequence[int]) -> dict[int, Snapshot]:
    """The snapshots of these orders; an order that was never priced has none."""
    if not order_ids:
        return {}
    rows = OrderEarning.objects.filter(order__in=order_ids).values_list(
        "order_id",
        "wallet_id",
        "programme_id",
        "net_bought",
        "earned",
        "stays",
        "forgiven",
        "given_back",
        "why",
    )
    return {row[0]: Snapshot(*row) for row in rows}


_COLUMNS = (
    ("order_id", "bigint", columns.numbers),
    ("wallet_id", "bigint", columns.numbers),
    ("programme_id", "bigint", columns.numbers),
    ("net_bought", "numeric", columns.numbers),
    ("earned", "bigint", columns.numbers),
    ("stays", "bigint", columns.numbers),
    ("forgiven", "bigint", columns.numbers),
    ("given_back", "bigint", columns.numbers),
    ("why", "text", columns.texts),
)
_NAMES = ", ".join(name for name, _, _ in _COLUMNS)
_WRITE = f"""
    INSERT INTO loyalty_orderearning ({_NAMES}, decided_at)
    SELECT order_id, wallet_id, programme_id, net_bought, earned, stays, forgiven, given_back, why::jsonb,
           clock_timestamp()
      FROM unnest({", ".join(f"%s::{kind}[]" for _, kind, _ in _COLUMNS)}) AS told({_NAMES})
        ON CONFLICT (order_id) DO UPDATE
       SET wallet_id = excluded.wallet_id, programme_id = excluded.programme_id,
           net_bought = excluded.net_bought, earned = excluded.earned, stays = excluded.stays,
           forgiven = excluded.forgiven, given_back = excluded.given_back, why = excluded.why
"""


def write(snapshots: Sequence[Snapshot]) -> None:
    """Write snapshots that are new or have moved, in one statement."""
    if snapshots:
        columns.tell(_WRITE, columns.of_rows(_COLUMNS, map(_row, snapshots)))


def _row(snapshot: Snapshot) -> columns.Row:
    return (
        snapshot.order_id,
        snapshot.wallet_id,
        snapshot.programme_id,
        snapshot.net_bought,
        snapshot.earned,
        snapshot.stays,
        snapshot.forgiven,
        snapshot.given_back,
        columns.document(snapshot.why),
    )
