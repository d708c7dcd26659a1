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
        """SELECT g.id AS "grant", g.value, -e.points AS taken, e.why->>'lapsed' AS lapsed
             FROM loyalty_grant g LEFT JOIN loyalty_entry e ON e.kind = 'take_back' AND e.cause = g.cause
            WHERE g.prize = 'points'
              AND (g.state = 'given' AND e.id IS NOT NULL
                OR g.state = 'withdrawn' AND e.id IS NOT NULL
                   AND -e.points + coalesce((e.why->>'lapsed')::bigint, 0) <> g.value::bigint)""",
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
                OR g.state = 'withdrawn' AND (c.state = 'issued' OR x.state NOT IN ('cancelled')))""",
    ),
    "grant_growth_and_tiers_are_there": (
        "13",
        """SELECT g.id AS "grant", g.prize, g.value, e.growth, t.tier
             FROM loyalty_grant g
             LEFT JOIN loyalty_growthentry e ON e.cause = 'grant:' || g.cause
             LEFT JOIN loyalty_tierevent t ON t.cause = 'grant:' || g.cause
            WHERE g.state <> 'not_given'
              AND (g.prize = 'growth' AND (e.id IS NULL OR e.growth <> g.value::bigint)
                OR g.prize = 'tier' AND (t.id IS NULL OR t.tier <> g.value))""",
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
