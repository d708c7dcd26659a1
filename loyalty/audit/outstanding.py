"""Law 6: what was issued, less what was used, lapsed or taken back, is what is outstanding.

A lot says by itself how much was issued, has lapsed and is left; its moves say by which entries it went.
Nothing is forfeited and no debt written off but by such entries, so there is no third way out.
"""

# A lot's month is that of the last day on which it can be spent, by the newest version's zone.
_MONTH = """date_trunc('month', (l.expires_at - interval '1 microsecond') AT TIME ZONE
                      coalesce((SELECT document->>'time_zone' FROM loyalty_programmeversion
                                 WHERE state = 'published' ORDER BY number DESC LIMIT 1), 'Asia/Shanghai'))"""

LAWS: dict[str, tuple[str, str]] = {
    "issued_less_used_is_outstanding": (
        "6",
        """SELECT i.issued, i.redeemed, i.taken_back, i.expired, i.adjusted, i.moved, i.entries, o.lots,
                  o.debt
             FROM (SELECT coalesce(sum(points), 0) AS entries,
                          sum(points) FILTER (WHERE kind IN ('earn', 'open')) AS issued,
                          -sum(points) FILTER (WHERE kind IN ('redeem', 'give_back')) AS redeemed,
                          -sum(points) FILTER (WHERE kind = 'take_back') AS taken_back,
                          -sum(points) FILTER (WHERE kind = 'expire') AS expired,
                          sum(points) FILTER (WHERE kind = 'adjust') AS adjusted,
                          sum(points) FILTER (WHERE kind IN ('move_out', 'move_in')) AS moved
                     FROM loyalty_entry) AS i,
                  (SELECT (SELECT coalesce(sum(remaining), 0) FROM loyalty_lot) AS lots,
                          (SELECT coalesce(sum(debt), 0) FROM loyalty_wallet) AS debt) AS o
            WHERE i.entries <> o.lots - o.debt OR i.moved <> 0""",
    ),
    "each_month_of_expiry_is_outstanding": (
        "6",
        # What was given back to a lot that had lapsed was issued anew, as a lot of a later month.
        f"""SELECT to_char(coalesce(l.month, m.month), 'YYYY-MM') AS month, m.issued, m.redeemed,
                  m.given_back, m.moved, l.expired, m.taken_back, l.outstanding
             FROM (SELECT {_MONTH} AS month, sum(l.expired) AS expired, sum(l.remaining) AS outstanding
                     FROM loyalty_lot l GROUP BY 1) AS l
             FULL JOIN (SELECT {_MONTH} AS month,
                               sum(m.points) FILTER (WHERE e.kind IN ('earn', 'open') OR e.kind = 'adjust'
                                                                          AND m.points > 0) AS issued,
                               -sum(m.points) FILTER (WHERE e.kind = 'redeem') AS redeemed,
                               sum(m.points) FILTER (WHERE e.kind = 'give_back') AS given_back,
                               sum(m.points) FILTER (WHERE e.kind IN ('move_out', 'move_in')) AS moved,
                               -sum(m.points) FILTER (WHERE e.kind IN ('take_back', 'settle')
                                                         OR e.kind = 'adjust' AND m.points < 0) AS taken_back
                          FROM loyalty_lotmove m JOIN loyalty_entry e ON e.id = m.entry_id
                          JOIN loyalty_lot l ON l.id = m.lot_id
                         GROUP BY 1) AS m ON coalesce(m.month, 'infinity') = coalesce(l.month, 'infinity')
            WHERE coalesce(l.outstanding, 0) <>
                  coalesce(m.issued, 0) - coalesce(m.redeemed, 0) + coalesce(m.given_back, 0)
                  + coalesce(m.moved, 0)
                  - coalesce(l.expired, 0) - coalesce(m.taken_back, 0)""",
    ),
    "points_lapsed_when_their_lot_did": (
        "6",
        # A lot that is made to end earlier or later than it was issued for does not fit what lapsed of it.
        """SELECT l.id AS lot, l.wallet_id AS wallet, l.expired, coalesce(e.lapsed, 0) AS lapsed,
                  l.expires_at AS lapses, e.happened
             FROM loyalty_lot l
             LEFT JOIN (SELECT m.lot_id, -sum(m.points) AS lapsed, max(e.happened_at) AS happened,
                               min(e.happened_at) AS first
                          FROM loyalty_entry e JOIN loyalty_lotmove m ON m.entry_id = e.id
                         WHERE e.kind = 'expire' GROUP BY m.lot_id) AS e ON e.lot_id = l.id
            WHERE l.expired <> coalesce(e.lapsed, 0)
               OR e.lot_id IS NOT NULL
                  AND (l.expires_at IS DISTINCT FROM e.first OR l.expires_at IS DISTINCT FROM e.happened)""",
    ),
}
