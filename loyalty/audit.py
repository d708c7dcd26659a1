"""The proofs of the ledger: each law of ledger.md as a query that finds nothing when the law holds.

This is a product feature: it runs each night, after every restore, and by hand as `audit_ledger`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction

_LAWS: dict[str, tuple[str, str]] = {
    "balance_is_sum_of_entries": (
        "1",
        """SELECT w.id AS wallet, w.balance, coalesce(sum(e.points), 0) AS entries,
                  w.version, count(e.id) AS written
             FROM loyalty_wallet w LEFT JOIN loyalty_entry e ON e.wallet_id = w.id
            GROUP BY w.id HAVING w.balance <> coalesce(sum(e.points), 0) OR w.version <> count(e.id)""",
    ),
    "running_balances_chain": (
        "1",
        """SELECT id AS entry, wallet_id AS wallet, version, points, balance_after, before
             FROM (SELECT id, wallet_id, version, points, balance_after,
                          lag(balance_after, 1, 0::bigint) OVER chain AS before,
                          row_number() OVER chain AS position
                     FROM loyalty_entry WINDOW chain AS (PARTITION BY wallet_id ORDER BY version)) AS e
            WHERE balance_after <> before + points OR version <> position""",
    ),
    "debt_is_as_last_written": (
        "2",
        """SELECT w.id AS wallet, w.debt, e.debt_after
             FROM loyalty_wallet w
             LEFT JOIN loyalty_entry e ON e.wallet_id = w.id AND e.version = w.version
            WHERE w.debt <> coalesce(e.debt_after, 0)""",
    ),
    "available_points_pay_debt_first": (
        "2",
        # Nothing ripe may be left beside a debt at the moment the wallet was last written.
        """SELECT w.id AS wallet, w.debt, l.id AS lot, l.remaining - l.held AS free
             FROM loyalty_wallet w
             JOIN loyalty_entry e ON e.wallet_id = w.id AND e.version = w.version
             JOIN loyalty_lot l ON l.wallet_id = w.id AND l.remaining > l.held
            WHERE w.debt > 0 AND e.debt_after = w.debt AND l.available_from <= e.recorded_at
              AND (l.expires_at IS NULL OR l.expires_at > e.recorded_at)
              AND e.happened_at <= e.recorded_at""",
    ),
    "lot_is_sum_of_its_moves": (
        "3",
        """SELECT l.id AS lot, l.wallet_id AS wallet, l.earned, l.remaining,
                  coalesce(sum(m.points), 0) AS moves
             FROM loyalty_lot l LEFT JOIN loyalty_lotmove m ON m.lot_id = l.id
            GROUP BY l.id
           HAVING l.remaining <> coalesce(sum(m.points), 0)
               OR l.earned < l.remaining OR l.remaining < 0""",
    ),
    "lots_less_debt_are_the_balance": (
        "3",
        """SELECT w.id AS wallet, w.balance, w.debt, coalesce(sum(l.remaining), 0) AS lots
             FROM loyalty_wallet w LEFT JOIN loyalty_lot l ON l.wallet_id = w.id
            GROUP BY w.id HAVING w.balance <> coalesce(sum(l.remaining), 0) - w.debt""",
    ),
    "moves_are_their_entry": (
        "3",
        # An entry's moves and the change of debt it made add up to its points.
        """SELECT e.id AS entry, e.kind, e.points, coalesce(m.points, 0) AS moves,
                  e.debt_after - e.before AS debt
             FROM (SELECT id, kind, points, debt_after,
                          lag(debt_after, 1, 0::bigint)
                              OVER (PARTITION BY wallet_id ORDER BY version) AS before
                     FROM loyalty_entry) AS e
             LEFT JOIN (SELECT entry_id, sum(points) AS points FROM loyalty_lotmove GROUP BY entry_id) AS m
               ON m.entry_id = e.id
            WHERE e.points <> coalesce(m.points, 0) - (e.debt_after - e.before)""",
    ),
    "order_earnings_stand": (
        "4",
        """SELECT o.order_id AS "order", o.earned, o.stays, o.forgiven, coalesce(e.points, 0) AS entries
             FROM loyalty_orderearning o
             LEFT JOIN (SELECT order_id, sum(points) AS points FROM loyalty_entry
                         WHERE kind IN ('earn', 'take_back') AND order_id IS NOT NULL GROUP BY order_id) AS e
               ON e.order_id = o.order_id
            WHERE coalesce(e.points, 0) <> o.stays + o.forgiven""",
    ),
    "order_points_in_proportion": (
        "4",
        """SELECT o.order_id AS "order", o.earned, o.net_bought, o.stays, x.net, x.refunded_goods, x.status
             FROM loyalty_orderearning o JOIN members_order x ON x.id = o.order_id
            WHERE o.net_bought > 0
              AND o.stays <> floor(o.earned * CASE WHEN x.status = 'cancelled' THEN 0
                                                   ELSE greatest(x.net - x.refunded_goods, 0) END
                                  / o.net_bought)""",
    ),
    "given_back_no_more_than_spent": (
        "4",
        """SELECT o.order_id AS "order", o.given_back, x.points_spent
             FROM loyalty_orderearning o JOIN members_order x ON x.id = o.order_id
            WHERE o.given_back > x.points_spent
               OR o.given_back <> (SELECT coalesce(sum(e.points), 0) FROM loyalty_entry e
                                    WHERE e.order_id = o.order_id AND e.kind = 'give_back')""",
    ),
    "holds_are_set_aside": (
        "5",
        """SELECT l.id AS lot, l.held, coalesce(sum(p.points), 0) AS holds
             FROM loyalty_lot l
             LEFT JOIN (loyalty_holdlot p JOIN loyalty_hold h ON h.id = p.hold_id AND h.state = 'open')
               ON p.lot_id = l.id
            GROUP BY l.id HAVING l.held <> coalesce(sum(p.points), 0)""",
    ),
    "hold_parts_are_the_hold": (
        "5",
        """SELECT h.id AS hold, h.points, h.captured, h.state,
                  coalesce(p.points, 0) AS parts, -e.points AS entry
             FROM loyalty_hold h
             LEFT JOIN (SELECT hold_id, sum(points) AS points
                          FROM loyalty_holdlot GROUP BY hold_id) AS p ON p.hold_id = h.id
             LEFT JOIN loyalty_entry e ON e.id = h.entry_id
            WHERE h.points <> coalesce(p.points, 0) OR h.captured <> coalesce(-e.points, 0)""",
    ),
    "wallet_holds_add_up": (
        "5",
        """SELECT w.id AS wallet, w.held, coalesce(sum(h.points), 0) AS holds
             FROM loyalty_wallet w LEFT JOIN loyalty_hold h ON h.wallet_id = w.id AND h.state = 'open'
            GROUP BY w.id HAVING w.held <> coalesce(sum(h.points), 0)""",
    ),
    "issued_less_used_is_outstanding": (
        "6",
        """SELECT i.entries, o.lots, o.debt
             FROM (SELECT coalesce(sum(points), 0) AS entries FROM loyalty_entry) AS i,
                  (SELECT (SELECT coalesce(sum(remaining), 0) FROM loyalty_lot) AS lots,
                          (SELECT coalesce(sum(debt), 0) FROM loyalty_wallet) AS debt) AS o
            WHERE i.entries <> o.lots - o.debt""",
    ),
    "tier_path_is_unbroken": (
        "8",
        """SELECT wallet_id AS wallet, position, before, reached
             FROM (SELECT wallet_id, position, before,
                          lag(after) OVER path AS reached, row_number() OVER path AS step
                     FROM loyalty_tierchange
                   WINDOW path AS (PARTITION BY wallet_id ORDER BY position)) AS t
            WHERE position <> step OR (step > 1 AND before <> reached)""",
    ),
    "tier_is_where_the_path_ends": (
        "8",
        """SELECT w.id AS wallet, w.tier, w.tier_steps, t.after, t.position
             FROM loyalty_wallet w
             LEFT JOIN LATERAL (SELECT after, position FROM loyalty_tierchange c
                                 WHERE c.wallet_id = w.id ORDER BY position DESC LIMIT 1) AS t ON true
            WHERE w.tier_steps <> coalesce(t.position, 0) OR (t.after IS NOT NULL AND w.tier <> t.after)""",
    ),
    "each_entry_was_told_once": (
        "10",
        """SELECT w.id AS wallet, w.version, coalesce(t.told, 0) AS told
             FROM loyalty_wallet w
             LEFT JOIN (SELECT split_part(change, ':', 2)::bigint AS wallet_id,
                               sum((payload->>'to_version')::int - (payload->>'from_version')::int + 1)
                                   AS told
                          FROM members_outboxevent WHERE topic = 'points.changed' GROUP BY 1) AS t
               ON t.wallet_id = w.id
            WHERE w.version <> coalesce(t.told, 0)""",
    ),
    "each_tier_change_was_told_once": (
        "10",
        """SELECT c.wallet_id AS wallet, c.position, t.change AS told
             FROM loyalty_tierchange c
             FULL JOIN (SELECT change FROM members_outboxevent WHERE topic = 'tier.changed') AS t
               ON t.change = concat('tier:', c.wallet_id, ':', c.position)
            WHERE c.id IS NULL OR t.change IS NULL""",
    ),
    "each_order_revision_was_told_once": (
        "10",
        """SELECT x.id AS "order", x.revision, coalesce(t.told, 0) AS told
             FROM members_order x
             LEFT JOIN (SELECT split_part(change, ':', 2)::bigint AS order_id, count(*) AS told
                          FROM members_outboxevent WHERE topic = 'order.changed' GROUP BY 1) AS t
               ON t.order_id = x.id
            WHERE x.revision <> coalesce(t.told, 0)""",
    ),
    "entries_are_chained_by_hash": (
        "11",
        """SELECT id AS entry, wallet_id AS wallet, version
             FROM (SELECT *, lag(hash, 1, ''::bytea)
                              OVER (PARTITION BY wallet_id ORDER BY version) AS previous
                     FROM loyalty_entry) AS e
            WHERE hash <> sha256(previous || convert_to(concat_ws('|', wallet_id, version, kind, points,
                  balance_after, debt_after, cause,
                  (extract(epoch FROM happened_at) * 1000000)::bigint,
                  (extract(epoch FROM recorded_at) * 1000000)::bigint), 'UTF8'))""",
    ),
    "wallet_ends_its_chain": (
        "11",
        """SELECT w.id AS wallet, w.version
             FROM loyalty_wallet w
             LEFT JOIN loyalty_entry e ON e.wallet_id = w.id AND e.version = w.version
            WHERE w.head <> coalesce(e.hash, ''::bytea)""",
    ),
}

LAWS = tuple(_LAWS)


@dataclass(frozen=True, slots=True)
class Violation:
    """One row that breaks a law: the law's number in ledger.md, the query's name, and the row itself."""

    law: str
    name: str
    row: dict[str, Any]


def check(*, limit: int = 100) -> Iterator[Violation]:
    """Check every law over the whole ledger, at one instant; at most `limit` rows of each are shown.

    Nothing comes when all is well. One REPEATABLE READ snapshot, so that writers are not waited for.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        if not connection.savepoint_ids:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        for name, (law, query) in _LAWS.items():
            cursor.execute(f"{query} LIMIT {int(limit)}")
            columns = [column.name for column in cursor.description or ()]
            for row in cursor.fetchall():
                yield Violation(law, name, dict(zip(columns, row, strict=True)))
