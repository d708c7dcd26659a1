"""Law 8, as queries: a tier path has no gap and ends where the wallet says."""

LAWS: dict[str, tuple[str, str]] = {
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
            WHERE w.tier_steps <> coalesce(t.position, 0)
               OR (t.after IS NOT NULL AND w.tier <> t.after AND w.person_id IS NOT DISTINCT FROM
                       CASE WHEN w.person_id IS NOT NULL THEN w.member_id END)""",
    ),
}
