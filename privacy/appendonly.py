"""Tables that are only ever added to, held by the database itself (D7).

For migrations of any app:

    operations = [append_only("loyalty_pointsentry", "points_entry_is_forever")]

A trigger refuses UPDATE, DELETE and TRUNCATE for everyone, and the serving role loses the right to
try. The trigger and the constraint name in the error are the rule's name. TRUNCATE is let through
where `shuke.allow_truncate` is `on`: test databases set it, so that they can be emptied.
"""

from collections.abc import Sequence

from django.conf import settings
from django.db import migrations


def append_only(
    table: str, rule_name: str, *, except_columns: Sequence[str] = (), only_when: str = ""
) -> migrations.RunSQL:
    """An operation that makes a table append-only, with its reverse.

    table: the table's name. rule_name: a sentence for a name, unique in the database.
    except_columns: columns that may still change (a state, or sealed columns that rotate_keys
    seals anew). only_when: a condition on OLD under which a row is fixed, for rows that begin as
    drafts (`OLD.published_at IS NOT NULL`); the serving role then keeps UPDATE and DELETE.
    """
    return migrations.RunSQL(
        sql=_make(table, rule_name, except_columns, only_when) + _revoke(table, except_columns, only_when),
        reverse_sql=_drop(table, rule_name) + _grant_back(table, only_when),
    )


def never_deleted(table: str, rule_name: str) -> migrations.RunSQL:
    """An operation after which the rows of a table may change, and none is deleted; with its reverse.

    Tables of many rows can then name one of them without a constraint, by which the database would look it
    up, and lock it, for each of theirs. table and rule_name: as for append_only().
    """
    return migrations.RunSQL(
        sql=_make(table, rule_name, (), "", what="DELETE")
        + _for_serving_role(f"REVOKE DELETE, TRUNCATE ON {table} FROM %I"),
        reverse_sql=_drop(table, rule_name) + _for_serving_role(f"GRANT DELETE ON {table} TO %I"),
    )


def _make(
    table: str,
    rule: str,
    except_columns: Sequence[str],
    only_when: str,
    *,
    what: str = "UPDATE OR DELETE",
) -> str:
    excepted = "ARRAY[" + ", ".join(f"'{column}'" for column in except_columns) + "]::text[]"
    let_through = f"""
        IF TG_OP = 'UPDATE' AND to_jsonb(NEW) - {excepted} = to_jsonb(OLD) - {excepted} THEN
            RETURN NEW;
        END IF;"""
    condition = f"WHEN ({only_when})" if only_when else ""
    return f"""
CREATE FUNCTION {rule}() RETURNS trigger LANGUAGE plpgsql AS $rule$
    BEGIN
        IF TG_OP = 'TRUNCATE' AND current_setting('shuke.allow_truncate', true) = 'on' THEN
            RETURN NULL;
        END IF;{let_through if except_columns else ""}
        RAISE EXCEPTION '{rule}: % on {table} is refused', TG_OP
            USING ERRCODE = 'restrict_violation', CONSTRAINT = '{rule}', TABLE = '{table}';
    END
$rule$;
CREATE TRIGGER {rule} BEFORE {what} ON {table}
    FOR EACH ROW {condition} EXECUTE FUNCTION {rule}();
CREATE TRIGGER {rule}_truncate BEFORE TRUNCATE ON {table}
    FOR EACH STATEMENT EXECUTE FUNCTION {rule}();
"""


def _drop(table: str, rule: str) -> str:
    return f"""
DROP TRIGGER {rule} ON {table};
DROP TRIGGER {rule}_truncate ON {table};
DROP FUNCTION {rule}();
"""


def _revoke(table: str, except_columns: Sequence[str], only_when: str) -> str:
    if only_when:
        return _for_serving_role(f"REVOKE TRUNCATE ON {table} FROM %I")
    statements = [f"REVOKE UPDATE, DELETE, TRUNCATE ON {table} FROM %I"]
    if except_columns:
        statements.append(f"GRANT UPDATE ({', '.join(except_columns)}) ON {table} TO %I")
    return _for_serving_role(*statements)


def _grant_back(table: str, only_when: str) -> str:
    return "" if only_when else _for_serving_role(f"GRANT UPDATE, DELETE ON {table} TO %I")


def _for_serving_role(*statements: str) -> str:
    """Run grants for the serving role where there is one that does not own the tables itself."""
    role = settings.SERVING_ROLE
    body = "\n        ".join(f"EXECUTE format('{statement}', '{role}');" for statement in statements)
    return f"""
DO $grants$ BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}' AND rolname <> current_user) THEN
        {body}
    END IF;
END $grants$;
"""
