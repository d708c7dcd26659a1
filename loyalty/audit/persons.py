"""Law 17: the wallets of merged members are one person's, and nothing is lost between them."""

# Which members are one person by the merges that hold, and who of them survives: a tree has one root.
_PERSONS = """
    WITH RECURSIVE person(member_id, root) AS (
        SELECT DISTINCT m.survivor_id, m.survivor_id FROM members_merge m
         WHERE m.undone_at IS NULL
           AND NOT EXISTS (SELECT FROM members_merge up
                            WHERE up.other_id = m.survivor_id AND up.undone_at IS NULL)
         UNION
        SELECT m.other_id, person.root FROM person
          JOIN members_merge m ON m.survivor_id = person.member_id AND m.undone_at IS NULL
    )"""

LAWS: dict[str, tuple[str, str]] = {
    "wallets_are_linked_as_merges_say": (
        "17",
        f"""{_PERSONS}
           SELECT w.id AS wallet, w.member_id AS member, w.person_id AS survivor, p.root AS merged_into
             FROM loyalty_wallet w FULL JOIN person p ON p.member_id = w.member_id
            WHERE w.person_id IS DISTINCT FROM p.root OR w.id IS NULL""",
    ),
    "linked_wallets_show_one_tier": (
        "17",
        """SELECT w.id AS wallet, w.member_id AS member, w.tier, head.tier AS reached
             FROM loyalty_wallet w JOIN loyalty_wallet head ON head.member_id = w.person_id
            WHERE (w.tier, w.tier_since, w.tier_until)
                  IS DISTINCT FROM (head.tier, head.tier_since, head.tier_until)""",
    ),
    "available_points_pay_the_debts_of_the_person": (
        "17",
        # At the moment when any wallet of the person was last written.
        """SELECT w.id AS wallet, w.debt, l.id AS lot, l.remaining - l.held AS free
             FROM loyalty_wallet w
             JOIN loyalty_wallet k ON k.person_id = w.person_id AND k.id <> w.id
             JOIN loyalty_lot l ON l.wallet_id = k.id AND l.remaining > l.held
             JOIN LATERAL (SELECT e.recorded_at FROM loyalty_entry e
                             JOIN loyalty_wallet each ON each.id = e.wallet_id
                            WHERE each.person_id = w.person_id AND e.happened_at <= e.recorded_at
                            ORDER BY e.recorded_at DESC LIMIT 1) AS last ON true
            WHERE w.debt > 0 AND l.available_from <= last.recorded_at
              AND (l.expires_at IS NULL OR l.expires_at > last.recorded_at)""",
    ),
    "what_moved_out_moved_in": (
        "17",
        # Two entries of one cause and of two wallets, which a merge made one person's at that time.
        """SELECT coalesce(o.cause, i.cause) AS cause, o.wallet_id AS wallet, o.points AS taken,
                  i.points AS added, g.id AS merge
             FROM (SELECT * FROM loyalty_entry WHERE kind = 'move_out') AS o
             FULL JOIN (SELECT * FROM loyalty_entry WHERE kind = 'move_in') AS i ON i.cause = o.cause
             LEFT JOIN members_merge g ON g.id = (coalesce(o.why, i.why)->>'merge')::bigint
            WHERE o.id IS NULL OR i.id IS NULL OR o.points <> -i.points OR o.wallet_id = i.wallet_id
               OR o.why->>'merge' IS DISTINCT FROM i.why->>'merge' OR g.id IS NULL
               OR o.recorded_at < g.at OR o.recorded_at > coalesce(g.undone_at, 'infinity')""",
    ),
    "undone_merges_left_nothing_spent_across": (
        "17",
        # What one wallet had of another by a merge, less what lapsed there, went back when it was undone.
        """SELECT m.merge, m."from" AS wallet, m."to" AS other_wallet, m.moved, m.returned
             FROM (SELECT (o.why->>'merge')::bigint AS merge,
                          least(o.wallet_id, i.wallet_id) AS "from",
                          greatest(o.wallet_id, i.wallet_id) AS "to",
                          sum(CASE WHEN o.wallet_id < i.wallet_id THEN 1 ELSE -1 END * i.points)
                              FILTER (WHERE NOT i.why ? 'undone') AS moved,
                          coalesce(sum(CASE WHEN o.wallet_id < i.wallet_id THEN -1 ELSE 1 END * i.points)
                              FILTER (WHERE i.why ? 'undone'), 0) AS returned,
                          coalesce(sum(CASE WHEN o.wallet_id < i.wallet_id THEN 1 ELSE -1 END * x.expired)
                              FILTER (WHERE NOT i.why ? 'undone'), 0) AS lapsed
                     FROM loyalty_entry o JOIN loyalty_entry i ON i.kind = 'move_in' AND i.cause = o.cause
                     JOIN LATERAL (SELECT coalesce(sum(-p.points), 0) AS expired
                                     FROM loyalty_lotmove a JOIN loyalty_lotmove p ON p.lot_id = a.lot_id
                                     JOIN loyalty_entry e ON e.id = p.entry_id AND e.kind = 'expire'
                                     JOIN members_merge g ON g.id = (o.why->>'merge')::bigint
                                    WHERE a.entry_id = i.id AND e.recorded_at <= g.undone_at) AS x ON true
                    WHERE o.kind = 'move_out' GROUP BY 1, 2, 3) AS m
             JOIN members_merge g ON g.id = m.merge AND g.undone_at IS NOT NULL
            WHERE m.moved - m.lapsed <> m.returned""",
    ),
}
