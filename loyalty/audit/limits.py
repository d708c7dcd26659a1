"""Law 16: what the programme gives so often, or so much of, was not given more often, nor more of it.

A limit is that of the version by which something was given. A version that lowers one takes nothing back,
so each use is held to what had been used up to it, in the order in which uses were written.
"""

_RULES = """
    SELECT v.id AS programme_id, r->>'code' AS rule, (r #>> '{limits,budget}')::bigint AS budget,
           (r #>> '{limits,per_member}')::bigint AS per_member,
           (r #>> '{limits,per_member_day}')::bigint AS per_member_day,
           (r #>> '{limits,per_member_month}')::bigint AS per_member_month
      FROM loyalty_programmeversion v, jsonb_path_query(v.document, '$.rules[*]') AS r
     WHERE v.state = 'published' AND jsonb_typeof(r->'limits') = 'object'"""

# The orders of one batch were priced one after the other and have one recorded time. Who spends from a budget
# takes turns, so ids follow that order; who spends from none took no turn, and is left out of its sum.
_USES = """
    SELECT u.id, u.rule, u.wallet_id, u.entry_id, u.day, u.points, t.budget, t.per_member, t.per_member_day,
           t.per_member_month, e.happened_at, e.order_id,
           min(u.id) OVER (PARTITION BY u.rule, e.recorded_at) AS batch
      FROM loyalty_ruleuse u
      JOIN loyalty_entry e ON e.id = u.entry_id
      LEFT JOIN rules t ON t.programme_id = e.programme_id AND t.rule = u.rule
     WHERE u.rule IN (SELECT rule FROM rules)"""

_BENEFITS = """
    SELECT v.id AS programme_id, t->>'code' AS tier, u->>'code' AS code,
           coalesce((u->>'times')::int, 1) AS times,
           coalesce(v.document->>'time_zone', 'Asia/Shanghai') AS zone,
           CASE coalesce(u->>'per', 'month') WHEN 'day' THEN 'YYYY-MM-DD' WHEN 'week' THEN 'IYYY-"W"IW'
                WHEN 'month' THEN 'YYYY-MM' WHEN 'quarter' THEN 'YYYY-"Q"Q' ELSE 'YYYY' END AS period
      FROM loyalty_programmeversion v, jsonb_path_query(v.document, '$.tiers[*]') AS t,
           jsonb_path_query(t, '$.benefits.uses[*]') AS u
     WHERE v.state = 'published'"""

LAWS: dict[str, tuple[str, str]] = {
    "rules_stay_within_their_limits": (
        "16",
        f"""WITH rules AS MATERIALIZED ({_RULES}), uses AS ({_USES})
           SELECT id AS rule_use, rule, wallet_id AS wallet, entry_id AS entry, points,
                  in_all, budget, of_member, per_member, in_month, per_member_month, on_day, per_member_day
             FROM (SELECT *, sum(points) FILTER (WHERE budget IS NOT NULL)
                                 OVER (PARTITION BY rule ORDER BY batch, happened_at, order_id, id) AS in_all,
                          sum(points) OVER (PARTITION BY rule, wallet_id
                                            ORDER BY batch, happened_at, order_id, id) AS of_member,
                          sum(points) OVER (PARTITION BY rule, wallet_id, date_trunc('month', day)
                                            ORDER BY batch, happened_at, order_id, id) AS in_month,
                          sum(points) OVER (PARTITION BY rule, wallet_id, day
                                            ORDER BY batch, happened_at, order_id, id) AS on_day
                     FROM uses) AS u
            WHERE in_all > budget AND budget IS NOT NULL OR of_member > per_member
               OR in_month > per_member_month OR on_day > per_member_day""",
    ),
    "rule_uses_are_what_entries_say": (
        "16",
        # An order's first entry has them; what is earned again, after a correction, names them and adds none.
        """SELECT coalesce(u.entry_id, s.entry_id) AS entry, coalesce(u.rule, s.rule) AS rule,
                  u.points, s.added
             FROM loyalty_ruleuse u
             FULL JOIN (SELECT e.id AS entry_id, e.cause = 'order:' || e.order_id AS is_first,
                               r->>'code' AS rule, sum((r->>'added')::bigint) AS added
                          FROM loyalty_entry e, jsonb_array_elements(e.why->'rules') AS r
                         WHERE e.kind = 'earn' AND e.order_id IS NOT NULL AND e.why ? 'rules'
                         GROUP BY e.id, r->>'code') AS s ON s.entry_id = u.entry_id AND s.rule = u.rule
            WHERE u.points IS DISTINCT FROM s.added
              AND (u.id IS NOT NULL OR s.is_first AND s.added > 0)""",
    ),
    "benefits_stay_within_the_terms_of_their_tier": (
        "16",
        f"""WITH benefits AS MATERIALIZED ({_BENEFITS})
           SELECT b.id AS benefit_use, b.wallet_id AS wallet, b.tier, b.code, b.period, b.number, t.times,
                  b.standing AS uses
             FROM (SELECT *, count(*) FILTER (WHERE given_back_at IS NULL)
                                 OVER (PARTITION BY wallet_id, code, period, number) AS standing
                     FROM loyalty_benefituse) AS b
             LEFT JOIN benefits t
               ON t.programme_id = b.programme_id AND t.tier = b.tier AND t.code = b.code
            WHERE t.code IS NULL OR b.number < 1 OR b.number > t.times OR b.standing > 1
               OR b.period <> to_char(b.used_at AT TIME ZONE t.zone, t.period)""",
    ),
    "activities_stay_within_the_limit_of_a_day": (
        "16",
        """SELECT id AS activity, member, kind, day, number, per_day, activities
             FROM (SELECT id, member_id AS member, kind, day, number, per_day,
                          count(*) OVER (PARTITION BY member_id, kind, day, number) AS activities
                     FROM loyalty_activity WHERE number IS NOT NULL) AS a
            WHERE number < 1 OR number > per_day OR activities > 1""",
    ),
}
