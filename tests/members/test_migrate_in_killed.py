"""`migrate_in` killed by kill -9 in the middle of its work: resumed, it ends as if it had not been."""

import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection, transaction

from config import database
from members import columns
from members.models import LegacyRow, LegacyRun
from tests.old_shop import GROWN, TICKETS, TIERS, OldShop, outcomes, shape, violations, world

ROOT = Path(__file__).resolve().parent.parent.parent
PEOPLE = 30
# Of its chunks of four rows the first has the tiers; in the sixth, not yet committed, it waits to be killed.
COMMAND = """
import sys, time, django
django.setup()
from django.core.management import call_command
from members.importing import chunks
from members.legacy import applying
chunks.CHUNK, left, note = 4, [6], applying._note
def note_and_wait(*rows):
    note(*rows)
    left[0] -= 1
    if not left[0]:
        print("in the middle", flush=True)
        time.sleep(600)
applying._note = note_and_wait
call_command("migrate_in", *sys.argv[1:])
"""


def package(shop: OldShop) -> dict[str, int]:
    """Write files of many members; their control totals."""
    ids = [f"A{number}" for number in range(1, PEOPLE + 1)]
    joined = {"joined at": "2021-05-01"}
    shop.write(
        members=[
            {"old_id": old_id, "name": f"客{old_id}", "phone": f"138{n:08d}", **joined}
            for n, old_id in enumerate(ids)
        ],
        lots=[
            {"old_id": old_id, "points": str(10 + lot), "earned at": "2026-01-10", "expires at": ends}
            for old_id in ids
            for lot, ends in enumerate(["2099-12-31", "never"])
        ],
        tiers=TIERS,
        growth=GROWN,
        coupons=TICKETS,
    )
    return {"members": PEOPLE, "points": 21 * PEOPLE, "tiers": 2, "growth": 700, "coupons": 2}


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_killed_among_its_lots_it_goes_on_and_ends_like_any_other(tmp_path: Path, settings: Any) -> None:
    settings.UPLOADS = tmp_path / "uploads"
    shop = OldShop(tmp_path / "old")
    expected = package(shop)
    with transaction.atomic():
        straight = shop.bring(**expected)
        assert straight.state == "done"
        uninterrupted, brought = shape(world()), outcomes(straight)
        transaction.set_rollback(True)

    totals = ",".join(f"{name}={total}" for name, total in expected.items())
    process = _start("oldshop", shop.folder, "--expect", totals)
    assert process.stdout is not None and process.stdout.readline() == b"in the middle\n"
    process.send_signal(signal.SIGKILL)
    process.communicate()
    _wait_until_it_is_gone()
    run = LegacyRun.objects.get()
    lots = LegacyRow.objects.filter(kind="lots")
    assert (lots.filter(state="new").count(), lots.count()) == (16, 2 * PEOPLE)
    assert run.state == "applying", "no state says that anybody stopped"
    out = io.StringIO()
    call_command("migrate_in", "--resume", str(run.pk), "--json", stdout=out, stderr=io.StringIO())

    assert json.loads(out.getvalue())["state"] == "done"
    run.refresh_from_db()
    assert (outcomes(run), run.told) == (brought, straight.told)
    assert shape(world()) == uninterrupted
    assert violations() == []


def _start(*arguments: Any) -> "subprocess.Popen[bytes]":
    address = database.address(connection.settings_dict)
    return subprocess.Popen(
        [sys.executable, "-c", COMMAND, *map(str, arguments)],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": address, "DATABASE_OWNER_URL": address, "LANGUAGE_CODE": "en"},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )


_HELD = """
SELECT count(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.database AND d.datname = current_database()
 WHERE l.locktype = 'advisory' AND l.pid <> pg_backend_pid()
"""


def _wait_until_it_is_gone() -> None:
    """Until the database has noticed that nobody is there any more."""
    deadline = time.monotonic() + 30
    while columns.ask(_HELD, []) != [(0,)]:
        assert time.monotonic() < deadline
        time.sleep(0.01)
