"""What production refuses to start on."""

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from config import checks


@pytest.fixture
def production(monkeypatch):
    """Settings as production has them."""
    monkeypatch.setattr(settings, "IS_DEMO", False)
    monkeypatch.setattr(settings, "CODE_SENDER", "")
    monkeypatch.setattr(settings, "SECRET_KEY", "s" * 60)
    monkeypatch.setattr(settings, "DATA_KEYS", [("k1", b"d" * 32)])
    monkeypatch.setattr(settings, "INDEX_KEY", b"i" * 32)
    monkeypatch.setattr(settings, "DEBUG", False)
    return monkeypatch


def found() -> list[str | None]:
    return [message.id for message in checks.settings_are_safe(None)]


def test_production_as_it_should_be_has_no_faults(production):
    assert found() == []


@pytest.mark.parametrize(
    "name, value, fault",
    [
        ("SECRET_KEY", "short", "shuke.E001"),
        ("SECRET_KEY", "django-insecure-" + "x" * 50, "shuke.E001"),
        ("DATA_KEYS", [], "shuke.E002"),
        ("INDEX_KEY", b"", "shuke.E003"),
        ("INDEX_KEY", b"d" * 32, "shuke.E004"),
        ("DEBUG", True, "shuke.E005"),
        ("DATABASE_OWNER", {"USER": "shuke_web"}, "shuke.E006"),
    ],
)
def test_each_fault_is_found(production, name, value, fault):
    production.setattr(settings, name, value)
    assert found() == [fault]
    production.setattr(settings, "IS_DEMO", True)
    assert found() == []


@pytest.mark.django_db
def test_a_database_that_may_lose_rows_is_found(production):
    # the tests' own server is such a database
    assert [fault.id for fault in checks.database_is_ready(None, ["default"])] == ["shuke.E010"]
    production.setattr(settings, "IS_DEMO", True)
    assert checks.database_is_ready(None, ["default"]) == []


@pytest.mark.django_db
def test_a_migration_that_is_missing_is_named():
    MigrationRecorder(connection).migration_qs.filter(app="sessions").delete()
    assert checks.unapplied_migrations() == ["sessions.0001_initial"]
    assert [fault.id for fault in checks.database_is_ready(None, ["default"])] == ["shuke.E011"]


@pytest.mark.django_db
def test_production_does_not_start_on_a_fault(production):
    production.setattr(settings, "DATA_KEYS", [])
    with pytest.raises(ImproperlyConfigured, match="DATA_KEYS is missing"):
        checks.refuse_unless_ready()
