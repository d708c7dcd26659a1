"""Law 10: each change was told to the channels exactly once. Coupons are in `coupon_proofs`."""

LAWS: dict[str, tuple[str, str]] = {
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
    "each_claim_step_was_told_once": (
        "10",
        """SELECT coalesce(c.change, o.change) AS change, o.times
             FROM (SELECT concat('claim:', claim_id, ':', position) AS change FROM loyalty_claimmove) AS c
             FULL JOIN (SELECT change, count(*) AS times FROM members_outboxevent
                         WHERE topic = 'reward.changed' GROUP BY change) AS o ON o.change = c.change
            WHERE c.change IS NULL OR coalesce(o.times, 0) <> 1""",
    ),
}
