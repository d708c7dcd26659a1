"""Law 13: a grant is what it says it is - points, growth value, a coupon, a gift or a tier - once."""

LAWS: dict[str, tuple[str, str]] = {
    "grant_points_are_their_entry": (
        "13",
        """SELECT g.id AS "grant", g.value, e.id AS entry, e.kind, e.points
             FROM loyalty_grant g LEFT JOIN loyalty_entry e ON e.id = g.entry_id
             LEFT JOIN loyalty_wallet w ON w.id = e.wallet_id
            WHERE g.prize = 'points' AND (g.state <> 'not_given' AND (e.id IS NULL OR e.kind <> 'earn'
                  OR e.points <> g.value::bigint OR e.cause <> g.cause OR w.member_id <> g.member_id)
               OR g.state = 'not_given' AND e.id IS NOT NULL)""",
    ),
    "points_given_have_their_grant": (
        "13",
        """SELECT e.id AS entry, e.cause FROM loyalty_entry e LEFT JOIN loyalty_grant g ON g.entry_id = e.id
            WHERE e.kind = 'earn' AND e.why ? 'source' AND g.id IS NULL""",
    ),
    "withdrawn_points_were_taken_back_once": (
        "13",
        """SELECT g.id AS "grant", g.value, -e.points AS taken_back, e.why->>'lapsed' AS lapsed
             FROM loyalty_grant g LEFT JOIN loyalty_entry e ON e.kind = 'take_back' AND e.cause = g.cause
            WHERE g.prize = 'points'
              AND (g.state = 'given' AND e.id IS NOT NULL
                OR g.state = 'withdrawn' AND e.id IS NOT NULL
                   AND -e.points + coalesce((e.why->>'lapsed')::bigint, 0) <> g.value::bigint
                -- With nothing left to take there is no entry: all of it had lapsed.
                OR g.state = 'withdrawn' AND e.id IS NULL AND NOT EXISTS (
                   SELECT FROM loyalty_lotmove m JOIN loyalty_lot l ON l.id = m.lot_id
                    WHERE m.entry_id = g.entry_id AND m.points > 0 AND l.expired >= g.value::bigint))""",
    ),
    "an_occasion_gives_a_thing_once": (
        "13",
        """SELECT occasion, prize, count(*) AS standing FROM loyalty_grant WHERE state <> 'withdrawn'
            GROUP BY occasion, prize HAVING count(*) > 1""",
    ),
    "grant_coupons_and_gifts_are_there": (
        "13",
        """SELECT g.id AS "grant", g.prize, g.state, c.id AS coupon, x.id AS claim
             FROM loyalty_grant g
             LEFT JOIN loyalty_coupon c ON c.id = g.coupon_id
             LEFT JOIN loyalty_claim x ON x.id = g.claim_id
            WHERE g.state <> 'not_given'
              AND (g.prize = 'coupon' AND (c.id IS NULL OR c.cause <> 'grant:' || g.cause
                                          OR c.member_id <> g.member_id)
                OR g.prize = 'gift' AND (x.id IS NULL OR x.cause <> 'grant:' || g.cause
                                        OR x.member_id <> g.member_id)
                OR g.state = 'withdrawn' AND (c.state = 'issued' OR x.state NOT IN ('cancelled')))
               OR g.state = 'not_given' AND (g.coupon_id IS NOT NULL OR g.claim_id IS NOT NULL)""",
    ),
    "grants_are_named_by_their_occasion": (
        "13",
        # What is given anew after it was withdrawn has a number behind its name.
        """SELECT id AS "grant", occasion, prize, cause, grants
             FROM (SELECT id, occasion, prize, cause, count(*) OVER (PARTITION BY cause) AS grants,
                          concat(occasion, ':', prize) AS name FROM loyalty_grant) AS g
            WHERE grants > 1 OR NOT (cause = name OR starts_with(cause, name || ':')
                                     AND substr(cause, length(name) + 2) ~ '^[0-9]+$')""",
    ),
    "grant_growth_and_tiers_are_there": (
        "13",
        """SELECT g.id AS "grant", g.prize, g.value, e.growth, t.tier
             FROM loyalty_grant g
             LEFT JOIN loyalty_growthentry e ON e.cause = 'grant:' || g.cause
             LEFT JOIN loyalty_tierevent t ON t.cause = 'grant:' || g.cause
             LEFT JOIN loyalty_wallet w ON w.id = coalesce(e.wallet_id, t.wallet_id)
            WHERE g.prize IN ('growth', 'tier') AND g.state <> 'not_given'
              AND (g.value <> coalesce(CASE g.prize WHEN 'growth' THEN e.growth::text ELSE t.tier END, '')
                OR w.member_id IS DISTINCT FROM g.member_id)""",
    ),
    "withdrawn_growth_and_tiers_were_taken_back": (
        "13",
        """SELECT g.id AS "grant", g.prize, g.value, g.state, u.growth AS taken_back, n.id AS tier_event
             FROM loyalty_grant g
             LEFT JOIN loyalty_growthentry u ON u.cause = concat('grant:', g.cause, ':undone')
             LEFT JOIN loyalty_tierevent n ON n.cause = 'end:grant:' || g.cause
             LEFT JOIN loyalty_tierevent t ON t.id = n.ends_id AND t.cause = 'grant:' || g.cause
            WHERE g.prize = 'growth' AND u.growth::text IS DISTINCT FROM
                      CASE g.state WHEN 'withdrawn' THEN concat('-', g.value) END
               OR g.prize = 'tier' AND (g.state = 'withdrawn') <> (t.id IS NOT NULL)""",
    ),
    "nothing_is_given_without_its_grant": (
        "13",
        """WITH standing AS (SELECT * FROM loyalty_grant WHERE state <> 'not_given')
           SELECT c.id AS coupon, NULL::bigint AS claim, NULL::bigint AS growth_entry,
                  NULL::bigint AS tier_event, c.cause
             FROM loyalty_coupon c LEFT JOIN standing g ON g.coupon_id = c.id
            WHERE starts_with(c.cause, 'grant:') AND g.id IS NULL
            UNION ALL
           SELECT NULL, c.id, NULL, NULL, c.cause
             FROM loyalty_claim c LEFT JOIN standing g ON g.claim_id = c.id
            WHERE starts_with(c.cause, 'grant:') AND g.id IS NULL
            UNION ALL
           SELECT NULL, NULL, e.id, NULL, e.cause
             FROM loyalty_growthentry e
             LEFT JOIN standing g
               ON g.prize = 'growth' AND concat('grant:', g.cause) = regexp_replace(e.cause, ':undone$', '')
            WHERE e.order_id IS NULL AND g.id IS NULL AND NOT starts_with(e.cause, 'legacy:')
            UNION ALL
           SELECT NULL, NULL, NULL, t.id, t.cause
             FROM loyalty_tierevent t
             LEFT JOIN standing g
               ON g.prize = 'tier' AND concat('grant:', g.cause) = regexp_replace(t.cause, '^end:', '')
            WHERE (t.kind = 'gift' OR t.kind = 'end' AND starts_with(t.cause, 'end:grant:')) AND g.id IS NULL
            UNION ALL
           SELECT NULL, NULL, NULL, t.id, t.cause
             FROM loyalty_tierevent t
             JOIN loyalty_wallet w ON w.id = t.wallet_id
             LEFT JOIN loyalty_tiercut c
               ON t.cause = concat('cut:', c.id, ':', w.member_id) AND c.tier = t.tier
              AND EXISTS (SELECT FROM jsonb_array_elements(c.winners) AS winner
                           WHERE (winner->>0)::bigint = w.member_id)
            WHERE t.kind = 'cut' AND c.id IS NULL""",
    ),
    "a_streak_has_its_day_before": (
        "13",
        """SELECT k.id AS check_in, k.member_id AS member, k.day, k.streak FROM loyalty_checkin k
            WHERE k.streak > 1 AND NOT EXISTS (
                  SELECT FROM loyalty_checkin b JOIN members_member m ON m.id = b.member_id
                   WHERE b.day = k.day - 1 AND b.streak = k.streak - 1
                     AND (b.member_id = k.member_id OR m.merged_into_id IS NOT NULL
                          OR EXISTS (SELECT FROM members_member s
                                      WHERE s.id = k.member_id AND s.merged_into_id IS NOT NULL)))""",
    ),
    "a_check_in_is_an_activity": (
        "13",
        """SELECT k.id AS check_in, k.member_id AS member, k.day FROM loyalty_checkin k
            WHERE NOT EXISTS (SELECT FROM loyalty_activity a
                               WHERE a.member_id = k.member_id AND a.kind = 'check_in' AND a.day = k.day)""",
    ),
}
