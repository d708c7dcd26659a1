"""Entries, lots, moves and wallets come to `loyalty_append` as columns, one array each.

As rows of a JSON document they took half as long again: each field of each row was looked up in the
document and read as text. Holds and uses of rules are few, and stay a document.

A wallet is written with each of its entries, and none of its indexed columns changes then. Pages that are
not filled to the brim keep the new row beside the old one, so that its four indexes are left alone.
"""

from importlib import import_module

from django.db import migrations

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
    rest jsonb
) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    entry_ids bigint[];
    all_lot_ids bigint[];
    hold_ids bigint[];
    broken text;
BEGIN
    -- Rows name each other by their place in their arrays; a place becomes an id here.
    SELECT coalesce(array_agg(nextval('loyalty_entry_id_seq')), '{}') INTO entry_ids
      FROM unnest(entry_wallets);
    SELECT coalesce(array_agg(coalesce(id, nextval('loyalty_lot_id_seq')) ORDER BY place), '{}')
      INTO all_lot_ids FROM unnest(lot_ids) WITH ORDINALITY AS l(id, place);
    SELECT coalesce(array_agg(coalesce((h.hold->>'id')::bigint, nextval('loyalty_hold_id_seq'))
                              ORDER BY h.place), '{}')
      INTO hold_ids FROM jsonb_array_elements(rest->'holds') WITH ORDINALITY AS h(hold, place);

    INSERT INTO loyalty_entry (id, wallet_id, version, kind, points, balance_after, debt_after, cause, reason,
                               why, channel_id, store_id, order_id, actor_id, programme_id,
                               happened_at, recorded_at, hash)
    OVERRIDING SYSTEM VALUE
    SELECT e.id, e.wallet_id, e.version, e.kind, e.points, e.balance_after, e.debt_after, e.cause, e.reason,
           e.why::jsonb, e.channel_id, e.store_id, e.order_id, e.actor_id, e.programme_id,
           e.happened_at, now, e.hash
      FROM unnest(entry_ids, entry_wallets, entry_versions, entry_kinds, entry_points, entry_balances,
                  entry_debts, entry_causes, entry_reasons, entry_whys, entry_channels, entry_stores,
                  entry_orders, entry_actors, entry_programmes, entry_times, entry_hashes)
           AS e(id, wallet_id, version, kind, points, balance_after, debt_after, cause, reason, why,
                channel_id, store_id, order_id, actor_id, programme_id, happened_at, hash);

    INSERT INTO loyalty_lot (id, wallet_id, order_id, earned, remaining, held, expired,
                             earned_at, available_from, expires_at)
    OVERRIDING SYSTEM VALUE
    SELECT l.id, l.wallet_id, l.order_id, l.earned, l.remaining, l.held, l.expired,
           l.earned_at, l.available_from, l.expires_at
      FROM unnest(all_lot_ids, lot_ids, lot_wallets, lot_orders, lots_earned, lots_remaining, lots_held,
                  lots_expired, lots_earned_at, lots_available_from, lots_expires_at)
           AS l(id, known_id, wallet_id, order_id, earned, remaining, held, expired,
                earned_at, available_from, expires_at)
     WHERE l.known_id IS NULL;

    UPDATE loyalty_lot AS lot
       SET remaining = l.remaining, held = l.held, expired = l.expired, available_from = l.available_from
      FROM unnest(lot_ids, lots_remaining, lots_held, lots_expired, lots_available_from)
           AS l(known_id, remaining, held, expired, available_from)
     WHERE lot.id = l.known_id;

    INSERT INTO loyalty_lotmove (entry_id, lot_id, points)
    SELECT entry_ids[m.entry], all_lot_ids[m.lot], m.points
      FROM unnest(move_entries, move_lots, move_points) AS m(entry, lot, points);

    IF cardinality(hold_ids) > 0 THEN
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
       SET balance = w.balance, held = w.held, debt = w.debt, version = w.version, head = w.head,
           tier = w.tier, tier_since = w.tier_since, tier_until = w.tier_until, tier_steps = w.tier_steps
      FROM unnest(wallet_ids, wallet_balances, wallets_held, wallet_debts, wallet_versions, wallet_heads,
                  wallet_tiers, wallets_tier_since, wallets_tier_until, wallets_tier_steps)
           AS w(id, balance, held, debt, version, head, tier, tier_since, tier_until, tier_steps)
     WHERE wallet.id = w.id;

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
APPEND_BEFORE: str = import_module("loyalty.migrations.0002_points_are_appended").APPEND


class Migration(migrations.Migration):
    dependencies = [("loyalty", "0005_what_an_entry_looks_up")]

    operations = [
        migrations.RunSQL("DROP FUNCTION loyalty_append(jsonb)", APPEND_BEFORE),
        migrations.RunSQL(APPEND, "DROP FUNCTION loyalty_append"),
        migrations.RunSQL(
            "ALTER TABLE loyalty_wallet SET (fillfactor = 70)",
            "ALTER TABLE loyalty_wallet RESET (fillfactor)",
        ),
    ]
