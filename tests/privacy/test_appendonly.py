from typing import Any
from uuid import uuid4

import psycopg.errors
import pytest
from django.conf import settings
from django.db import DatabaseError, IntegrityError, ProgrammingError, connection, transaction
from django.utils import timezone

from members.models import Channel, ImportRun
from privacy.appendonly import append_only, never_deleted
from privacy.models import AccessRecord, ConsentEvent, Notice
from privacy.notices import NoticeText, publish


def refused(statement: str, by: type[Exception] = psycopg.errors.RestrictViolation) -> DatabaseError:
    with pytest.raises(DatabaseError) as refusal, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    assert isinstance(refusal.value.__cause__, by)
    return refusal.value


@pytest.fixture
def rows(mei):
    AccessRecord.objects.create(actor_label="system", action="view", model="members.Member", member=mei)
    ConsentEvent.objects.create(member=mei, purpose="marketing", granted=True, happened_at=timezone.now())
    publish(NoticeText(kind="privacy", version="1", language="en", title="Notice", body="Text"))
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # TRUNCATE does not wait for them


@pytest.mark.parametrize(
    ("table", "rule"),
    [
        ("privacy_accessrecord", "access_record_is_forever"),
        ("privacy_consentevent", "consent_event_is_forever"),
        ("privacy_notice", "notice_is_fixed_once_published"),
    ],
)
@pytest.mark.parametrize("verb", ["UPDATE {} SET id = id", "DELETE FROM {}", "TRUNCATE {} CASCADE"])
def test_history_is_refused_even_to_the_owner(rows, table, rule, verb):
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('shuke.allow_truncate', 'off', true)")
    assert rule in str(refused(verb.format(table)))
    assert AccessRecord.objects.count() == ConsentEvent.objects.count() == Notice.objects.count() == 1


def test_the_refusal_carries_the_rule_as_its_constraint(rows):
    error = refused("UPDATE privacy_accessrecord SET reason = 'nothing'")
    assert isinstance(error.__cause__, psycopg.Error)
    assert error.__cause__.diag.constraint_name == "access_record_is_forever"
    assert error.__cause__.diag.table_name == "privacy_accessrecord"


def test_truncate_passes_only_where_the_test_database_says_so(rows):
    with connection.cursor() as cursor:
        cursor.execute("SHOW shuke.allow_truncate")
        assert cursor.fetchone() == ("on",)
        cursor.execute("TRUNCATE privacy_accessrecord")
    assert AccessRecord.objects.count() == 0


def test_a_draft_of_a_notice_may_change_until_it_is_published(db):
    draft = Notice.objects.create(
        kind="tips", version="2", language="en", title="Tips", body="a", effective_from=timezone.now()
    )
    Notice.objects.filter(pk=draft.pk).update(body="b", published_at=timezone.now())
    refused(f"UPDATE privacy_notice SET body = 'c' WHERE id = {draft.pk}")
    assert Notice.objects.get(pk=draft.pk).body == "b"


@pytest.fixture
def diary(db):
    """A table like those of other apps, with every right granted to the serving role."""
    with connection.cursor() as cursor:
        cursor.execute('CREATE TABLE diary (id int PRIMARY KEY, text text, state text, "long note" text)')
        cursor.execute("GRANT USAGE ON SCHEMA public TO " + settings.SERVING_ROLE)
        cursor.execute("GRANT ALL ON diary TO " + settings.SERVING_ROLE)
        cursor.execute("INSERT INTO diary VALUES (1, 'rain', 'open')")


def run(operation_sql: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(operation_sql)


def as_serving_role(statement: str) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL ROLE {settings.SERVING_ROLE}")
        cursor.execute(statement)
        cursor.execute("RESET ROLE")


def pages() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT text FROM diary ORDER BY id")
        return [text for (text,) in cursor.fetchall()]


def test_the_serving_role_may_add_and_read_and_nothing_else(diary):
    as_serving_role("UPDATE diary SET text = 'sun'")  # the control: before the rule it may
    run(append_only("diary", "diary_is_forever").sql)
    as_serving_role("INSERT INTO diary VALUES (2, 'snow', 'open')")
    for statement in ("UPDATE diary SET text = 'x'", "DELETE FROM diary", "TRUNCATE diary"):
        with pytest.raises(ProgrammingError) as refusal:
            as_serving_role(statement)
        assert isinstance(refusal.value.__cause__, psycopg.errors.InsufficientPrivilege)


def test_excepted_columns_still_change_and_no_other_with_them(diary):
    run(append_only("diary", "diary_is_forever", except_columns=["state"]).sql)
    as_serving_role("UPDATE diary SET state = 'closed'")
    refused("UPDATE diary SET state = 'open', text = 'sun'")
    refused("UPDATE diary SET text = NULL")
    refused("DELETE FROM diary")
    with connection.cursor() as cursor:
        cursor.execute("SELECT text, state FROM diary")
        assert cursor.fetchall() == [("rain", "closed")]
    with pytest.raises(ProgrammingError):
        as_serving_role("UPDATE diary SET text = 'sun'")


def test_the_rule_can_be_taken_back(diary):
    operation = append_only("diary", "diary_is_forever")
    run(operation.sql)
    run(operation.reverse_sql)
    as_serving_role("UPDATE diary SET text = 'sun'")
    assert pages() == ["sun"]
    as_serving_role("DELETE FROM diary")
    assert pages() == []
    run(operation.sql)
    refused("INSERT INTO diary VALUES (1, 'x'); DELETE FROM diary")


@pytest.mark.parametrize("table", ["privacy_accessrecord", "privacy_consentevent", "members_member"])
def test_the_migrations_left_the_serving_role_only_what_it_needs(db, table):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT privilege FROM unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE']) "
            "AS privilege "
            "WHERE has_table_privilege(%s, %s, privilege)",
            [settings.SERVING_ROLE, table],
        )
        held = {row[0] for row in cursor.fetchall()}
    assert held == {"SELECT", "INSERT"} | ({"UPDATE", "DELETE"} if table == "members_member" else set())


def test_a_reveal_without_a_reason_is_refused_by_the_database(mei):
    with pytest.raises(IntegrityError, match="access_record_reveal_has_reason"), transaction.atomic():
        AccessRecord.objects.create(actor_label="x", action="reveal", model="members.Member", member=mei)


def test_rows_that_others_name_may_change_and_never_go(diary):
    rule = never_deleted("diary", "page_is_never_deleted")
    as_serving_role("DELETE FROM diary WHERE id = 0")  # the control: before the rule it may
    run(rule.sql)
    as_serving_role("UPDATE diary SET text = 'sun'")
    assert "page_is_never_deleted" in str(refused("DELETE FROM diary"))
    for statement in ("DELETE FROM diary", "TRUNCATE diary"):
        with pytest.raises(ProgrammingError):
            as_serving_role(statement)
    run(rule.reverse_sql)
    as_serving_role("DELETE FROM diary")


@pytest.mark.parametrize(
    ("table", "rule"),
    [("members_channel", "channel_is_never_deleted"), ("members_importrun", "import_run_is_never_deleted")],
)
def test_what_millions_of_rows_name_without_a_constraint_is_there_for_ever(db, table, rule):
    shop = Channel.objects.create(code="shop", name="Shop", platform="web")
    ImportRun.objects.create(
        key=uuid4(), channel=shop, file_name="a", file_size=1, file_digest=b"", file_lines=1
    )
    assert rule in str(refused(f"DELETE FROM {table}"))
