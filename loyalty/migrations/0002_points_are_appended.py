"""Entries, moves and tier changes are forever, and one function writes a whole batch of them.

The function only writes what `loyalty.ledger.append` decided: the rules are there and in the constraints.
One call is one round trip, and PL/pgSQL keeps the plans of its statements.
"""

from django.db import migrations

from privacy.appendonly import append_only

APPEND = """
CREATE FUNCTION loyalty_append(document jsonb) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO loyalty_entry (id, wallet_id, version, kind, points, balance_after, debt_after, cause, reason,
                               why, channel_id, store_id, order_id, actor_id, programme_id,
                               happened_at, recorded_at, hash)
    OVERRIDING SYSTEM VALUE
    SELECT id, wallet_id, version, kind, points, balance_after, debt_after, cause, reason,
           why, channel_id, store_id, order_id, actor_id, programme_id,
           happened_at, (document->>'recorded_at')::timestamptz, decode(hash, 'hex')
      FROM jsonb_to_recordset(document->'entries') AS e(
           id bigint, wallet_id bigint, version int, kind text, points bigint, balance_after bigint,
           debt_after bigint, cause text, reason text, why jsonb, channel_id bigint, store_id bigint,
           order_id bigint, actor_id int, programme_id bigint, happened_at timestamptz, hash text);

    INSERT INTO loyalty_lot (id, wallet_id, order_id, earned, remaining, held, expired,
                             earned_at, available_from, expires_at)
    OVERRIDING SYSTEM VALUE
    SELECT id, wallet_id, order_id, earned, remaining, held, expired, earned_at, available_from, expires_at
      FROM jsonb_to_recordset(document->'lots') AS l(
           is_new boolean, id bigint, wallet_id bigint, order_id bigint, earned bigint, remaining bigint,
           held bigint, expired bigint, earned_at timestamptz, available_from timestamptz,
           expires_at timestamptz)
     WHERE is_new;

    UPDATE loyalty_lot AS lot
       SET remaining = l.remaining, held = l.held, expired = l.expired, available_from = l.available_from
      FROM jsonb_to_recordset(document->'lots') AS l(
           is_new boolean, id bigint, remaining bigint, held bigint, expired bigint,
           available_from timestamptz)
     WHERE lot.id = l.id AND NOT l.is_new;

    INSERT INTO loyalty_lotmove (entry_id, lot_id, points)
    SELECT entry_id, lot_id, points
      FROM jsonb_to_recordset(document->'moves') AS m(entry_id bigint, lot_id bigint, points bigint);

    IF jsonb_array_length(document->'holds') > 0 THEN
        INSERT INTO loyalty_hold AS hold (id, wallet_id, channel_id, cause, reason, points, captured, state,
                                          expires_at, created_at, ended_at, entry_id)
        OVERRIDING SYSTEM VALUE
        SELECT id, wallet_id, channel_id, cause, reason, points, captured, state,
               expires_at, (document->>'recorded_at')::timestamptz, ended_at, entry_id
          FROM jsonb_to_recordset(document->'holds') AS h(
               id bigint, wallet_id bigint, channel_id bigint, cause text, reason text, points bigint,
               captured bigint, state text, expires_at timestamptz, ended_at timestamptz, entry_id bigint)
            ON CONFLICT (id) DO UPDATE
           SET captured = excluded.captured, state = excluded.state,
               ended_at = excluded.ended_at, entry_id = excluded.entry_id;

        INSERT INTO loyalty_holdlot (hold_id, lot_id, points)
        SELECT hold_id, lot_id, points
          FROM jsonb_to_recordset(document->'parts') AS p(hold_id bigint, lot_id bigint, points bigint);
    END IF;

    IF jsonb_array_length(document->'uses') > 0 THEN
        INSERT INTO loyalty_ruleuse (rule, wallet_id, entry_id, day, points)
        SELECT rule, wallet_id, entry_id, day, points
          FROM jsonb_to_recordset(document->'uses') AS u(
               rule text, wallet_id bigint, entry_id bigint, day date, points bigint);
    END IF;

    UPDATE loyalty_wallet AS wallet
       SET balance = w.balance, held = w.held, debt = w.debt, version = w.version, head = decode(w.head, 'hex'),
           tier = w.tier, tier_since = w.tier_since, tier_until = w.tier_until, tier_steps = w.tier_steps
      FROM jsonb_to_recordset(document->'wallets') AS w(
           id bigint, balance bigint, held bigint, debt bigint, version int, head text, tier text,
           tier_since timestamptz, tier_until timestamptz, tier_steps int)
     WHERE wallet.id = w.id;
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
