"""What is easily forgotten when something is added: each is found by itself and held to its rule."""

import ast
from collections import Counter
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from typing import Any

import psycopg.errors
import pytest
from django.apps import apps
from django.db import DatabaseError, connection, migrations, models, transaction
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.special import RunPython, RunSQL

from loyalty import (
    activities,
    adjustments,
    audit_runs,
    clock,
    closings,
    coupons,
    nightly,
    rewards,
    tier_events,
)
from members import leaving, merging
from members.models import Member
from privacy import access, consent, notices, roles
from privacy.errors import ShukeError
from tests import boutique
from tests.coupon_shop import WELCOME, goods
from tests.trade import PROGRAMME, Trade, buyer, phone

ROOT = Path(__file__).resolve().parent.parent
APPS = ["privacy", "members", "loyalty", "segments", "config"]


def modules_of(app: str) -> Iterator[str]:
    for module in walk_packages(import_module(app).__path__, f"{app}."):
        yield module.name


# --- errors -------------------------------------------------------------------------------------------

# By whom a code is owned: its own app, the API's plumbing, and words that interface and docs fix.
FIXED = {"privacy.needs_approval"}
# One answer for one situation: the role or the key does not include it, whichever was asked.
SHARED = {"api.forbidden"}


def reasons() -> list[type[ShukeError]]:
    """Every class that is raised: those without classes below them."""
    for app in APPS:
        for name in modules_of(app):
            if name.rpartition(".")[2] == "errors":
                import_module(name)
    found: list[type[ShukeError]] = [ShukeError]
    for kind in found:
        found.extend(kind.__subclasses__())
    return [kind for kind in found if not kind.__subclasses__() and kind.__module__.split(".")[0] in APPS]


def test_every_error_is_a_reason_of_its_own() -> None:
    """Its code, its status, its message and a sentence on when; docs/errors.md is held by test_api."""
    bases = {kind.message for kind in ShukeError.__subclasses__()} | {ShukeError.message}
    for kind in reasons():
        owner = "demo" if kind.__module__.startswith("config.demos") else kind.__module__.split(".")[0]
        assert kind.code.split(".")[0] in {owner, "api"} or kind.code in FIXED, kind
        assert 400 <= kind.status < 600, kind
        assert kind.message not in bases and str(kind.message).strip(), kind
        assert kind.__doc__, kind


def test_no_two_errors_share_a_code() -> None:
    counted = Counter(kind.code for kind in reasons())
    assert {code for code, count in counted.items() if count > 1} == SHARED
    assert len(counted) > 50


# --- migrations and models ----------------------------------------------------------------------------


def own_migrations() -> list[migrations.Migration]:
    loader = MigrationLoader(None)
    return [migration for (app, _name), migration in loader.disk_migrations.items() if app in APPS]


def test_every_migration_can_be_taken_back() -> None:
    operations = [
        (f"{migration}", operation) for migration in own_migrations() for operation in migration.operations
    ]
    assert len([each for _name, each in operations if isinstance(each, RunSQL)]) >= 10
    for name, operation in operations:
        assert operation.reversible, f"{name}: {operation.describe()}"
        if isinstance(operation, RunSQL):
            assert operation.reverse_sql not in (None, RunSQL.noop), name
        if isinstance(operation, RunPython):
            assert operation.reverse_code is not None, name


# What may go with the row it belongs to, and why that loses nothing.
MAY_GO_ALONG = {
    "members.ApiKeyUse.key": "a counter of the last seconds",
    "members.ColumnMapping.channel": "a convenience of the upload form",
    "members.StagedFact.run": "what was read of a file, until it is applied",
    "members.ImportMade.run": "what could be undone, until it is too late for that",
    "members.ImportReject.run": "a report that is erased after its days",
}
# pghistory's rows outlive what they tell of: they point to it without a constraint.
HISTORY = {models.DO_NOTHING}


def test_nothing_is_deleted_behind_the_back() -> None:
    """Every foreign key protects what it points to; the exceptions are named, with their reason."""
    loose = {
        f"{model._meta.label}.{field.name}"
        for model in apps.get_models(include_auto_created=True)
        if model._meta.app_label in APPS and not hasattr(model, "pgh_tracked_model")
        for field in model._meta.concrete_fields
        if isinstance(field, models.ForeignKey) and field.remote_field.on_delete is not models.PROTECT
    }
    assert loose == set(MAY_GO_ALONG)


def test_what_history_points_to_is_left_to_it() -> None:
    rules = {
        field.remote_field.on_delete
        for model in apps.get_models()
        if model._meta.app_label in APPS and hasattr(model, "pgh_tracked_model")
        for field in model._meta.concrete_fields
        if isinstance(field, models.ForeignKey)
    }
    assert rules == HISTORY


# --- what is forever ----------------------------------------------------------------------------------

# Tables that only grow, with a change to try. Of the last two a row is fixed once it is published.
# Their rows change, and others count on them. Those of members are tried in tests/privacy/test_appendonly.py.
NEVER_DELETED = ("loyalty_lot", "loyalty_wallet")
LASTING = {"members_channel", "members_importrun"}
FOREVER = {
    "loyalty_entry": "reason = 'another'",
    "loyalty_lotmove": "points = points + 1",
    "loyalty_ruleuse": "day = day + 1",
    "loyalty_tierchange": "after = 'gold'",
    "loyalty_tierevent": "tier = 'silver'",
    "loyalty_tierlook": "fell = NOT fell",
    "loyalty_tierwarning": "tier = 'gold'",
    "loyalty_growthentry": "growth = growth + 1",
    "loyalty_auditrun": "entries = entries + 1",
    "loyalty_closing": "as_of = as_of - interval '1 day'",
    "loyalty_closingbalance": "balance = balance + 1",
    "loyalty_activity": "key = 'another'",
    "loyalty_checkin": "streak = streak + 1",
    "loyalty_coupon": "code = 'ANOTHER'",
    "loyalty_couponuse": "order_no = 'another'",
    "loyalty_couponmove": "why = '{}'",
    "loyalty_claimmove": "reason = 'another'",
    "loyalty_grant": "why = '{}'",
    "loyalty_shelfmove": "reason = 'another'",
    "loyalty_tierbeforemerge": "shown = 'gold'",
    "members_merge": "reason = 'another'",
    "members_unbinding": "reason = 'another'",
    "members_outboxevent": "payload = '{}'",
    "privacy_accessrecord": "reason = 'another'",
    "privacy_approval": "reason = 'another'",
    "privacy_consentevent": "granted = NOT granted",
    "loyalty_programmeversion": "document = '{}'",
    "privacy_notice": "body = 'another'",
}


def look_ahead(trade: Trade, member_id: int) -> None:
    """A tier and growth value are given, and the member is told that the tier will end."""
    keep = {"months": 12, "warn_days": 366}
    silver = {**PROGRAMME["tiers"][1], "keep": keep}
    boutique.offer(trade, boutique.TOTE, tiers=[PROGRAMME["tiers"][0], silver])
    named: dict[str, Any] = {"member_id": member_id, "programme_id": trade.programme.pk}
    tier_events.give([tier_events.Gift(tier="silver", cause="gift", **named)])
    happened_at = clock.read().now
    grown = tier_events.GrowthGift(growth=5, cause="grown", happened_at=happened_at, **named)
    tier_events.give_growth([grown])
    nightly.reassess_tiers()


@pytest.fixture
def world(db: None) -> Trade:
    """A brand in which every table that is forever has rows."""
    trade = Trade(
        rules=[{"code": "double", "then": {"factor": "2"}, "limits": {"budget": 10}}],
        sections={"activities": {"check_in": {"points": 1}}},
    )
    for number in range(5):
        trade.buy(f"T{number}", "700", buyer("mei", phone("+8613800138001")))
    notices.publish_defaults()
    mei = Member.objects.get()
    activities.do(mei.pk, "check_in", channel=trade.app)
    boutique.offer(trade, boutique.TOTE, coupons=[WELCOME])
    given = coupons.give(mei.pk, "WELCOME", reason="Late parcel", nonce="one", actor_id=None)
    coupons.use(given.code, channel=trade.app, order_no="C1", member_id=mei.pk, lines=goods("200"))
    rewards.claim(mei.pk, "TOTE", cause="c1", channel=trade.app)
    audit_runs.run()
    closings.close(clock.read().recorded)
    look_ahead(trade, mei.pk)
    bo = trade.buy("T9", "10", buyer("bo")).member_id
    merging.merge(mei.pk, bo or 0, actor_id=None, reason="Same person")
    access.note(None, "view", model="members.Member", member=mei, label="system")
    lin, _password = roles.make_staff("lin", "service")
    adjustments.adjust(mei.pk, 5000, "Late parcel", lin, cause="one")
    account = mei.accounts.order_by("pk")[0]
    leaving.end(mei.pk, account.pk, actor_id=lin.pk, reason="Asked for it", now=clock.read().now)
    consent.give(mei, "marketing", channel="sms")
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # TRUNCATE does not wait for them
        cursor.execute("SELECT set_config('shuke.allow_truncate', 'off', true)")
    return trade


def test_the_tables_that_are_forever_are_these(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT tgrelid::regclass::text FROM pg_trigger"
            " WHERE NOT tgisinternal AND tgname LIKE '%\\_truncate'"
        )
        guarded = {table for (table,) in cursor.fetchall()}
    assert guarded == {*FOREVER, *NEVER_DELETED, *LASTING}
    promised = {
        model._meta.db_table
        for model in apps.get_models()
        if model._meta.app_label in APPS and "forever" in (model.__doc__ or "").lower()
    }
    assert promised and promised <= set(FOREVER)


@pytest.mark.parametrize("table", NEVER_DELETED)
def test_what_the_ledger_counts_on_may_change_and_never_goes(world: Trade, table: str) -> None:
    for statement in (f"DELETE FROM {table}", f"TRUNCATE {table} CASCADE"):
        with connection.cursor() as cursor, pytest.raises(DatabaseError) as refusal, transaction.atomic():
            cursor.execute(statement)
        assert isinstance(refusal.value.__cause__, psycopg.errors.RestrictViolation), statement


@pytest.mark.parametrize("table", FOREVER)
def test_what_is_forever_can_be_added_to_and_nothing_else(world: Trade, table: str) -> None:
    for statement in (
        f"UPDATE {table} SET {FOREVER[table]}",
        f"DELETE FROM {table}",
        f"TRUNCATE {table} CASCADE",
    ):
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT count(*) FROM {table}")
            (before,) = cursor.fetchone()
            assert before > 0, "an empty table refuses nothing"
            with pytest.raises(DatabaseError) as refusal, transaction.atomic():
                cursor.execute(statement)
            assert isinstance(refusal.value.__cause__, psycopg.errors.RestrictViolation), statement
            cursor.execute(f"SELECT count(*) FROM {table}")
            assert cursor.fetchone() == (before,)


# --- the outbox ---------------------------------------------------------------------------------------

# What channels may be told, for ever by these words.
TOPICS = {
    "member.updated",
    "member.merged",
    "member.unmerged",
    "member.redact",
    "points.changed",
    "tier.changed",
    "coupon.changed",
    "reward.changed",
    "order.changed",
    "consent.changed",
}


def topics_in(path: Path) -> Iterator[str]:
    """The topics of changes that a module makes; one that is computed would be told as its source."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.keyword) and node.arg == "topic":
            yield str(node.value.value) if isinstance(node.value, ast.Constant) else ast.unparse(node.value)


def test_the_channels_are_told_in_words_that_are_fixed() -> None:
    told = {
        topic
        for app in ("privacy", "members", "loyalty", "segments")
        for path in (ROOT / app).rglob("*.py")
        for topic in topics_in(path)
    }
    assert {"points.changed", "tier.changed", "order.changed", "member.updated"} <= told <= TOPICS
