"""Law 12: shelves hold what their moves say, claims cost what they say and end where they say."""

LAWS: dict[str, tuple[str, str]] = {
    "shelf_stock_is_sum_of_its_moves": (
        "12",
        """SELECT s.id AS shelf, s.reward, s.sale, s.stock, coalesce(m.change, 0) AS moves
             FROM loyalty_shelf s
             LEFT JOIN (SELECT shelf_id, sum(change) AS change FROM loyalty_shelfmove GROUP BY shelf_id) AS m
               ON m.shelf_id = s.id
            WHERE coalesce(s.stock, 0) <> coalesce(m.change, 0)""",
    ),
    "shelf_taken_is_its_claims": (
        "12",
        """SELECT s.id AS shelf, s.reward, s.sale, s.taken, count(c.id) AS claims
             FROM loyalty_shelf s LEFT JOIN loyalty_claim c ON c.shelf_id = s.id
            GROUP BY s.id HAVING s.taken <> count(c.id)""",
    ),
    "claim_stands_where_its_history_ends": (
        "12",
        """SELECT c.id AS claim, c.state, c.steps, m.state AS last, m.position, m.moves
             FROM loyalty_claim c
             LEFT JOIN (SELECT claim_id, count(*) AS moves, max(position) AS position,
                               (array_agg(state ORDER BY position DESC))[1] AS state
                          FROM loyalty_claimmove GROUP BY claim_id) AS m ON m.claim_id = c.id
            WHERE c.steps <> coalesce(m.moves, 0) OR c.steps <> coalesce(m.position, 0)
               OR c.state <> coalesce(m.state, '')""",
    ),
    "claim_history_is_possible": (
        "12",
        """SELECT claim_id AS claim, position, before, state
             FROM (SELECT claim_id, position, state,
                          lag(state, 1, '') OVER (PARTITION BY claim_id ORDER BY position) AS before
                     FROM loyalty_claimmove) AS m
            WHERE before IN ('done', 'cancelled')
               OR position = 1 AND state NOT IN ('waiting', 'claimed', 'done')
               OR before = 'waiting' AND state NOT IN ('claimed', 'cancelled')
               OR before = 'shipped' AND state <> 'done'""",
    ),
    "claim_cost_what_it_says": (
        "12",
        """SELECT c.id AS claim, c.points, e.id AS entry, e.kind, e.points AS posted
             FROM loyalty_claim c
             LEFT JOIN loyalty_entry e ON e.id = c.entry_id
             LEFT JOIN loyalty_wallet w ON w.id = e.wallet_id
            WHERE c.points <> coalesce(-e.points, 0)
               OR e.kind <> 'redeem' OR e.cause <> 'claim:' || c.cause OR w.member_id <> c.member_id""",
    ),
    "cancelled_claims_were_paid_back": (
        "12",
        """SELECT c.id AS claim, c.state, c.points, coalesce(e.points, 0) AS given_back
             FROM loyalty_claim c
             LEFT JOIN loyalty_entry e ON e.kind = 'give_back' AND e.cause = 'claim:' || c.cause
            WHERE coalesce(e.points, 0) <> CASE WHEN c.state = 'cancelled' THEN c.points ELSE 0 END""",
    ),
    "shelves_are_not_oversold": (
        "12",
        """SELECT id AS shelf, reward, sale, stock, taken FROM loyalty_shelf WHERE taken > stock""",
    ),
    "claims_stay_within_the_limit_of_a_member": (
        "12",
        """SELECT id AS claim, reward, sale, member, member_number, per_member, claims
             FROM (SELECT id, reward, sale, member_id AS member, member_number, per_member,
                          count(member_number) OVER (PARTITION BY reward, sale, member_id, member_number)
                              AS claims
                     FROM loyalty_claim WHERE member_number IS NOT NULL) AS c
            WHERE member_number < 1 OR member_number > per_member OR claims > 1""",
    ),
}
