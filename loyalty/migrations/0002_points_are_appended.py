"""Entries, moves and tier changes are forever, and one function writes a whole batch of them.

The function only writes what `loyalty.ledger.append` decided: the rules are there and in the constraints.
One call is one round trip, and PL/pgSQL keeps the plans of its statements.
"""

from django.db import migrations

from privacy.appendonly import append_only

APPEND = """
CREATE FUNCTION loyalty_append(document jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    now timestamptz := document->>'recorded_at';
    entry_ids bigint[];
    lot_ids bigint[];
    hold_ids bigint[];
    broken text;
BEGIN
    -- Rows name each other by their place in the document; a place becomes an id here.
    SELECT coalesce(array_agg(nextval('loyalty_entry_id_seq')), '{}') INTO entry_ids
      FROM jsonb_array_elements(document->'entries');
    SELECT coalesce(array_agg(coalesce((lot->>'id')::bigint, nextval('loyalty_lot_id_seq')) ORDER BY place), '{}')
      INTO lot_ids FROM jsonb_array_elements(document->'lots') WITH ORDINALITY AS l(lot, place);
    SELECT coalesce(array_agg(coalesce((hold->>'id')::bigint, nextval('loyalty_hold_id_seq')) ORDER BY place), '{}')
      INTO hold_ids FROM jsonb_array_elements(document->'holds') WITH ORDINALITY AS h(hold, place);

    INSERT INTO loyalty_entry (id, wallet_id, version, kind, points, balance_after, debt_after, cause, reason,
                               why, channel_id, store_id, order_id, actor_id, programme_id,
                               happened_at, recorded_at, hash)
    OVERRIDING SYSTEM VALUE
    SELECT entry_ids[place], wallet_id, version, kind, points, balance_after, debt_after, cause, reason,
           why, channel_id, store_id, order_id, actor_id, programme_id,
           happened_at, now, decode(hash, 'hex')
      FROM ROWS FROM (jsonb_to_recordset(document->'entries') AS (
           wallet_id bigint, version int, kind text, points bigint, balance_after bigint,
           debt_after bigint, cause text, reason text, why jsonb, channel_id bigint, store_id bigint,
           order_id bigint, actor_id int, programme_id bigint, happened_at timestamptz, hash text))
           WITH ORDINALITY AS e(wallet_id, version, kind, points, balance_after, debt_after, cause, reason, why,
           channel_id, store_id, order_id, actor_id, programme_id, happened_at, hash, place);

    INSERT INTO loyalty_lot AS lot (id, wallet_id, order_id, earned, remaining, held, expired,
                                    earned_at, available_from, expires_at)
    OVERRIDING SYSTEM VALUE
    SELECT lot_ids[place], wallet_id, order_id, earned, remaining, held, expired,
           earned_at, available_from, expires_at
      FROM ROWS FROM (jsonb_to_recordset(document->'lots') AS (
           id bigint, wallet_id bigint, order_id bigint, earned bigint, remaining bigint,
           held bigint, expired bigint, earned_at timestamptz, available_from timestamptz,
           expires_at timestamptz))
           WITH ORDINALITY AS l(id, wallet_id, order_id, earned, remaining, held, expired,
           earned_at, available_from, expires_at, place)
     WHERE id IS NULL;

    UPDATE loyalty_lot AS lot
       SET remaining = l.remaining, held = l.held, expired = l.expired, available_from = l.available_from
      FROM jsonb_to_recordset(document->'lots') AS l(
           id bigint, remaining bigint, held bigint, expired bigint, available_from timestamptz)
     WHERE lot.id = l.id;

    INSERT INTO loyalty_lotmove (entry_id, lot_id, points)
    SELECT entry_ids[entry], lot_ids[lot], points
      FROM jsonb_to_recordset(document->'moves') AS m(entry int, lot int, points bigint);

    IF cardinality(hold_ids) > 0 THEN
        INSERT INTO loyalty_hold AS hold (id, wallet_id, channel_id, cause, reason, points, captured, state,
                                          expires_at, created_at, ended_at, entry_id)
        OVERRIDING SYSTEM VALUE
        SELECT hold_ids[place], wallet_id, channel_id, cause, reason, points, captured, state,
               expires_at, now, ended_at, entry_ids[entry]
          FROM ROWS FROM (jsonb_to_recordset(document->'holds') AS (
               wallet_id bigint, channel_id bigint, cause text, reason text, points bigint,
               captured bigint, state text, expires_at timestamptz, ended_at timestamptz, entry int))
               WITH ORDINALITY AS h(wallet_id, channel_id, cause, reason, points, captured, state,
               expires_at, ended_at, entry, place)
            ON CONFLICT (id) DO UPDATE
           SET captured = excluded.captured, state = excluded.state,
               ended_at = excluded.ended_at, entry_id = excluded.entry_id;

        INSERT INTO loyalty_holdlot (hold_id, lot_id, points)
        SELECT hold_ids[hold], lot_ids[lot], points
          FROM jsonb_to_recordset(document->'parts') AS p(hold int, lot int, points bigint);
    END IF;

    IF jsonb_array_length(document->'uses') > 0 THEN
        INSERT INTO loyalty_ruleuse (rule, wallet_id, entry_id, day, points)
        SELECT rule, wallet_id, entry_ids[entry], day, points
          FROM jsonb_to_recordset(document->'uses') AS u(
               rule text, wallet_id bigint, entry int, day date, points bigint);
    END IF;

    UPDATE loyalty_wallet AS wallet
       SET balance = w.balance, held = w.held, debt = w.debt, version = w.version, head = decode(w.head, 'hex'),
           tier = w.tier, tier_since = w.tier_since, tier_until = w.tier_until, tier_steps = w.tier_steps
      FROM jsonb_to_recordset(document->'wallets') AS w(
           id bigint, balance bigint, held bigint, debt bigint, version int, head text, tier text,
           tier_since timestamptz, tier_until timestamptz, tier_steps int)
     WHERE wallet.id = w.id;

    RETURN jsonb_build_object('entries', entry_ids, 'lots', lot_ids, 'holds', hold_ids);
EXCEPTION WHEN unique_violation THEN
    -- A cause that was counted before is an answer, not a fault; anything else is.
    GET STACKED DIAGNOSTICS broken = CONSTRAINT_NAME;
    IF broken IN ('points_entry_once_per_cause', 'points_hold_once_per_cause') THEN
        RETURN NULL;
    END IF;
    RAISE;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("loyalty", "0001_initial")]

    operations = [
        migrations.RunSQL(APPEND, "DROP FUNCTION loyalty_append(jsonb)"),
        append_only("loyalty_entry", "points_entry_is_forever"),
        append_only("loyalty_lotmove", "lot_move_is_forever"),
        append_only("loyalty_ruleuse", "rule_use_is_forever"),
        append_only("loyalty_tierchange", "tier_change_is_forever"),
    ]
