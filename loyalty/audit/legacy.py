"""Law 18: what came from an old system is what its package says, and what was taken back is what it says.

Points, tiers, growth value and coupons that name a package (`legacy:…`) have their row in it, and no row says
that it brought what is not there. A package that was taken back has taken back each thing once.
"""

_LOTS = "r.kind IN ('lots', 'balances') AND r.state IN ('new', 'undone')"

LAWS: dict[str, tuple[str, str]] = {
    "brought_points_are_what_their_package_says": (
        "18",
        f"""SELECT r.id AS legacy_row, e.id AS entry, r.amount AS brought, e.points, e.cause
             FROM (SELECT * FROM members_legacyrow r WHERE {_LOTS}) AS r
             FULL JOIN (SELECT * FROM loyalty_entry WHERE kind = 'open') AS e ON e.id = r.made
            WHERE r.id IS NULL OR e.id IS NULL OR e.points <> r.amount OR e.cause <> r.cause
               OR e.channel_id IS DISTINCT FROM r.channel_id""",
    ),
    "brought_lots_last_as_they_were_told": (
        "18",
        f"""SELECT r.id AS legacy_row, l.id AS lot, l.expires_at AS lapses, l.earned_at AS earned
             FROM members_legacyrow r
             JOIN loyalty_lotmove m ON m.entry_id = r.made AND m.points > 0
             JOIN loyalty_lot l ON l.id = m.lot_id
            WHERE {_LOTS} AND r.kind = 'lots'
              AND ((r.document->>'expires_at')::timestamptz IS DISTINCT FROM l.expires_at
                   OR (r.document->>'earned_at')::timestamptz <> l.earned_at)""",
    ),
    "points_of_a_package_were_taken_back_once": (
        "18",
        f"""SELECT r.id AS legacy_row, e.id AS entry, r.state, r.amount AS brought, r.taken,
                  -e.points AS posted, r.kept
             FROM members_legacyrow r
             LEFT JOIN loyalty_entry e ON e.kind = 'take_back' AND e.cause = r.cause
            WHERE {_LOTS} AND (coalesce(-e.points, 0) <> r.taken OR r.state = 'new' AND e.id IS NOT NULL
                               OR r.taken + r.kept > r.amount)""",
    ),
    "brought_growth_is_what_its_package_says": (
        "18",
        """WITH brought AS (SELECT * FROM members_legacyrow
                             WHERE kind = 'growth' AND state IN ('new', 'undone'))
           SELECT r.id AS legacy_row, g.id AS growth_entry, r.amount AS brought, g.growth
             FROM brought r
             FULL JOIN (SELECT * FROM loyalty_growthentry
                         WHERE starts_with(cause, 'legacy:') AND cause NOT LIKE '%:undone') AS g
               ON g.id = r.made
            WHERE r.id IS NULL OR g.growth IS DISTINCT FROM r.amount OR g.cause IS DISTINCT FROM r.cause
            UNION ALL
           SELECT r.id, u.id, r.amount, u.growth
             FROM brought r
             FULL JOIN (SELECT *, regexp_replace(cause, ':undone$', '') AS of FROM loyalty_growthentry
                         WHERE starts_with(cause, 'legacy:') AND cause LIKE '%:undone') AS u ON u.of = r.cause
            WHERE coalesce(-u.growth, 0) <> CASE r.state WHEN 'undone' THEN r.amount ELSE 0 END
               OR r.id IS NULL""",
    ),
    "brought_tiers_are_what_their_package_says": (
        "18",
        """SELECT r.id AS legacy_row, t.id AS tier_event, t.tier, r.state, x.id AS event
             FROM (SELECT * FROM members_legacyrow WHERE kind = 'tiers' AND state IN ('new', 'undone')) AS r
             FULL JOIN (SELECT * FROM loyalty_tierevent WHERE kind = 'legacy') AS t ON t.id = r.made
             LEFT JOIN loyalty_tierevent x ON x.ends_id = t.id
            WHERE r.id IS NULL OR t.id IS NULL OR t.cause <> r.cause OR t.tier <> r.document->>'tier'
               OR (r.document->>'until')::timestamptz IS DISTINCT FROM t.ends_at
               OR starts_with(x.cause, 'end:legacy:')
                  IS DISTINCT FROM CASE WHEN r.state = 'undone' AND r.taken = 1 THEN true END
            UNION ALL
           SELECT NULL, x.id, x.tier, NULL, x.ends_id
             FROM loyalty_tierevent x JOIN loyalty_tierevent t ON t.id = x.ends_id
            WHERE starts_with(x.cause, 'end:legacy:') AND t.kind <> 'legacy'""",
    ),
    "brought_coupons_are_what_their_package_says": (
        "18",
        """SELECT r.id AS legacy_row, c.id AS coupon, c.campaign, c.state, r.state AS outcome
             FROM (SELECT * FROM members_legacyrow WHERE kind = 'coupons' AND state IN ('new', 'undone')) AS r
             FULL JOIN (SELECT * FROM loyalty_coupon WHERE starts_with(cause, 'legacy:')) AS c
               ON c.id = r.made
            WHERE r.id IS NULL OR c.id IS NULL OR c.campaign <> r.document->>'campaign'
               OR r.state = 'undone' AND r.taken = 1 AND c.state <> 'withdrawn'
                  AND NOT EXISTS (SELECT FROM members_legacyrow n
                                   WHERE n.kind = 'coupons' AND n.made = c.id AND n.id > r.id)""",
    ),
}
