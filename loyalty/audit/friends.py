"""Law 14: a friend counts once, in the order of counting, and for a purchase that was kept."""

LAWS: dict[str, tuple[str, str]] = {
    "friends_that_count_are_numbered": (
        "14",
        """SELECT referrer_id AS referrer, count(*) AS friends, min(number) AS first, max(number) AS last
             FROM loyalty_referral WHERE state = 'counted'
            GROUP BY referrer_id HAVING min(number) <> 1 OR max(number) <> count(*)""",
    ),
    "friends_that_count_kept_a_purchase": (
        "14",
        """SELECT r.id AS referral, r.referrer_id AS referrer, o.id AS "order", o.status,
                  o.net, o.refunded_goods
             FROM loyalty_referral r
             JOIN loyalty_programmeversion p ON p.id = r.programme_id
             LEFT JOIN members_order o ON o.id = r.order_id
            WHERE r.state = 'counted'
              AND coalesce(p.document #>> '{referral,counts_after}', 'first_purchase') = 'first_purchase'
              AND (o.id IS NULL OR o.paid_at IS NULL OR o.status IN ('placed', 'cancelled')
                   OR o.net <= o.refunded_goods)""",
    ),
}
