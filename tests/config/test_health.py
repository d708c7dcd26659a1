"""The two questions a machine asks."""

import pytest
from django.conf import settings
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client


def test_livez_asks_no_database(client: Client, monkeypatch):
    # no `db` fixture: a query here fails the test
    assert client.get("/livez").json() == {"live": True}


@pytest.mark.django_db
def test_readyz_when_all_is_there(client: Client):
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()) == (200, {"ready": True})


@pytest.mark.django_db
def test_readyz_when_a_migration_is_missing(client: Client):
    MigrationRecorder(connection).migration_qs.filter(app="sessions").delete()
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()) == (503, {"ready": False})


@pytest.mark.django_db
@pytest.mark.parametrize("name, empty", [("DATA_KEYS", []), ("INDEX_KEY", b"")])
def test_readyz_without_a_key(client: Client, monkeypatch, name, empty):
    monkeypatch.setattr(settings, name, empty)
    assert client.get("/readyz").status_code == 503
