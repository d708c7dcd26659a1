"""Imports: the counts add up, a look changes nothing, and an interrupted run ends like any other."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.utils import timezone, translation

from loyalty.models import Entry
from members import channels, imports
from members.facts import (
    AccountFact,
    AmountsFact,
    Gender,
    IdentifierFact,
    IdentifierKind,
    LineFact,
    OrderFact,
    OrderStatus,
    digest,
)
from members.formats.mapped import Mapping
from members.importing import files, packing, report, showing, turns
from members.importing.errors import FileTooLarge, ImportBusy, StateForbids
from members.models import (
    Account,
    ColumnMapping,
    ImportReject,
    ImportRun,
    Member,
    Order,
    OrderLine,
    OutboxEvent,
    StagedFact,
)
from tests.members.platform_files import JD, jd_row, order, text, tmall
from tests.trade import Trade

State = ImportRun.State


@pytest.fixture(autouse=True)
def uploads(settings, tmp_path):
    settings.UPLOADS = tmp_path / "uploads"
    return settings.UPLOADS


@pytest.fixture
def trade(db):
    return Trade()


def look(channel, content, **told):
    """A file taken in and read."""
    run = imports.take_in(channel, "file.csv", [content], **told)
    return imports.read(run.pk)


def bring_in(channel, content, **told):
    """A file all the way in."""
    run = look(channel, content, **told)
    assert run.state == State.READY, report.document(run)
    imports.start(run.pk)
    return imports.carry_out(run.pk)


def rows_of(run):
    return {word: number for word, number in report.rows(run).items() if number}


def world():
    """How much there is of everything that an import could change."""
    return {
        model.__name__: model.objects.count()
        for model in (Member, Account, Order, OrderLine, Entry, OutboxEvent)
    }


# ------------------------------------------------------------------------------------------- one file


def test_a_file_goes_in(trade):
    run = bring_in(
        trade.tmall,
        tmall(
            order(1, "mei", "100.00"),
            order(2, "mei", "50.50", day=1),
            order(3, "bo", "10.00", **{"退款金额": "10.00"}),
        ),
    )

    assert run.state == State.DONE
    assert rows_of(run) == {"read": 3, "new": 3}
    found = report.document(run)
    assert found["orders"] == {
        "read": 3,
        "new": 3,
        "changed": 0,
        "same": 0,
        "rejected": 0,
        "ignored": 0,
        "left": 0,
    }
    assert found["money"] == {"net": "160.50", "postage": "0.00", "refunded": "10.00"}
    assert found["points"] == {"earned": 160, "taken": 10}
    assert found["totals"]["before"]["orders"] == 0
    assert (found["totals"]["before"]["phones"], found["totals"]["after"]["phones"]) == (0, 0)
    assert found["totals"]["after"]["orders"] == 3
    assert found["totals"]["after"]["points"]["earn"] == 160
    assert Order.objects.filter(channel=trade.tmall, member__isnull=False).count() == 3
    assert not StagedFact.objects.exists()


def test_the_same_file_again_changes_nothing(trade):
    content = tmall(*(order(number, f"buyer{number % 4}", day=number) for number in range(1, 12)))
    bring_in(trade.tmall, content)
    before = world()

    again = bring_in(trade.tmall, content)

    assert rows_of(again) == {"read": 11, "same": 11}
    assert report.document(again)["points"] == {"earned": 0, "taken": 0}
    assert world() == before


def test_what_a_preview_foretells_comes_true_and_a_look_changes_nothing(trade):
    bring_in(trade.tmall, tmall(order(1, "mei"), order(2, "mei")))
    before = world()
    later = tmall(
        order(1, "mei"),
        order(2, "mei", **{"退款金额": "40.00"}),
        order(3, "bo", "30.00"),
        order(4, "bo", "x"),
    )

    run = look(trade.tmall, later)

    assert world() == before
    assert run.preview["rows"] == {"new": 1, "changed": 1, "same": 1, "rejected": 0}
    assert run.preview["money"] == {"net": "130.00", "postage": "0.00", "refunded": "40.00"}
    assert run.preview["members"] == 1
    assert run.preview["points"] == {"earned": 30, "taken": 40}
    imports.start(run.pk)
    run = imports.carry_out(run.pk)
    assert rows_of(run) == {"read": 4, "new": 1, "changed": 1, "same": 1, "rejected": 1}
    assert report.document(run)["points"] == {"earned": 30, "taken": 40}


def test_a_preview_shows_old_and_new_and_masks_people(trade):
    bring_in(trade.tmall, tmall(order(1, "王小明的店")))
    run = look(trade.tmall, tmall(order(1, "王小明的店", **{"退款金额": "40.00"}), order(2, "王小明的店")))

    changed, new = showing.rows(run)

    assert (changed.outcome, new.outcome) == ("changed", "new")
    refunded = changed.cells[-1]
    assert (refunded.was, refunded.text) == ("¥0.00", "¥40.00")
    assert [cell.was for cell in changed.cells[:-1]] == [None] * 7
    shown = " ".join(cell.text for cell in (*changed.cells, *new.cells))
    assert "王小明" not in shown


def test_a_file_is_applied_in_the_order_in_which_things_happened(trade):
    bring_in(trade.tmall, tmall(order(3, "mei", day=9), order(1, "mei", day=1), order(2, "mei", day=5)))

    happened = list(
        Entry.objects.filter(kind="earn").order_by("version").values_list("order__number", flat=True)
    )

    assert [number[-1] for number in happened] == ["1", "2", "3"]


def test_total_and_blank_rows_are_ignored(trade):
    run = bring_in(trade.tmall, tmall(order(1, "mei"), {}, {"订单编号": "合计", "总金额": "100.00"}))

    assert rows_of(run) == {"read": 3, "new": 1, "ignored": 2}
    assert run.ignored == {"blank": 1, "total": 1}


# -------------------------------------------------------------------------------- what is told twice


def test_a_second_row_that_differs_is_rejected_and_one_that_does_not_is_the_same(trade):
    run = bring_in(
        trade.tmall, tmall(order(1, "mei"), order(2, "bo"), order(1, "mei"), order(2, "bo", "99.00"))
    )

    assert rows_of(run) == {"read": 4, "new": 2, "same": 1, "rejected": 1}
    reject = ImportReject.objects.get()
    assert (reject.line, reject.code, reject.column) == (5, "duplicate_in_file", "订单编号")
    assert Order.objects.get(number__endswith="02").net == Decimal("100.00")


def test_parts_of_one_order_that_stand_apart_are_one_order(trade):
    content = text(
        JD, [jd_row("1001", "A", "100.00"), jd_row("1002", "C", "50.00"), jd_row("1001", "B", "100.00")]
    )

    run = bring_in(trade.tmall, content)

    assert rows_of(run) == {"read": 3, "new": 3}
    assert report.facts(run)["new"] == 2
    assert Order.objects.get(number="1001").net == Decimal("100.00")
    assert set(OrderLine.objects.filter(order__number="1001").values_list("product", flat=True)) == {"A", "B"}


# ------------------------------------------------------------------------------------------- rejects


def test_one_bad_entry_is_rejected_and_the_others_stand(trade):
    header = ["order number", "placed at", "paid", "store"]
    content = text(
        header,
        [
            {
                "order number": f"A{number}",
                "placed at": "2026-06-01 10:00:00",
                "paid": "10.00",
                "store": store,
            }
            for number, store in enumerate(["", "nowhere", ""])
        ],
        "utf-8",
    )

    run = bring_in(trade.tmall, content, format_name="mapped")

    assert rows_of(run) == {"read": 3, "new": 2, "rejected": 1}
    reject = ImportReject.objects.get()
    assert (reject.line, reject.code) == (3, "members.store_unknown")
    assert "nowhere" in report.reason(reject.code, reject.details)
    assert set(Order.objects.values_list("number", flat=True)) == {"A0", "A2"}


def test_when_all_are_refused_alike_the_run_stops_and_blames_no_row(db):
    channel = channels.make("tmall", platform="tmall")
    run = look(channel, tmall(order(1, "mei"), order(2, "bo")))  # there is no programme yet
    assert run.preview["points"] is None
    imports.start(run.pk)

    run = imports.carry_out(run.pk)

    assert (run.state, run.problem) == (State.STOPPED, "loyalty.programme_missing")
    assert rows_of(run) == {"read": 2, "left": 2}
    assert not Order.objects.exists()
    Trade()
    imports.resume(run.pk)
    assert rows_of(imports.carry_out(run.pk)) == {"read": 2, "new": 2}


def test_rejected_rows_are_told_in_the_readers_language_and_carry_no_formula(trade, tmp_path):
    bad = order(1, "mei", "=cmd()|1")
    run = look(trade.tmall, tmall(bad, order(2, "bo")))
    path = tmp_path / "rejected.csv"

    with translation.override("en"), path.open("w", encoding="utf-8-sig", newline="") as stream:
        written = report.write_rejected(run, stream)

    assert written == 1
    header, line = path.read_text(encoding="utf-8-sig").splitlines()
    assert header == "Line,Column,Code,Reason,Value"
    assert line.startswith("2,")
    assert "amount_invalid" in line
    assert ",=" not in line
    assert "'=cmd" in line


def test_phones_in_rejected_rows_are_masked(trade):
    run = look(trade.tmall, tmall(order(1, "mei", "13800138000元x")))

    reject = ImportReject.objects.get(run=run)
    assert "13800138000" not in reject.value


# ------------------------------------------------------------------------------- stopping and resuming


def test_a_stopped_run_goes_on_where_it_was(trade, monkeypatch):
    monkeypatch.setattr("members.importing.chunks.CHUNK", 4)
    run = look(trade.tmall, tmall(*(order(number, "mei", day=number) for number in range(1, 11))))
    imports.start(run.pk)

    stopped = imports.carry_out(run.pk, lambda now: imports.stop(now.pk) if now.rows_new == 4 else None)

    assert stopped.state == State.STOPPED
    assert rows_of(stopped) == {"read": 10, "new": 4, "left": 6}
    assert Order.objects.count() == 4
    imports.resume(run.pk)
    done = imports.carry_out(run.pk)
    assert rows_of(done) == {"read": 10, "new": 10}
    assert report.document(done)["points"]["earned"] == 1000
    assert Entry.objects.filter(kind="earn").count() == 10


class Killed(BaseException):
    """What ends a process in the middle of things."""


def test_a_run_whose_process_died_applies_nothing_twice(trade, monkeypatch):
    monkeypatch.setattr("members.importing.chunks.CHUNK", 3)
    run = look(trade.tmall, tmall(*(order(number, "mei", day=number) for number in range(1, 9))))
    imports.start(run.pk)

    def die(now):
        if now.rows_new == 6:
            raise Killed

    with pytest.raises(Killed):
        imports.carry_out(run.pk, die)
    assert imports.get(run.pk).state == State.APPLYING
    done = imports.carry_out(run.pk)

    assert rows_of(done) == {"read": 8, "new": 8}
    assert report.document(done)["points"]["earned"] == 800
    assert Entry.objects.count() == 8


def test_reading_that_was_cut_off_begins_anew(trade, monkeypatch):
    monkeypatch.setattr("members.importing.staging.CHUNK", 3)
    content = tmall(*(order(number, "mei") for number in range(1, 8)), order(9, "mei", "x"))
    run = imports.take_in(trade.tmall, "a.csv", [content])

    def die(now):
        if now.rows_read == 6:
            raise Killed

    with pytest.raises(Killed):
        imports.read(run.pk, die)
    assert StagedFact.objects.count() == 6
    run = imports.read(run.pk)

    assert rows_of(run) == {"read": 8, "new": 7, "rejected": 1}
    assert StagedFact.objects.count() == 7
    assert ImportReject.objects.count() == 1


def test_a_discarded_run_leaves_nothing(trade, django_capture_on_commit_callbacks):
    run = look(trade.tmall, tmall(order(1, "mei")))
    assert files.path_of(run.key).exists()

    with django_capture_on_commit_callbacks(execute=True):
        imports.discard(run.pk)

    assert not StagedFact.objects.exists()
    assert not files.path_of(run.key).exists()
    with pytest.raises(StateForbids):
        imports.start(run.pk)


@pytest.mark.django_db(transaction=True)
def test_two_runs_never_import_into_one_channel_at_once():
    trade = Trade()
    run = look(trade.tmall, tmall(order(1, "mei")))
    imports.start(run.pk)
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s, %s)", [turns.CHANNELS, trade.tmall.pk])
        with pytest.raises(ImportBusy):
            imports.carry_out(run.pk)
    finally:
        other.close()
    assert imports.get(run.pk).state == State.QUEUED
    assert imports.carry_out(run.pk).state == State.DONE


# ---------------------------------------------------------------------------------- files and columns


def test_a_file_that_is_no_table_is_refused_with_a_reason(trade):
    run = look(trade.tmall, b"%PDF-1.7 no table")

    assert (run.state, run.problem) == (State.REFUSED, "members.file_kind_unknown")


def test_a_file_beyond_the_limit_leaves_nothing_behind(trade, settings, uploads):
    settings.UPLOAD_LIMIT = 10

    with pytest.raises(FileTooLarge):
        imports.take_in(trade.tmall, "big.csv", [b"12345", b"678901"])

    assert list(uploads.iterdir()) == []
    assert not ImportRun.objects.exists()


def test_the_name_of_a_file_is_for_display_only(trade, uploads):
    run = imports.take_in(trade.tmall, "../../etc/pass\u202ewd\n.csv", [b"a"])

    assert run.file_name == "passwd.csv"
    assert [path.name for path in uploads.iterdir()] == [str(run.key)]


def test_columns_are_asked_once_and_remembered(trade):
    content = text(
        ["Nr", "Wann", "Wieviel"], [{"Nr": "Z1", "Wann": "2026-06-01", "Wieviel": "12.00"}], "utf-8"
    )
    run = look(trade.tmall, content)
    assert run.state == State.COLUMNS

    imports.choose_columns(
        run.pk, Mapping(kind="orders", fields={"number": "Nr", "placed_at": "Wann", "paid": "Wieviel"})
    )
    run = imports.read(run.pk)

    assert (run.state, run.format) == (State.READY, "mapped")
    assert rows_of(bring_in(trade.tmall, content)) == {"read": 1, "new": 1}
    assert ColumnMapping.objects.count() == 1


def test_a_file_for_another_channel_can_be_moved_before_it_is_in(trade):
    run = look(trade.app, tmall(order(1, "mei")))

    imports.move(run.pk, trade.tmall)
    imports.read(run.pk)
    imports.start(run.pk)
    imports.carry_out(run.pk)

    assert Order.objects.get().channel == trade.tmall
    with pytest.raises(StateForbids):
        imports.move(run.pk, trade.app)


def test_what_has_served_is_erased(trade, settings, django_capture_on_commit_callbacks):
    done = bring_in(trade.tmall, tmall(order(1, "mei"), order(2, "bo", "x")))
    forgotten = look(trade.tmall, tmall(order(3, "mei")))
    with django_capture_on_commit_callbacks(execute=True):
        assert imports.tidy(timezone.now()) == 0

    with django_capture_on_commit_callbacks(execute=True):
        erased = imports.tidy(timezone.now() + timedelta(days=settings.IMPORT_FILE_DAYS + 1))

    assert erased == 2
    assert not files.path_of(done.key).exists()
    assert not files.path_of(forgotten.key).exists()
    assert imports.get(forgotten.pk).state == State.DISCARDED
    assert ImportReject.objects.count() == 1
    imports.tidy(timezone.now() + timedelta(days=settings.IMPORT_REJECT_DAYS + 1))
    assert not ImportReject.objects.exists()


# ------------------------------------------------------------------------------------ personal data


def test_staged_people_rest_sealed(trade):
    look(trade.tmall, tmall(order(1, "mei", **{"收货人姓名": "张三丰", "联系手机": "13912345678"})))

    with connection.cursor() as cursor:
        cursor.execute("SELECT payload FROM members_stagedfact")
        payload = bytes(cursor.fetchone()[0])

    assert "张三丰".encode() not in payload
    assert b"13912345678" not in payload


def test_what_is_packed_is_unpacked_the_same():
    at = datetime(2026, 6, 1, 10, tzinfo=UTC)
    fact = OrderFact(
        number="1",
        status=OrderStatus.PAID,
        amounts=AmountsFact(goods=Decimal("12.30"), discount=Decimal("1.00")),
        buyer=AccountFact(
            external_id="mei",
            identifiers=(IdentifierFact(kind=IdentifierKind.PHONE, value="+8613800138000", verified=False),),
            gender=Gender.FEMALE,
            birthday=date(1990, 2, 28),
            tags=("vip",),
        ),
        placed_at=at,
        lines=(LineFact(product="A", amount=Decimal("11.30")), LineFact(product="", quantity=3)),
        refunded_total=Decimal("0.00"),
        version=7,
    )

    again = packing.unpack("orders", packing.pack(fact))

    assert again == fact
    assert digest(again) == digest(fact)
