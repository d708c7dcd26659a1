"""The laws in words, as the console and `audit_ledger` say them; their numbers are those of ledger.md."""

from django.utils.translation import gettext_lazy as _

LAWS = {
    "1": _("A balance is the sum of its entries, without gap or fork."),
    "2": _("Debts are as they were last written, and points that can be spent pay them first."),
    "3": _("Lots are the sum of their moves, and lots less debt are the balance."),
    "4": _("What an order earned stands in proportion; nothing is reversed beyond what it was."),
    "5": _("Points set aside agree with the lots and wallets they are of."),
    "6": _(
        "Everything issued less everything used is everything outstanding, in all and by the month of expiry."
    ),
    "7": _("The closing of each day says what the entries say as of then."),
    "8": _("Every tier is the one that history makes, step by step."),
    "9": _("A coupon is used once, and no campaign issues more than its quota."),
    "10": _("Every change was told to the channels exactly once."),
    "11": _("Entries are chained by hash, and the chains pass through every anchor."),
    "12": _("Shelves hold what was put on them, and claims cost what they say."),
    "13": _("Every grant is what it says, and is given once; nothing is given without one."),
    "14": _("Friends count once, in their order, for a purchase that was kept."),
    "15": _("What needs two people was approved by two, and carried out once."),
    "16": _("No budget was overspent, and nothing was had more often than its terms allow."),
    "17": _("Merged members have their points and their tier together, and nothing was lost between them."),
    "18": _("What came from an old system is what its package says, and went back once."),
}

# Each check of a law, by its name.
CHECKS = {
    "balance_is_sum_of_entries": _("A wallet's balance is the sum of its entries."),
    "running_balances_chain": _("Each entry's balance follows from the one before."),
    "debt_is_as_last_written": _("A wallet owes what its last entry says."),
    "available_points_pay_debt_first": _("Nothing that can be spent is left beside a debt."),
    "lot_is_sum_of_its_moves": _("What is left of a lot is the sum of its moves."),
    "lots_less_debt_are_the_balance": _("A wallet's lots less its debt are its balance."),
    "moves_are_their_entry": _("The moves of an entry add up to it."),
    "holds_are_set_aside": _("A lot has set aside what its open holds say."),
    "hold_parts_are_the_hold": _("A hold is the sum of its parts, and was captured as its entry says."),
    "wallet_holds_add_up": _("A wallet has set aside what its open holds say."),
    "order_earnings_stand": _("The entries of an order add up to what stands of it."),
    "order_points_in_proportion": _("What stays of an order's points is in proportion to what was kept."),
    "given_back_no_more_than_spent": _("No more points are given back to an order than it was paid with."),
    "corrections_reverse_no_more_than_was": _("Corrections reverse no more than the entry they name."),
    "order_growth_in_proportion": _("An order brings growth value for what of it was kept."),
    "issued_less_used_is_outstanding": _("What was issued less what was used is outstanding."),
    "each_month_of_expiry_is_outstanding": _("The same holds for the points of each month of expiry."),
    "points_lapsed_when_their_lot_did": _("Points lapsed when their lot did."),
    "closings_are_what_entries_say": _("The balances of each closing are those of the entries."),
    "tier_path_is_unbroken": _("Each step of a tier path begins where the one before ended."),
    "tier_is_where_the_path_ends": _("A member's tier is where the path ends."),
    "tiers_are_what_history_makes_them": _("Tiers made again from history are those that are stored."),
    "coupons_within_quota_and_limit": _("No coupon is beyond its campaign's quota or its member's limit."),
    "coupon_numbers_are_given_once": _("No two coupons of a campaign have the same number."),
    "coupon_is_used_at_most_once": _("A coupon is used at most once at a time."),
    "coupon_stands_where_its_history_ends": _("A coupon stands where its history ends."),
    "coupon_history_is_possible": _("The steps of a coupon are possible."),
    "coupon_uses_are_in_its_history": _("The uses of a coupon are in its history."),
    "coupon_batches_add_up": _("A batch made as many coupons as it says."),
    "each_coupon_change_was_told_once": _("Each change of a coupon was told once."),
    "each_entry_was_told_once": _("Each entry was told once."),
    "each_tier_change_was_told_once": _("Each step of a tier was told once."),
    "each_order_revision_was_told_once": _("Each revision of an order was told once."),
    "each_claim_step_was_told_once": _("Each step of a claim was told once."),
    "entries_are_chained_by_hash": _("Each entry's hash follows from the one before."),
    "wallet_ends_its_chain": _("A wallet's chain ends where the wallet says."),
    "chains_pass_through_their_anchors": _("Today's chains pass through every anchor."),
    "shelf_stock_is_sum_of_its_moves": _("A shelf's stock is what was put on it and taken off."),
    "shelf_taken_is_its_claims": _("As many pieces are taken as claims stand on the shelf."),
    "claim_stands_where_its_history_ends": _("A claim stands where its history ends."),
    "claim_history_is_possible": _("The steps of a claim are possible."),
    "claim_cost_what_it_says": _("A claim cost what it says."),
    "cancelled_claims_were_paid_back": _("Cancelled claims were paid back, and no others."),
    "shelves_are_not_oversold": _("No shelf gave out more than it had."),
    "claims_stay_within_the_limit_of_a_member": _("Nobody claimed a reward more often than they may."),
    "grant_points_are_their_entry": _("Points that were granted are an entry."),
    "points_given_have_their_grant": _("Points that were given have a grant."),
    "withdrawn_points_were_taken_back_once": _("Points of a withdrawn grant were taken back, once."),
    "an_occasion_gives_a_thing_once": _("An occasion gives a thing once."),
    "grant_coupons_and_gifts_are_there": _("Coupons and gifts that were granted are there."),
    "grants_are_named_by_their_occasion": _("A grant is named by its occasion, and no two alike."),
    "grant_growth_and_tiers_are_there": _("Growth value and tiers that were granted are there."),
    "withdrawn_growth_and_tiers_were_taken_back": _(
        "Growth value and tiers of a withdrawn grant were taken back."
    ),
    "nothing_is_given_without_its_grant": _(
        "No coupon, gift, growth value or tier was given without a grant."
    ),
    "a_streak_has_its_day_before": _("A streak of check-ins has its day before."),
    "a_check_in_is_an_activity": _("A check-in is an activity of its day."),
    "friends_that_count_are_numbered": _("Friends who count are numbered without a gap."),
    "friends_that_count_kept_a_purchase": _("Friends who count kept a purchase."),
    "approved_adjustments_are_what_two_people_approved": _(
        "Adjustments above the limit are what a second person approved."
    ),
    "adjustments_alone_stay_within_the_limit": _("Adjustments by one person alone stay within the limit."),
    "approved_requests_were_carried_out_once": _("An approved adjustment was carried out once."),
    "refunds_by_staff_were_approved_by_two_people": _(
        "Refunds above the limit are what a second person approved."
    ),
    "tiers_by_hand_were_given_by_two_people": _(
        "Tiers given or ended by hand are what a second person approved."
    ),
    "approved_tiers_were_given_once": _("An approved tier was given once."),
    "rules_stay_within_their_limits": _("No rule gave more than its budget and its caps."),
    "rule_uses_are_what_entries_say": _(
        "What is counted against a rule's limits is what entries say it added."
    ),
    "benefits_stay_within_the_terms_of_their_tier": _(
        "No benefit was had more often than the tier's terms allow."
    ),
    "activities_stay_within_the_limit_of_a_day": _("No activity counts more often than a day allows."),
    "wallets_are_linked_as_merges_say": _("Wallets are linked as the merges of their members say."),
    "linked_wallets_show_one_tier": _("Linked wallets show the tier of the survivor."),
    "available_points_pay_the_debts_of_the_person": _(
        "Nothing that can be spent is left beside a debt of the same person."
    ),
    "what_moved_out_moved_in": _("What moved out of a wallet moved into another of the same person."),
    "undone_merges_left_nothing_spent_across": _(
        "What was spent across wallets went back when the merge was undone."
    ),
    "brought_points_are_what_their_package_says": _(
        "Points brought from an old system are what a row of its package says, and no row says more."
    ),
    "brought_lots_last_as_they_were_told": _("A lot of an old system was earned and expires as it was told."),
    "points_of_a_package_were_taken_back_once": _(
        "Of a package that was taken back, each lot's points were taken back once."
    ),
    "brought_growth_is_what_its_package_says": _(
        "Growth value brought from an old system, and taken back, is what its package says."
    ),
    "brought_tiers_are_what_their_package_says": _(
        "Tiers brought from an old system, and their ends, are what its package says."
    ),
    "brought_coupons_are_what_their_package_says": _(
        "Coupons brought from an old system, and withdrawn again, are what its package says."
    ),
}
