"""Law 7: what the closing of a day wrote down is what the entries say as of that instant."""

LAWS: dict[str, tuple[str, str]] = {
    "closings_are_what_entries_say": (
        "7",
        # An entry belongs to the first closing that is not before it; of each wallet the last one there
        # counts. Recorded times are whole microseconds: one less, and an entry of the instant itself is in.
        """WITH closings AS (SELECT coalesce(array_agg(as_of ORDER BY as_of), '{}') AS instants,
                                   coalesce(array_agg(id ORDER BY as_of), '{}') AS ids FROM loyalty_closing),
                ends AS (SELECT wallet_id, version, balance_after, debt_after,
                                (SELECT ids FROM closings)[place + 1] AS closing_id
                           FROM (SELECT *, lead(place) OVER (PARTITION BY wallet_id ORDER BY version) AS next
                                   FROM (SELECT wallet_id, version, balance_after, debt_after,
                                                width_bucket(recorded_at - interval '1 microsecond',
                                                             (SELECT instants FROM closings)) AS place
                                           FROM loyalty_entry) AS placed) AS followed
                          WHERE next IS DISTINCT FROM place
                            AND place < cardinality((SELECT ids FROM closings)))
           SELECT coalesce(c.closing_id, e.closing_id) AS closing,
                  coalesce(c.wallet_id, e.wallet_id) AS wallet,
                  c.version, e.version AS written, c.balance, e.balance_after AS entries,
                  c.debt, e.debt_after
             FROM ends AS e
             FULL JOIN loyalty_closingbalance c ON c.wallet_id = e.wallet_id AND c.closing_id = e.closing_id
            WHERE (c.version, c.balance, c.debt)
                  IS DISTINCT FROM (e.version, e.balance_after, e.debt_after)""",
    ),
}
