"""Rules between the rows of a package, each one statement over all of them: who is known, what adds up.

A row that breaks one is rejected with its reason; what was brought before as it is now is the same.
"""

from django.db import connection

from members.models import LegacyRun

# A lot without a number of its own goes by its place among the member's: in whatever order a file has them.
_NUMBER_LOTS = """
    UPDATE members_legacyrow r SET "key" = n.number::text
      FROM (SELECT id, row_number() OVER (PARTITION BY account_index
                   ORDER BY document->>'earned_at', document->>'expires_at', amount, line) AS number
              FROM members_legacyrow
             WHERE run_id = %(run)s AND kind = 'lots' AND state = 'waiting' AND "key" = '') AS n
     WHERE r.id = n.id"""
_REFUSE_REPEATED = """
    UPDATE members_legacyrow r SET state = 'rejected', code = 'duplicate_in_file'
      FROM (SELECT id, row_number() OVER (PARTITION BY kind, "key",
                   CASE WHEN kind = 'coupons' THEN ''::bytea ELSE account_index END ORDER BY line) AS number
              FROM members_legacyrow
             WHERE run_id = %(run)s AND kind <> 'members' AND state IN ('waiting', 'same')) AS n
     WHERE r.id = n.id AND n.number > 1"""
_REFUSE_UNKNOWN = """
    UPDATE members_legacyrow r SET state = 'rejected', code = 'member_unknown'
     WHERE r.run_id = %(run)s AND r.kind <> 'members' AND r.state IN ('waiting', 'same')
       AND NOT EXISTS (SELECT FROM members_legacyrow m
                        WHERE m.run_id = r.run_id AND m.kind = 'members' AND m.state <> 'rejected'
                          AND m.account_index = r.account_index)
       AND NOT EXISTS (SELECT FROM members_account a
                        WHERE a.channel_id = r.channel_id AND a.external_index = r.account_index)"""
_REFUSE_UNKNOWN_OTHERS = """
    UPDATE members_legacyrow r SET state = 'rejected', code = 'referrer_unknown'
     WHERE r.run_id = %(run)s AND r.other_index <> '' AND r.state = 'waiting'
       AND NOT EXISTS (SELECT FROM members_legacyrow m
                        WHERE m.run_id = r.run_id AND m.kind = 'members' AND m.state <> 'rejected'
                          AND m.account_index = r.other_index)
       AND NOT EXISTS (SELECT FROM members_account a
                        WHERE a.channel_id = r.channel_id AND a.external_index = r.other_index)"""
# Both files told: a member's lots and balance agree, or none of them are brought.
_REFUSE_SUMS = """
    WITH sums AS (SELECT account_index,
                         coalesce(sum(amount) FILTER (WHERE kind = 'lots' AND state <> 'rejected'), 0)
                             AS lots,
                         coalesce(sum(amount) FILTER (WHERE kind = 'balances' AND state <> 'rejected'), 0)
                             AS balance
                    FROM members_legacyrow
                   WHERE run_id = %(run)s AND kind IN ('lots', 'balances') AND account_index <> ''
                   GROUP BY account_index)
    UPDATE members_legacyrow r SET state = 'rejected', code = 'lots_do_not_add_up'
      FROM sums s
     WHERE r.run_id = %(run)s AND r.kind IN ('lots', 'balances') AND r.state IN ('waiting', 'same')
       AND r.account_index = s.account_index AND s.lots <> s.balance"""
_BALANCES_ARE_TOLD_BY_LOTS = """
    UPDATE members_legacyrow SET state = 'same', code = 'told_by_lots'
     WHERE run_id = %(run)s AND kind = 'balances' AND state = 'waiting'"""
_NOTHING_TO_BRING = """
    UPDATE members_legacyrow SET state = 'same'
     WHERE run_id = %(run)s AND kind <> 'members' AND state = 'waiting' AND amount = 0"""
_COMPARE = """
    UPDATE members_legacyrow r
       SET state = CASE WHEN (o.document, o.other_index) = (r.document, r.other_index)
                        THEN 'same' ELSE 'rejected' END,
           code = CASE WHEN (o.document, o.other_index) = (r.document, r.other_index)
                       THEN '' ELSE 'brought_otherwise' END
      FROM members_legacyrow o
     WHERE r.run_id = %(run)s AND r.kind <> 'members' AND r.state = 'waiting' AND o.run_id <> r.run_id
       AND o.channel_id = r.channel_id AND o.kind = r.kind AND o.account_index = r.account_index
       AND o."key" = r."key" AND o.state = 'new'"""
# The code of a coupon is one member's for ever, whichever package brought it, and were it taken back.
_REFUSE_CODES_OF_OTHERS = """
    UPDATE members_legacyrow r SET state = 'rejected', code = 'code_taken'
     WHERE r.run_id = %(run)s AND r.kind = 'coupons' AND r.state = 'waiting'
       AND EXISTS (SELECT FROM members_legacyrow o
                    WHERE o.kind = 'coupons' AND o."key" = r."key" AND o.run_id <> r.run_id
                      AND o.state IN ('new', 'undone')
                      AND (o.channel_id <> r.channel_id OR o.account_index <> r.account_index
                           OR o.document->>'campaign' <> r.document->>'campaign'))"""
_COUNT_AGAIN = """
    UPDATE members_legacyrow r SET again = n.times
      FROM (SELECT w.id, count(*) AS times
              FROM members_legacyrow w JOIN members_legacyrow o
                ON o.channel_id = w.channel_id AND o.kind = w.kind AND o.account_index = w.account_index
               AND o."key" = w."key" AND o.state = 'undone'
             WHERE w.run_id = %(run)s AND w.state = 'waiting' AND w.kind <> 'members' GROUP BY w.id) AS n
     WHERE r.id = n.id AND r.again <> n.times"""


def settle(run: LegacyRun) -> None:
    """Judge the rows that wait by each other, and by what was brought before."""
    _over(run, _NUMBER_LOTS)
    _over(run, _REFUSE_REPEATED)
    _over(run, _REFUSE_UNKNOWN)
    _over(run, _REFUSE_UNKNOWN_OTHERS)
    if {"lots", "balances"} <= run.files.keys():
        _over(run, _REFUSE_SUMS)
        _over(run, _BALANCES_ARE_TOLD_BY_LOTS)
    _over(run, _NOTHING_TO_BRING)
    compare(run)


def compare(run: LegacyRun) -> None:
    """Set the rows that wait against what other packages of the channel have brought by now."""
    _over(run, _COMPARE)
    _over(run, _REFUSE_CODES_OF_OTHERS)
    _over(run, _COUNT_AGAIN)


def _over(run: LegacyRun, statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, {"run": run.pk})
