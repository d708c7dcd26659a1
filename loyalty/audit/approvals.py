"""Law 15: what one person may not do alone, two people did - once, and as it was asked for."""

LAWS: dict[str, tuple[str, str]] = {
    "approved_adjustments_are_what_two_people_approved": (
        "15",
        """SELECT e.id AS entry, e.actor_id AS maker, e.points, a.id AS approval, a.state
             FROM loyalty_entry e
             JOIN loyalty_wallet w ON w.id = e.wallet_id
             LEFT JOIN privacy_approval a ON a.id = (e.why->>'approval')::bigint
            WHERE e.kind = 'adjust' AND e.why ? 'approval'
              AND (a.id IS NULL OR a.kind <> 'points.adjust' OR a.state <> 'approved'
                   OR a.asked_by_id IS DISTINCT FROM e.actor_id OR a.decided_by_id = a.asked_by_id
                   OR a.change->>'cause' <> e.cause OR (a.change->>'points')::bigint <> e.points
                   OR (a.change->>'member_id')::bigint <> w.member_id
                   OR (a.result->>'entry_id')::bigint IS DISTINCT FROM e.id
                   OR EXISTS (SELECT FROM privacy_staffprofile s
                               WHERE s.user_id = a.decided_by_id AND s.member_id = w.member_id))""",
    ),
    "adjustments_alone_stay_within_the_limit": (
        "15",
        """SELECT e.id AS entry, e.actor_id AS maker, e.points, e.of_member, e.in_all, e.adjust_limit
             FROM (SELECT t.id, t.actor_id, t.points,
                          sum(abs(t.points)) OVER (PARTITION BY t.actor_id, t.wallet_id ORDER BY t.recorded_at
                              RANGE BETWEEN interval '24 hours' PRECEDING AND CURRENT ROW) AS of_member,
                          sum(abs(t.points)) OVER (PARTITION BY t.actor_id ORDER BY t.recorded_at
                              RANGE BETWEEN interval '24 hours' PRECEDING AND CURRENT ROW) AS in_all,
                          coalesce((v.document->'points'->>'adjust_limit')::bigint, 1000) AS adjust_limit,
                          coalesce((v.document->'points'->>'adjust_day_factor')::bigint, 10) AS factor
                     FROM loyalty_entry t LEFT JOIN loyalty_programmeversion v ON v.id = t.programme_id
                    WHERE t.kind = 'adjust' AND NOT t.why ? 'approval') AS e
            WHERE e.actor_id IS NULL OR e.of_member > e.adjust_limit
               OR e.in_all > e.adjust_limit * e.factor""",
    ),
    "approved_requests_were_carried_out_once": (
        "15",
        """SELECT a.id AS approval, a.kind, count(e.id) AS entries
             FROM privacy_approval a LEFT JOIN loyalty_entry e
               ON e.kind = 'adjust' AND e.cause = a.change->>'cause'
            WHERE a.kind = 'points.adjust'
            GROUP BY a.id HAVING count(e.id) <> CASE WHEN a.state = 'approved' THEN 1 ELSE 0 END""",
    ),
    "refunds_by_staff_were_approved_by_two_people": (
        "15",
        """SELECT r.id AS refund, r.asked_by_id AS maker, a.id AS approval, a.state
             FROM members_refund r JOIN privacy_approval a ON a.id = r.approval_id
            WHERE a.kind <> 'orders.refund' OR a.state <> 'approved'
               OR a.asked_by_id IS DISTINCT FROM r.asked_by_id
               OR a.decided_by_id = a.asked_by_id OR a.change->>'number' <> r.number
               OR (a.change->>'goods')::numeric <> r.goods OR (a.change->>'postage')::numeric <> r.postage""",
    ),
    "tiers_by_hand_were_given_by_two_people": (
        "15",
        # An end by hand as well: what ends otherwise is the gift of a grant that was withdrawn, or the tier
        # of an old system that was taken back (law 18).
        """SELECT t.id AS tier_event, t.kind, t.wallet_id AS wallet, t.tier, t.actor_id AS maker,
                  a.id AS approval, a.state
             FROM loyalty_tierevent t
             JOIN loyalty_wallet w ON w.id = t.wallet_id
             LEFT JOIN privacy_approval a ON a.id = (t.why->>'approval')::bigint
            WHERE (t.kind IN ('floor', 'invitation')
                   OR t.kind = 'end' AND NOT starts_with(t.cause, 'end:grant:')
                      AND NOT starts_with(t.cause, 'end:legacy:'))
              AND (a.id IS NULL OR a.kind <> 'tiers.set' OR a.state <> 'approved'
                   OR a.asked_by_id IS DISTINCT FROM t.actor_id
                   OR a.decided_by_id IS NULL OR a.decided_by_id = a.asked_by_id
                   OR (a.change->>'member_id')::bigint <> w.member_id OR a.change->>'tier' <> t.tier
                   OR (a.change->>'ends')::bigint IS DISTINCT FROM t.ends_id
                   OR (a.change->>'until')::timestamptz IS DISTINCT FROM t.ends_at
                   OR (a.result->>'event_id')::bigint IS DISTINCT FROM t.id
                   OR EXISTS (SELECT FROM privacy_staffprofile s
                               WHERE s.user_id = a.decided_by_id AND s.member_id = w.member_id))""",
    ),
    "approved_tiers_were_given_once": (
        "15",
        """SELECT a.id AS approval, a.state, count(t.id) AS events
             FROM privacy_approval a
             LEFT JOIN loyalty_tierevent t ON (t.why->>'approval')::bigint = a.id
            WHERE a.kind = 'tiers.set'
            GROUP BY a.id HAVING count(t.id) <> CASE WHEN a.state = 'approved' THEN 1 ELSE 0 END""",
    ),
}
