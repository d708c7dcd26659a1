"""`import_file`: reports, exit statuses, and a process that is killed again and again."""

import io
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from config import database
from members import channels
from members.models import ImportRun, Member, Order, StagedFact
from tests.members.platform_files import order, tmall
from tests.trade import Trade

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture(autouse=True)
def folders(settings, tmp_path):
    settings.UPLOADS = tmp_path / "uploads"
    settings.VAR = tmp_path


@pytest.fixture
def trade(db):
    return Trade()


@pytest.fixture
def file(tmp_path):
    def written(*rows):
        path = tmp_path / "orders.csv"
        path.write_bytes(tmall(*rows))
        return path

    return written


def run_command(*arguments):
    """Its exit status and its report."""
    out = io.StringIO()
    try:
        call_command("import_file", *map(str, arguments), "--json", stdout=out, stderr=io.StringIO())
    except SystemExit as end:
        return end.code, json.loads(out.getvalue())
    return 0, json.loads(out.getvalue())


def test_all_rows_in_is_0(trade, file):
    status, found = run_command("tmall", file(order(1, "mei"), order(2, "bo")))

    assert status == 0
    assert found["rows"] == {
        "read": 2,
        "new": 2,
        "changed": 0,
        "same": 0,
        "rejected": 0,
        "ignored": 0,
        "left": 0,
    }
    assert found["rejected_file"] is None


def test_some_rejected_is_3_and_their_rows_are_in_a_file(trade, file):
    status, found = run_command("tmall", file(order(1, "mei"), order(2, "bo", "x")))

    assert status == 3
    lines = Path(found["rejected_file"]).read_text(encoding="utf-8-sig").splitlines()
    assert len(lines) == 2
    assert lines[1].startswith("3,买家")
    assert "amount_invalid" in lines[1]


def test_a_dry_run_tells_and_changes_nothing(trade, file):
    status, found = run_command("tmall", file(order(1, "mei"), order(2, "bo", "x")), "--dry-run")

    assert status == 3
    assert found["dry_run"]
    assert found["rows"] == {
        "read": 2,
        "new": 1,
        "changed": 0,
        "same": 0,
        "rejected": 1,
        "ignored": 0,
        "left": 0,
    }
    assert found["points"] == {"earned": 100, "taken": 0}
    assert not Order.objects.exists()
    assert not Member.objects.exists()
    assert not StagedFact.objects.exists()


def test_what_cannot_be_read_is_2(trade, tmp_path):
    path = tmp_path / "letter.pdf"
    path.write_bytes(b"%PDF-1.7")
    status, found = run_command("tmall", path)
    assert status == 2
    assert found["problem"]["code"] == "members.file_kind_unknown"

    for arguments in (["nowhere", path], ["tmall", tmp_path / "missing.csv"], ["tmall"]):
        with pytest.raises(CommandError) as error:
            call_command("import_file", *map(str, arguments), stderr=io.StringIO())
        assert error.value.returncode == 2


def test_unknown_columns_are_2_and_name_the_nearest_format(trade, tmp_path):
    path = tmp_path / "any.csv"
    path.write_text("Nr,Wann\n1,2\n")

    status, found = run_command("tmall", path)

    assert (status, found["problem"]["code"]) == (2, "members.columns_unknown")


def test_a_done_import_resumed_reports_again_and_another_file_is_refused(trade, file, tmp_path):
    path = file(order(1, "mei"))
    _, first = run_command("tmall", path)

    status, again = run_command("tmall", path, "--resume", first["import"])

    assert (status, again["rows"]) == (0, first["rows"])
    other = tmp_path / "other.csv"
    other.write_bytes(tmall(order(2, "mei")))
    with pytest.raises(CommandError):
        call_command(
            "import_file", "tmall", str(other), "--resume", str(first["import"]), stderr=io.StringIO()
        )
    assert Order.objects.count() == 1


# ---------------------------------------------------------------------------------------------- kill -9

ROWS = 3000
KILLS = 4


def outcome_of(channel):
    """Everything that the import is about, without ids and times of writing."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT o.number, o.status, o.net, o.refunded_goods, o.paid_at, w.balance, w.tier, w.version,"
            " (SELECT array_agg((e.kind, e.points, e.balance_after) ORDER BY e.version)"
            "  FROM loyalty_entry e WHERE e.order_id = o.id)::text,"
            " (SELECT count(*) FROM members_orderline l WHERE l.order_id = o.id),"
            " (SELECT string_agg(h.status, ',' ORDER BY h.id) FROM members_orderstatusentry h"
            "  WHERE h.order_id = o.id)"
            " FROM members_order o JOIN loyalty_wallet w ON w.member_id = o.member_id"
            " WHERE o.channel_id = %s ORDER BY o.number",
            [channel.pk],
        )
        rows = cursor.fetchall()
    assert len(rows) == ROWS
    return rows


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_an_import_killed_at_any_moment_ends_as_if_it_had_not_been(tmp_path):
    trade = Trade()
    other = channels.make("tmall-two", platform="tmall", brand="other")
    dice = random.Random(11)
    path = tmp_path / "orders.csv"
    path.write_bytes(
        tmall(
            *(
                order(
                    number,
                    f"buyer{dice.randrange(700)}",
                    f"{dice.randrange(100, 90000) / 100:.2f}",
                    day=dice.randrange(150),
                    **({"退款金额": "1.00"} if number % 20 == 0 else {}),
                )
                for number in range(ROWS)
            )
        )
    )
    assert run_command(trade.tmall.code, path)[0] == 0

    # Killed before, while and after it reads, and at some chunk of applying; each time resumed.
    resume: list[str] = []
    for _ in range(KILLS):
        _kill_after(_start(tmp_path, other.code, path, *resume), dice.uniform(1.0, 4.0))
        last = ImportRun.objects.filter(channel=other).first()
        resume = ["--resume", str(last.pk)] if last else []
    last_process = _start(tmp_path, other.code, path, *resume)
    out, _ = last_process.communicate(timeout=300)

    assert last_process.returncode == 0, out
    report = json.loads(out)
    assert report["rows"]["new"] == report["rows"]["read"] == ROWS
    assert outcome_of(other) == outcome_of(trade.tmall)
    assert not StagedFact.objects.exists()


def _start(tmp_path, *arguments):
    address = database.address(connection.settings_dict)
    environment = {
        **os.environ,
        "DATABASE_URL": address,
        "DATABASE_OWNER_URL": address,
        "LANGUAGE_CODE": "en",
    }
    return subprocess.Popen(
        [sys.executable, ROOT / "manage.py", "import_file", *map(str, arguments), "--json"],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


def _kill_after(process, seconds):
    time.sleep(seconds)
    process.send_signal(signal.SIGKILL)
    process.communicate()
