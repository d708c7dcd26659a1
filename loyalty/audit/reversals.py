"""Law 4: what an order earned, growth value too, stands in proportion, and no reversal exceeds it."""

# The versions that have growth value: those that say so, and those in which a tier asks for it.
_GROWTH_TERMS = """
    SELECT id, coalesce((document #>> '{growth,per_yuan}')::numeric, 1) AS per_yuan
      FROM loyalty_programmeversion
     WHERE jsonb_typeof(document->'growth') = 'object'
        OR jsonb_path_exists(document, '$.tiers[*].qualify.**.growth')
        OR jsonb_path_exists(document, '$.tiers[*].keep.**.growth')"""

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
             LEFT JOIN (SELECT order_id, sum(points) AS points FROM loyalty_entry
                         WHERE kind = 'give_back' GROUP BY order_id) AS e ON e.order_id = o.order_id
            WHERE o.given_back > x.points_spent OR o.given_back <> coalesce(e.points, 0)""",
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
    "order_growth_in_proportion": (
        "4",
        # By the version that the order's growth value came about by, or else by the one that priced it.
        f"""WITH terms AS ({_GROWTH_TERMS}),
                grown AS (SELECT order_id, wallet_id, sum(growth) AS growth, min(programme_id) AS programme_id
                            FROM loyalty_growthentry WHERE order_id IS NOT NULL
                           GROUP BY order_id, wallet_id),
                priced AS (SELECT o.order_id, o.wallet_id, o.programme_id
                             FROM loyalty_orderearning o JOIN terms t ON t.id = o.programme_id
                            WHERE o.why <> '{{}}')
           SELECT x.id AS "order", coalesce(g.wallet_id, p.wallet_id) AS wallet,
                  coalesce(g.growth, 0) AS growth, t.per_yuan, x.net, x.refunded_goods, x.status
             FROM grown g
             FULL JOIN priced p ON p.order_id = g.order_id AND p.wallet_id = g.wallet_id
             JOIN members_order x ON x.id = coalesce(g.order_id, p.order_id)
             LEFT JOIN loyalty_orderearning o ON o.order_id = x.id
             LEFT JOIN terms t ON t.id = coalesce(g.programme_id, p.programme_id)
            WHERE coalesce(g.growth, 0) <>
                  CASE WHEN x.paid_at IS NULL OR x.status IN ('placed', 'cancelled')
                         OR o.wallet_id IS DISTINCT FROM coalesce(g.wallet_id, p.wallet_id) THEN 0
                       ELSE floor(greatest(x.net - x.refunded_goods, 0) * coalesce(t.per_yuan, 0)) END""",
    ),
}
