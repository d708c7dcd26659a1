"""Laws 1, 2, 3 and 5: wallets, entries, lots and holds say the same of the same points."""

LAWS: dict[str, tuple[str, str]] = {
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
        # All of it came by its first move, and none that followed can be more.
        """SELECT l.id AS lot, l.wallet_id AS wallet, l.earned, max(m.points) AS issued, l.remaining,
                  coalesce(sum(m.points), 0) AS moves
             FROM loyalty_lot l LEFT JOIN loyalty_lotmove m ON m.lot_id = l.id
            GROUP BY l.id
           HAVING l.remaining <> coalesce(sum(m.points), 0)
               OR l.earned IS DISTINCT FROM max(m.points) OR l.earned < l.remaining OR l.remaining < 0""",
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
}
