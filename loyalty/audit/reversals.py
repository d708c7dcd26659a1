"""Law 4: what an order earned stands in proportion, and nothing is reversed beyond what it was."""

LAWS: dict[str, tuple[str, str]] = {
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
    "corrections_reverse_no_more_than_was": (
        "4",
        """SELECT r.id AS entry, r.points, sum(c.points) AS reversed
             FROM loyalty_entry c JOIN loyalty_entry r ON r.id = (c.why->>'reverses')::bigint
            WHERE c.kind = 'adjust' AND c.why ? 'reverses'
            GROUP BY r.id
           HAVING sum(c.points) * sign(r.points) > 0 OR abs(sum(c.points)) > abs(r.points)
               OR bool_or(c.wallet_id <> r.wallet_id)""",
    ),
}
