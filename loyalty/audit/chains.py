"""Law 11, as queries: each wallet's entries chain by hash up to its head."""

LAWS: dict[str, tuple[str, str]] = {
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
