"""Wallets are opened by one call of the server and what moved is written by one, with plans that are kept.

Each statement that takes arrays was planned anew whenever it ran: PostgreSQL takes an array that it does not
know for ten rows, so that a plan made for the one row of a redemption always looked cheaper than the kept
one, and planning was a third of the server's part. These functions say that the kept plan is to be taken:
it finds rows by their keys, which is right for one row and for a thousand.

Rows are read from their arrays by their places. Through `unnest` each array became a table of its own first,
forty-seven of them for one redemption; now `loyalty_append` also tells the channels in the same call.
"""

from importlib import import_module

from django.db import migrations

# The wallets of these members and of whoever is the same person, and those that paid, in the order of ids.
LOCK = """
CREATE FUNCTION loyalty_lock(members bigint[], payments text[])
RETURNS bigint[] LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    wallets bigint[];
BEGIN
    IF cardinality(payments) > 0 THEN
        SELECT array_agg(e.wallet_id) INTO wallets
          FROM loyalty_entry e WHERE e.kind = 'redeem' AND e.cause = ANY(payments);
    END IF;
    SELECT coalesce(array_agg(locked.id), '{}') INTO wallets
      FROM (SELECT w.id FROM loyalty_wallet w
             WHERE w.member_id = ANY(members) OR w.id = ANY(wallets)
                OR w.person_id = ANY(ARRAY(SELECT k.person_id FROM loyalty_wallet k
                                            WHERE k.member_id = ANY(members) AND k.person_id IS NOT NULL))
             ORDER BY w.id FOR NO KEY UPDATE) AS locked;
    RETURN wallets;
END $$;
"""

# Wallets with their lots, one row for each lot or one without; and what time it was after the locks.
# Of wallets that will only be added to, and owe and hold nothing, the lots are left out.
READ = """
CREATE FUNCTION loyalty_read(wallets bigint[], only_earning bigint[], orders bigint[])
RETURNS TABLE (
    recorded timestamptz, shift interval, is_whole boolean,
    id bigint, member_id bigint, balance bigint, held bigint, debt bigint, version int, head bytea,
    tier varchar, tier_since timestamptz, tier_until timestamptz, tier_steps int, person_id bigint,
    lot_id bigint, lot_order_id bigint, lot_earned bigint, lot_remaining bigint, lot_held bigint,
    lot_expired bigint, lot_earned_at timestamptz, lot_available_from timestamptz,
    lot_expires_at timestamptz
) LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
DECLARE
    now timestamptz := clock_timestamp();
    later interval := (SELECT c.shift FROM loyalty_clockshift c);
BEGIN
    RETURN QUERY
    WITH w AS MATERIALIZED (
        SELECT *, k.debt > 0 OR k.held > 0 OR k.person_id IS NOT NULL
                  OR k.member_id NOT IN (SELECT unnest(only_earning)) AS is_whole
          FROM loyalty_wallet k WHERE k.id = ANY(wallets)
    )
    SELECT now, later, w.is_whole, w.id, w.member_id, w.balance, w.held, w.debt, w.version, w.head,
           w.tier, w.tier_since, w.tier_until, w.tier_steps, w.person_id,
           l.id, l.order_id, l.earned, l.remaining, l.held, l.expired, l.earned_at, l.available_from,
           l.expires_at
      -- Asked so, the lots of the others are not even looked up.
      FROM w LEFT JOIN loyalty_lot l ON l.wallet_id = CASE WHEN w.is_whole THEN w.id END AND l.remaining > 0
     ORDER BY w.id, l.id;

    IF cardinality(orders) > 0 THEN
        RETURN QUERY
        SELECT now, later, true, w.id, w.member_id, w.balance, w.held, w.debt, w.version, w.head,
               w.tier, w.tier_since, w.tier_until, w.tier_steps, w.person_id,
               l.id, l.order_id, l.earned, l.remaining, l.held, l.expired, l.earned_at, l.available_from,
               l.expires_at
          FROM loyalty_lot l JOIN loyalty_wallet w ON w.id = l.wallet_id
         WHERE l.order_id = ANY(orders) AND l.remaining = 0 AND l.wallet_id = ANY(wallets)
         ORDER BY l.id;
    END IF;
END $$;
"""

# The open holds of wallets, with the lots that they set aside.
HOLDS = """
CREATE FUNCTION loyalty_holds(wallets bigint[])
RETURNS TABLE (
    hold_id bigint, wallet_id bigint, points bigint, expires_at timestamptz, cause varchar, reason varchar,
    channel_id bigint, lot_id bigint, part bigint
) LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT h.id, h.wallet_id, h.points, h.expires_at, h.cause, h.reason, h.channel_id, p.lot_id, p.points
      FROM loyalty_hold h JOIN loyalty_holdlot p ON p.hold_id = h.id
     WHERE h.wallet_id = ANY(wallets) AND h.state = 'open' ORDER BY h.id, p.id;
END $$;
"""

APPEND = """
CREATE FUNCTION loyalty_append(
    now timestamptz,
    entry_wallets bigint[], entry_versions int[], entry_kinds text[], entry_points bigint[],
    entry_balances bigint[], entry_debts bigint[], entry_causes text[], entry_reasons text[],
    entry_whys text[], entry_channels bigint[], entry_stores bigint[], entry_orders bigint[],
    entry_actors int[], entry_programmes bigint[], entry_times timestamptz[], entry_hashes bytea[],
    lot_ids bigint[], lot_wallets bigint[], lot_orders bigint[], lots_earned bigint[],
    lots_remaining bigint[], lots_held bigint[], lots_expired bigint[], lots_earned_at timestamptz[],
    lots_available_from timestamptz[], lots_expires_at timestamptz[],
    move_entries int[], move_lots int[], move_points bigint[],
    wallet_ids bigint[], wallet_balances bigint[], wallets_held bigint[], wallet_debts bigint[],
    wallet_versions int[], wallet_heads bytea[], wallet_tiers text[], wallets_tier_since timestamptz[],
    wallets_tier_until timestamptz[], wallets_tier_steps int[],
    told_topics text[], told_changes text[], told_members bigint[], told_channels bigint[],
    told_payloads text[],
    rest jsonb
) RETURNS jsonb LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    entry_ids bigint[];
    all_lot_ids bigint[];
    hold_ids bigint[] := '{}';
    broken text;
BEGIN
    -- Rows name each other by their place in their arrays; a place becomes an id here.
    entry_ids := ARRAY(SELECT nextval('loyalty_entry_id_seq') FROM generate_subscripts(entry_wallets, 1));
    all_lot_ids := ARRAY(SELECT coalesce(lot_ids[n], nextval('loyalty_lot_id_seq'))
                           FROM generate_subscripts(lot_ids, 1) AS n);

    IF cardinality(entry_ids) > 0 THEN
        INSERT INTO loyalty_entry (id, wallet_id, version, kind, points, balance_after, debt_after, cause,
                                   reason, why, channel_id, store_id, order_id, actor_id, programme_id,
                                   happened_at, recorded_at, hash)
        OVERRIDING SYSTEM VALUE
        SELECT entry_ids[n], entry_wallets[n], entry_versions[n], entry_kinds[n], entry_points[n],
               entry_balances[n], entry_debts[n], entry_causes[n], entry_reasons[n], entry_whys[n]::jsonb,
               entry_channels[n], entry_stores[n], entry_orders[n], entry_actors[n], entry_programmes[n],
               entry_times[n], now, entry_hashes[n]
          FROM generate_subscripts(entry_ids, 1) AS n;
    END IF;

    IF cardinality(lot_ids) > 0 THEN
        INSERT INTO loyalty_lot (id, wallet_id, order_id, earned, remaining, held, expired,
                                 earned_at, available_from, expires_at)
        OVERRIDING SYSTEM VALUE
        SELECT all_lot_ids[n], lot_wallets[n], lot_orders[n], lots_earned[n], lots_remaining[n], lots_held[n],
               lots_expired[n], lots_earned_at[n], lots_available_from[n], lots_expires_at[n]
          FROM generate_subscripts(lot_ids, 1) AS n WHERE lot_ids[n] IS NULL;

        UPDATE loyalty_lot AS lot
           SET remaining = lots_remaining[n], held = lots_held[n], expired = lots_expired[n],
               available_from = lots_available_from[n]
          FROM generate_subscripts(lot_ids, 1) AS n
         WHERE lot.id = lot_ids[n];
    END IF;

    IF cardinality(move_entries) > 0 THEN
        INSERT INTO loyalty_lotmove (entry_id, lot_id, points)
        SELECT entry_ids[move_entries[n]], all_lot_ids[move_lots[n]], move_points[n]
          FROM generate_subscripts(move_entries, 1) AS n;
    END IF;

    IF jsonb_array_length(rest->'holds') > 0 THEN
        hold_ids := ARRAY(SELECT coalesce((h.hold->>'id')::bigint, nextval('loyalty_hold_id_seq'))
                            FROM jsonb_array_elements(rest->'holds') WITH ORDINALITY AS h(hold, place)
                           ORDER BY h.place);

        INSERT INTO loyalty_hold AS hold (id, wallet_id, channel_id, cause, reason, points, captured, state,
                                          expires_at, created_at, ended_at, entry_id)
        OVERRIDING SYSTEM VALUE
        SELECT hold_ids[place], wallet_id, channel_id, cause, reason, points, captured, state,
               expires_at, now, ended_at, entry_ids[entry]
          FROM ROWS FROM (jsonb_to_recordset(rest->'holds') AS (
               wallet_id bigint, channel_id bigint, cause text, reason text, points bigint,
               captured bigint, state text, expires_at timestamptz, ended_at timestamptz, entry int))
               WITH ORDINALITY AS h(wallet_id, channel_id, cause, reason, points, captured, state,
               expires_at, ended_at, entry, place)
            ON CONFLICT (id) DO UPDATE
           SET captured = excluded.captured, state = excluded.state,
               ended_at = excluded.ended_at, entry_id = excluded.entry_id;

        INSERT INTO loyalty_holdlot (hold_id, lot_id, points)
        SELECT hold_ids[hold], all_lot_ids[lot], points
          FROM jsonb_to_recordset(rest->'parts') AS p(hold int, lot int, points bigint);
    END IF;

    IF jsonb_array_length(rest->'uses') > 0 THEN
        INSERT INTO loyalty_ruleuse (rule, wallet_id, entry_id, day, points)
        SELECT rule, wallet_id, entry_ids[entry], day, points
          FROM jsonb_to_recordset(rest->'uses') AS u(
               rule text, wallet_id bigint, entry int, day date, points bigint);
    END IF;

    UPDATE loyalty_wallet AS wallet
       SET balance = wallet_balances[n], held = wallets_held[n], debt = wallet_debts[n],
           version = wallet_versions[n], head = wallet_heads[n], tier = wallet_tiers[n],
           tier_since = wallets_tier_since[n], tier_until = wallets_tier_until[n],
           tier_steps = wallets_tier_steps[n]
      FROM generate_subscripts(wallet_ids, 1) AS n
     WHERE wallet.id = wallet_ids[n];

    IF cardinality(told_topics) > 0 THEN
        PERFORM members_tell(told_topics, told_changes, told_members, told_channels, told_payloads);
    END IF;

    RETURN jsonb_build_object('entries', entry_ids, 'lots', all_lot_ids, 'holds', hold_ids);
EXCEPTION WHEN unique_violation THEN
    -- A cause that was counted before is an answer, not a fault; anything else is.
    GET STACKED DIAGNOSTICS broken = CONSTRAINT_NAME;
    IF broken IN ('points_entry_once_per_cause', 'points_hold_once_per_cause') THEN
        RETURN NULL;
    END IF;
    RAISE;
END $$;
"""
APPEND_BEFORE: str = import_module("loyalty.migrations.0006_points_are_appended_by_column").APPEND


class Migration(migrations.Migration):
    dependencies = [
        ("loyalty", "0018_withdrawals_of_coupon_batches"),
        ("members", "0021_changes_are_told_by_one_call"),
    ]

    operations = [
        migrations.RunSQL("DROP FUNCTION loyalty_append", APPEND_BEFORE),
        migrations.RunSQL(APPEND, "DROP FUNCTION loyalty_append"),
        migrations.RunSQL(LOCK, "DROP FUNCTION loyalty_lock"),
        migrations.RunSQL(READ, "DROP FUNCTION loyalty_read"),
        migrations.RunSQL(HOLDS, "DROP FUNCTION loyalty_holds"),
    ]
