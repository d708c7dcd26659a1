"""Exports: masked, harmless in a spreadsheet, and on the trail."""

import csv
import io
import json
from datetime import date

import pytest
from django.core.management import CommandError, call_command
from openpyxl import load_workbook

from members import accounts, exports
from members.facts import AccountFact
from members.models import Member
from privacy.models import AccessRecord
from tests.trade import Trade, phone


@pytest.fixture
def trade(db):
    made = Trade()
    made.buy("A1", "100.00", AccountFact(external_id="mei-123456", identifiers=(phone("+8613912345678"),)))
    accounts.receive(
        made.tmall,
        [
            AccountFact(
                external_id="mei-123456",
                name="张三丰",
                nick='=HYPERLINK("http://x")',
                birthday=date(1990, 2, 28),
                city="@SUM(1)",
            )
        ],
        now=made.now,
    )
    made.buy("A2", "50.00", None)
    return made


def exported(trade, kind, tmp_path):
    path = tmp_path / f"{kind}.csv"
    exports.write(trade.tmall, kind, path, label="test")
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig"))))


def test_members_leave_masked(trade, tmp_path):
    (row,) = exported(trade, "members", tmp_path)

    assert row["member_no"] == Member.objects.get().number
    assert row["name"].startswith("张")
    assert "三丰" not in row["name"]
    assert row["phone"] == "139****5678"
    assert "1990" not in row["birthday"]
    assert "13912345678" not in json.dumps(row)


def test_text_is_never_a_formula(trade, tmp_path):
    (row,) = exported(trade, "members", tmp_path)
    assert row["city"] == "'@SUM(1)"

    (account,) = exported(trade, "accounts", tmp_path)
    assert not account["nick"].startswith("=")
    assert "mei-123456" not in account.values()


def test_orders_leave_with_their_money_and_whose_they_are(trade, tmp_path):
    first, second = exported(trade, "orders", tmp_path)

    assert (first["order_no"], first["net"], first["refunded_goods"]) == ("A1", "100.00", "0.00")
    assert first["member_no"] == Member.objects.get().number
    assert (second["order_no"], second["member_no"]) == ("A2", "")


def test_points_leave_entry_by_entry(trade, tmp_path):
    (row,) = exported(trade, "points", tmp_path)

    assert (row["kind"], row["points"], row["balance_after"]) == ("earn", "100", "100")


def test_only_the_rows_of_the_channel_leave(trade, tmp_path):
    assert exports.write(trade.app, "members", tmp_path / "app.csv", label="test") == 0
    assert exports.write(trade.app, "orders", tmp_path / "app.csv", label="test") == 0


def test_a_workbook_holds_the_same(trade, tmp_path):
    path = tmp_path / "orders.xlsx"

    assert exports.write(trade.tmall, "orders", path, label="test") == 2

    header, first, _second = load_workbook(path).active.iter_rows(values_only=True)
    assert header == exports.OrdersSource.columns
    assert first[0] == "A1"
    assert first[8] == 100


def test_whose_data_left_is_on_the_trail(trade, tmp_path):
    exported(trade, "members", tmp_path)

    record = AccessRecord.objects.get(action="export")
    assert record.subjects == [Member.objects.get().pk]
    assert record.actor_label == "test"
    assert record.channel == "tmall"
    assert set(record.fields) == {"name", "phone", "email", "birthday"}


def test_the_command_says_how_much(trade, tmp_path):
    out = io.StringIO()
    call_command("export_file", "tmall", "orders", str(tmp_path / "o.csv"), "--json", stdout=out)
    assert json.loads(out.getvalue())["rows"] == 2

    with pytest.raises(CommandError, match=r"\.csv"):
        call_command("export_file", "tmall", "orders", str(tmp_path / "o.pdf"))
    with pytest.raises(CommandError):
        call_command("export_file", "nowhere", "orders", str(tmp_path / "o.csv"))
