"""The life of keys: made, proven at start, changed while serving (D5).

`prove` is for whoever opens the house: with a wrong key, new phones would be indexed so that nobody
is ever found again, and would be sealed so that nobody can read them once the mistake is mended.
"""

import base64
import secrets
import time
from collections.abc import Generator
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from django.apps import apps
from django.conf import settings
from django.db import connection, models, transaction
from django.db.backends.utils import CursorWrapper

from privacy import crypto
from privacy.errors import KeyWrong
from privacy.fields import SealedField
from privacy.models import KeyProof

INDEX_PROOF = "INDEX_KEY"  # no key id of DATA_KEYS: make_keys writes those in lower case
PAUSE_SECONDS = 0.2


def fresh(today: date) -> dict[str, str]:
    """New settings: DATA_KEYS with one key named after the day, and INDEX_KEY."""
    return {
        "DATA_KEYS": f"k{today:%Y%m%d}-{secrets.token_hex(2)}:{_random_key()}",
        "INDEX_KEY": _random_key(),
    }


def _random_key() -> str:
    return base64.b64encode(secrets.token_bytes(crypto.KEY_BYTES)).decode()


def prove() -> None:
    """Compare the keys in the settings with those that this database was written with.

    A key seen for the first time is noted. Raises KeyWrong when a known key has another value.
    """
    keys = {**dict(settings.DATA_KEYS), INDEX_PROOF: settings.INDEX_KEY}
    fingerprints = {key_id: crypto.derive(key, "shuke key proof", length=16) for key_id, key in keys.items()}
    KeyProof.objects.bulk_create(
        [KeyProof(key_id=key_id, fingerprint=proof) for key_id, proof in fingerprints.items()],
        ignore_conflicts=True,
    )
    for known in KeyProof.objects.filter(key_id__in=fingerprints):
        if bytes(known.fingerprint) != fingerprints[known.key_id]:
            raise KeyWrong(key=known.key_id)


@dataclass(frozen=True, slots=True)
class Rotated:
    """How far the rotation of one model has come."""

    model: str
    done: int
    left: int


def sealed_models() -> list[type[models.Model]]:
    """Every model with a table of its own that holds sealed values."""
    return [model for model in apps.get_models() if model._meta.managed and _sealed_fields(model)]


def _sealed_fields(model: type[models.Model]) -> list[SealedField]:
    return [field for field in model._meta.local_concrete_fields if isinstance(field, SealedField)]


def left_on_old_keys(model: type[models.Model]) -> int:
    """How many rows hold a value that is not sealed with the newest key."""
    where, parameters = _on_old_key(model)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {_quoted(model._meta.db_table)} WHERE {where}", parameters)
        count: int = cursor.fetchone()[0]
        return count


def rotate(*, batch: int = 500) -> Generator[Rotated, None, None]:
    """Seal every value anew with the newest key, in batches, beside running servers.

    Yields after each batch. Can be stopped at any time and run again: what is done carries the new
    key. Rows that somebody else holds locked are passed over and come in a later round. Every
    server must already be able to read the newest key (docs/privacy.md, Keys).
    """
    for model in sealed_models():
        yield from _rotate_model(model, batch)


def _rotate_model(model: type[models.Model], batch: int) -> Generator[Rotated, None, None]:
    done = 0
    while left := left_on_old_keys(model):
        after, round_done = None, 0
        while True:
            with transaction.atomic(durable=True), connection.cursor() as cursor:
                rows = _claim(cursor, model, after, batch)
                _write(cursor, model, rows)
            if not rows:
                break
            after = rows[-1][0]
            round_done += len(rows)
            yield Rotated(model._meta.label, done + round_done, max(0, left - round_done))
        done += round_done
        if not round_done:
            time.sleep(PAUSE_SECONDS)  # the rest is locked by somebody; let them finish


def _quoted(name: str | None) -> str:
    assert name is not None  # the column of a field that has one
    return connection.ops.quote_name(name)


def _on_old_key(model: type[models.Model]) -> tuple[str, list[Any]]:
    head = crypto.envelope_head(crypto.newest_key())
    tests = [f"substring({_quoted(field.column)} FOR %s) <> %s" for field in _sealed_fields(model)]
    return "(" + " OR ".join(tests) + ")", [value for _ in tests for value in (len(head), head)]


def _claim(
    cursor: CursorWrapper, model: type[models.Model], after: object, batch: int
) -> list[tuple[Any, ...]]:
    """Lock the next rows: (pk, seal, sealed values in the order of the fields)."""
    key = model._meta.pk.column
    columns = ", ".join(_quoted(name) for name in [key, "seal", *(f.column for f in _sealed_fields(model))])
    where, parameters = _on_old_key(model)
    if after is not None:
        where, parameters = f"{where} AND {_quoted(key)} > %s", [*parameters, after]
    cursor.execute(
        f"SELECT {columns} FROM {_quoted(model._meta.db_table)} WHERE {where} "
        f"ORDER BY {_quoted(key)} LIMIT %s FOR NO KEY UPDATE SKIP LOCKED",
        [*parameters, batch],
    )
    return cursor.fetchall()


def _write(cursor: CursorWrapper, model: type[models.Model], rows: list[tuple[Any, ...]]) -> None:
    """Write the rows back, sealed anew, in one statement."""
    if not rows:
        return
    fields = _sealed_fields(model)
    arrays: list[list[Any]] = [[row[0] for row in rows]]
    for place, field in enumerate(fields, start=2):
        arrays.append([_sealed_anew(field, row[place], row[1]) for row in rows])
    names = [f"value_{number}" for number in range(len(fields))]
    assignments = ", ".join(
        f"{_quoted(field.column)} = fresh.{name}" for field, name in zip(fields, names, strict=True)
    )
    key_type = model._meta.pk.rel_db_type(connection)
    cursor.execute(
        f"UPDATE {_quoted(model._meta.db_table)} AS kept SET {assignments} "
        f"FROM unnest(%s::{key_type}[]{', %s::bytea[]' * len(fields)}) AS fresh(key, {', '.join(names)}) "
        f"WHERE kept.{_quoted(model._meta.pk.column)} = fresh.key",
        arrays,
    )


def _sealed_anew(field: SealedField, blob: bytes | None, row: UUID) -> bytes | None:
    if blob is None:
        return None
    table, column = field.place
    text = crypto.unseal(bytes(blob), table=table, column=column, row=row)
    return crypto.seal(text, table=table, column=column, row=row)
