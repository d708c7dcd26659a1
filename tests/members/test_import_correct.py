"""Rejected rows are put right where they are shown, and come in as a file of their own (E2)."""

import pytest

from members import imports
from members.formats.mapped import guess_mapping
from members.importing.errors import FileGone, NothingToCorrect, StateForbids
from members.models import Account, ImportReject, ImportRun, Order, Store
from tests.members.platform_files import JD, jd_row, order, text, tmall
from tests.trade import Trade

State = ImportRun.State
PAID_X = {"买家实际支付金额": "x"}
PLACED_X = {"订单创建时间": "gestern"}


@pytest.fixture(autouse=True)
def uploads(settings, tmp_path):
    settings.UPLOADS = tmp_path / "uploads"


@pytest.fixture
def trade(db):
    return Trade()


def look(run):
    run = imports.read(run.pk)
    if run.state == State.COLUMNS:
        imports.choose_columns(run.pk, guess_mapping(run.headers))
        run = imports.read(run.pk)
    return run


def bring_in(channel, content):
    run = look(imports.take_in(channel, "orders.csv", [content]))
    imports.start(run.pk)
    return imports.carry_out(run.pk)


def go_on(run):
    run = imports.read(run.pk)
    imports.start(run.pk)
    return imports.carry_out(run.pk)


def faults(run):
    found = ImportReject.objects.filter(run=run, is_row_kept=False).order_by("line")
    return [(fault.line, fault.column, fault.code) for fault in found]


def test_a_corrected_row_comes_in_and_the_others_are_told_again(trade):
    run = bring_in(
        trade.tmall,
        tmall(order(1, "mei"), order(2, "bo", "50.00", **PAID_X), order(3, "bo", **PLACED_X)),
    )
    assert [line for line, *_ in faults(run)] == [3, 4]
    ((line, column, _code), _) = faults(run)

    again = go_on(imports.correct(run.pk, {line: {column: "50.00"}}))

    assert (again.file_name, again.format) == ("orders-corrected.csv", "tmall-orders")
    assert (again.rows_new, again.rows_rejected) == (1, 1)
    assert sorted(f"{net}" for net in Order.objects.values_list("net", flat=True)) == ["100.00", "50.00"]
    assert Order.objects.filter(account__isnull=False).count() == 2
    assert run.rows_new == 1, "the first run is what it was"


def test_an_order_of_several_rows_comes_in_whole(trade):
    run = bring_in(
        trade.tmall,
        text(JD, [jd_row("1001", "A", "100.00"), {**jd_row("1001", "B", "100.00"), "京东价": "?"}]),
    )
    line, column, _code = next(fault for fault in faults(run) if fault[1])

    go_on(imports.correct(run.pk, {line: {column: "50.00"}}))

    assert Order.objects.get().lines.count() == 2


def test_rows_that_nothing_is_wrong_with_any_more_come_in_as_they_stand(trade):
    rows = [{"order number": "A1", "placed at": "2026-06-01 10:00:00", "paid": "10.00", "store": "west"}]
    run = bring_in(trade.tmall, text(list(rows[0]), rows, "utf-8"))
    assert [code for *_, code in faults(run)] == ["members.store_unknown"]
    Store.objects.create(channel=trade.tmall, code="west", name="West")

    again = go_on(imports.correct(run.pk, {}))

    assert (again.rows_new, again.mapping) == (1, run.mapping)


def test_of_two_rows_that_contradict_each_other_the_second_does_not_come_in_by_itself(trade):
    run = bring_in(trade.tmall, tmall(order(1, "mei", "10.00"), order(1, "mei", "20.00")))
    assert [code for *_, code in faults(run)] == ["duplicate_in_file"]

    with pytest.raises(NothingToCorrect):
        imports.correct(run.pk, {})
    again = go_on(imports.correct(run.pk, {3: {"订单编号": "3026000000000000007"}}))

    assert again.rows_new == 1
    assert Order.objects.get(number="3026000000000000001").net == 10


def test_a_corrected_phone_is_the_customers(trade):
    rows = [{"customer id": "mei", "name": "梅", "phone": "1.38E+10"}]
    run = bring_in(trade.app, text(list(rows[0]), rows, "utf-8"))
    assert faults(run) == [(2, "phone", "phone_destroyed")]

    go_on(imports.correct(run.pk, {2: {"phone": "13800138000"}}))

    assert Account.objects.get().member.identifiers.filter(kind="phone").exists()
    again = ImportRun.objects.get(file_name="orders-corrected.csv")
    assert (again.totals_before["phones"], again.totals_after["phones"]) == (0, 1)


def test_a_file_that_is_erased_or_at_work_cannot_be_corrected(trade):
    run = bring_in(trade.tmall, tmall(order(2, "bo", "x")))
    ImportRun.objects.filter(pk=run.pk).update(state=State.APPLYING)
    with pytest.raises(StateForbids):
        imports.correct(run.pk, {})

    ImportRun.objects.filter(pk=run.pk).update(state=State.DONE)
    (imports.files.path_of(run.key)).unlink()
    with pytest.raises(FileGone):
        imports.correct(run.pk, {})
    assert ImportRun.objects.count() == 1
