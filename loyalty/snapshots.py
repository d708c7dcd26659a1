"""Snapshots: what an order earned by the rules of its day, read and written a batch at a time."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import connection

from loyalty.models import OrderEarning


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


def write(snapshots: Sequence[Snapshot]) -> None:
    """Write snapshots that are new or have moved, in one statement."""
    rows = [
        {
            "order_id": snapshot.order_id,
            "wallet_id": snapshot.wallet_id,
            "programme_id": snapshot.programme_id,
            "net_bought": str(snapshot.net_bought),
            "earned": snapshot.earned,
            "stays": snapshot.stays,
            "forgiven": snapshot.forgiven,
            "given_back": snapshot.given_back,
            "why": snapshot.why,
        }
        for snapshot in snapshots
    ]
    if not rows:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO loyalty_orderearning (order_id, wallet_id, programme_id, net_bought, earned, stays,"
            " forgiven, given_back, why, decided_at)"
            " SELECT order_id, wallet_id, programme_id, net_bought, earned, stays, forgiven, given_back, why,"
            " clock_timestamp() FROM jsonb_to_recordset(%s::jsonb) AS s(order_id bigint, wallet_id bigint,"
            " programme_id bigint, net_bought numeric, earned bigint, stays bigint, forgiven bigint,"
            " given_back bigint, why jsonb)"
            " ON CONFLICT (order_id) DO UPDATE SET wallet_id = excluded.wallet_id,"
            " programme_id = excluded.programme_id, net_bought = excluded.net_bought,"
            " earned = excluded.earned,"
            " stays = excluded.stays, forgiven = excluded.forgiven, given_back = excluded.given_back,"
            " why = excluded.why",
            [json.dumps(rows)],
        )
