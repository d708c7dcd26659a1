"""The database that every run copies is the one that the migrations make today."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from tests import blank

OURS = ("config", "segments", "loyalty", "members", "privacy")


def imported(file: Path) -> Iterator[str]:
    """Our modules that a file imports, as paths; migrations themselves aside."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        for name in names:
            path = f"{name.replace('.', '/')}.py"
            if name.partition(".")[0] in OURS and (settings.BASE_DIR / path).is_file():
                yield path


@pytest.mark.django_db
def test_the_copy_stands_where_the_migrations_lead():
    executor = MigrationExecutor(connection)
    assert executor.loader.applied_migrations
    assert executor.migration_plan(executor.loader.graph.leaf_nodes()) == []


def test_its_name_tells_everything_that_migrations_are_written_with():
    migrations = [
        file for app in OURS if apps.is_installed(app) for file in Path(app, "migrations").glob("*.py")
    ]
    found = {path for file in migrations for path in imported(settings.BASE_DIR / file)}
    assert len(migrations) > 20 and found <= set(blank.MADE_WITH)


def test_an_edited_migration_asks_for_another(monkeypatch, tmp_path):
    copy = tmp_path / "migration.py"
    monkeypatch.setattr(blank, "MADE_WITH", [copy])
    copy.write_text("operations = []\n")
    before = blank.name()
    copy.write_text("operations = [None]\n")
    assert before != blank.name()
    copy.write_text("operations = []\n")
    assert before == blank.name()
