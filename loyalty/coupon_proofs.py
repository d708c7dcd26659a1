"""The proofs about coupons (law 9, and that each change was told): queries that find nothing when they hold.

Each names its law, as those of `loyalty.audit` do, and shows the rows that break it.
"""

LAWS: dict[str, tuple[str, str]] = {
    "coupons_within_quota_and_limit": (
        "9",
        """SELECT id AS coupon, campaign, number, quota, member_id AS member, member_number, per_member
             FROM loyalty_coupon
            WHERE number < 1 OR number > quota OR member_number < 1 OR member_number > per_member""",
    ),
    "coupon_numbers_are_given_once": (
        "9",
        """SELECT campaign, number, NULL::bigint AS member, count(*) AS coupons
             FROM loyalty_coupon GROUP BY campaign, number HAVING count(*) > 1
            UNION ALL
           SELECT campaign, member_number, member_id, count(*)
             FROM loyalty_coupon WHERE member_number IS NOT NULL
            GROUP BY campaign, member_id, member_number HAVING count(*) > 1""",
    ),
    "coupon_is_used_at_most_once": (
        "9",
        """SELECT coupon_id AS coupon, count(*) AS uses, array_agg(order_no ORDER BY id) AS orders
             FROM loyalty_couponuse WHERE returned_at IS NULL
            GROUP BY coupon_id HAVING count(*) > 1""",
    ),
    "coupon_stands_where_its_history_ends": (
        "9",
        """SELECT c.id AS coupon, c.state, c.steps, m.kind AS last_move, m.position, m.moves
             FROM loyalty_coupon c
             LEFT JOIN (SELECT coupon_id, max(position) AS position, count(*) AS moves,
                               (array_agg(kind ORDER BY position DESC))[1] AS kind
                          FROM loyalty_couponmove GROUP BY coupon_id) AS m ON m.coupon_id = c.id
            WHERE c.steps <> coalesce(m.moves, 0) OR c.steps <> coalesce(m.position, 0)
               OR c.state <> CASE coalesce(m.kind, 'returned')
                             WHEN 'released' THEN 'issued' WHEN 'returned' THEN 'issued'
                             WHEN 'restored' THEN 'issued' ELSE m.kind END""",
    ),
    "coupon_history_is_possible": (
        "9",
        """SELECT coupon_id AS coupon, position, before, kind
             FROM (SELECT coupon_id, position, kind,
                          lag(kind, 1, 'issued') OVER (PARTITION BY coupon_id ORDER BY position) AS before
                     FROM loyalty_couponmove) AS m
            WHERE NOT CASE kind
                      WHEN 'locked' THEN before IN ('issued', 'released', 'returned', 'restored')
                      WHEN 'released' THEN before = 'locked'
                      WHEN 'used' THEN before IN ('issued', 'locked', 'released', 'returned', 'restored')
                      WHEN 'returned' THEN before = 'used'
                      WHEN 'withdrawn' THEN before IN ('issued', 'released', 'returned', 'restored')
                      WHEN 'restored' THEN before = 'withdrawn'
                      ELSE false END""",
    ),
    "coupon_uses_are_in_its_history": (
        "9",
        """SELECT c.id AS coupon, c.state, u.uses, u.standing, m.used, m.returned
             FROM loyalty_coupon c
             FULL JOIN (SELECT coupon_id, count(*) AS uses, count(*) - count(returned_at) AS standing
                          FROM loyalty_couponuse GROUP BY coupon_id) AS u ON u.coupon_id = c.id
             FULL JOIN (SELECT coupon_id, count(*) FILTER (WHERE kind = 'used') AS used,
                               count(*) FILTER (WHERE kind = 'returned') AS returned
                          FROM loyalty_couponmove GROUP BY coupon_id) AS m ON m.coupon_id = c.id
            WHERE coalesce(u.uses, 0) <> coalesce(m.used, 0)
               OR coalesce(u.uses - u.standing, 0) <> coalesce(m.returned, 0)
               OR (c.state = 'used') <> (coalesce(u.standing, 0) = 1)""",
    ),
    "coupon_batches_add_up": (
        "9",
        """SELECT b.id AS batch, b.made, coalesce(c.coupons, 0) AS coupons, b.rejected,
                  coalesce(r.rejects, 0) AS rejects
             FROM loyalty_couponbatch b
             LEFT JOIN (SELECT batch_id, count(*) AS coupons FROM loyalty_coupon
                         WHERE batch_id IS NOT NULL GROUP BY batch_id) AS c ON c.batch_id = b.id
             LEFT JOIN (SELECT batch_id, count(*) AS rejects FROM loyalty_couponreject
                         GROUP BY batch_id) AS r ON r.batch_id = b.id
            WHERE b.made <> coalesce(c.coupons, 0) OR b.rejected <> coalesce(r.rejects, 0)""",
    ),
    "each_coupon_change_was_told_once": (
        "10",
        """SELECT coalesce(c.change, o.change) AS change, o.times
             FROM (SELECT 'coupon:' || id || ':0' AS change FROM loyalty_coupon WHERE NOT is_bearer
                    UNION ALL
                   SELECT 'coupon:' || coupon_id || ':' || position FROM loyalty_couponmove) AS c
             FULL JOIN (SELECT change, count(*) AS times FROM members_outboxevent
                         WHERE topic = 'coupon.changed' GROUP BY change) AS o ON o.change = c.change
            WHERE c.change IS NULL OR coalesce(o.times, 0) <> 1""",
    ),
}
