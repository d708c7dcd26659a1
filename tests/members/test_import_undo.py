"""Undoing an import: what it made new is taken back by the ways that lead there anyhow (E2)."""

import io
from datetime import timedelta

import pytest
from django.conf import settings as configured
from django.core.management import call_command
from django.utils import timezone

from loyalty.models import Entry, Grant
from members import imports
from members.formats.mapped import guess_mapping
from members.importing import receiving, undoing
from members.importing.errors import StateForbids, UndoImpossible
from members.models import Account, ImportMade, ImportRun, Member, Order
from tests.members.platform_files import order, text, tmall
from tests.trade import Trade, buyer, proven

State = ImportRun.State
JOINING = {"enrolment": {"points": 100}}


@pytest.fixture(autouse=True)
def uploads(settings, tmp_path):
    settings.UPLOADS = tmp_path / "uploads"


@pytest.fixture
def trade(db):
    return Trade(sections={"activities": JOINING})


def bring_in(channel, content):
    run = imports.read(imports.take_in(channel, "file.csv", [content]).pk)
    if run.state == State.COLUMNS:
        imports.choose_columns(run.pk, guess_mapping(run.headers))
        run = imports.read(run.pk)
    imports.start(run.pk)
    return imports.carry_out(run.pk)


def undone(run):
    imports.undo(run.pk)
    return imports.take_back(run.pk)


def customers(*names):
    return text(["customer id", "name"], [{"customer id": name, "name": name} for name in names], "utf-8")


# ------------------------------------------------------------------------------------------- orders


def test_orders_are_called_off_and_their_points_taken_back(trade):
    kept = trade.buy("OWN", "70", buyer("own")).member_id
    run = bring_in(trade.tmall, tmall(order(1, "mei", "100.00"), order(2, "bo", "50.00", day=1)))

    run = undone(run)

    assert run.state == State.UNDONE
    assert (run.facts_undone, run.facts_kept, run.points_undone) == (2, 0, 150)
    assert set(Order.objects.exclude(number="OWN").values_list("status", flat=True)) == {"cancelled"}
    assert Order.objects.get(number="OWN").status != "cancelled"
    held = {member: trade.available(member) for member in Member.objects.values_list("pk", flat=True)}
    assert held.pop(kept) == 70
    assert set(held.values()) == {0}
    assert run.totals_undone["points"] == {"earn": 220, "take_back": -150}
    assert not ImportMade.objects.exists()
    assert proven()


def test_the_same_file_again_brings_everything_back(trade):
    content = tmall(order(1, "mei", "100.00"), order(2, "mei", "50.00", day=1))
    undone(bring_in(trade.tmall, content))

    again = bring_in(trade.tmall, content)

    assert (again.rows_changed, again.points_earned) == (2, 150)
    assert set(Order.objects.values_list("status", flat=True)) == {"completed"}
    assert proven()


def test_points_that_were_spent_meanwhile_are_owed(trade):
    run = bring_in(trade.tmall, tmall(order(1, "mei", "100.00")))
    mei = Order.objects.get().member_id
    trade.spend(mei, 80)

    undone(run)

    assert (trade.available(mei), trade.figures(mei).debt) == (0, 80)
    assert proven()


def test_what_was_told_anew_since_stays_and_so_does_what_was_only_changed(trade):
    bring_in(trade.tmall, tmall(order(1, "mei", "100.00")))
    run = bring_in(
        trade.tmall,
        tmall(order(1, "mei", "90.00"), order(2, "mei", "50.00", day=1), order(3, "mei", "30.00", day=2)),
    )
    bring_in(trade.tmall, tmall(order(3, "mei", "35.00", day=2)))

    run = undone(run)

    assert (run.facts_undone, run.facts_kept) == (1, 1)
    told = Order.objects.order_by("number").values_list("net", "status")
    assert [(str(net), status) for net, status in told] == [
        ("90.00", "completed"),
        ("50.00", "cancelled"),
        ("35.00", "completed"),
    ]
    assert proven()


def test_a_refund_told_since_does_not_keep_an_order_from_being_called_off(trade):
    run = bring_in(trade.tmall, tmall(order(1, "mei", "100.00")))
    trade.refund(Order.objects.get().number, "R1", "40")

    run = undone(run)

    assert (run.facts_undone, run.points_undone) == (1, 60)
    assert proven()


# ----------------------------------------------------------------------------------------- accounts


def test_accounts_are_unbound_and_who_came_by_the_file_alone_gives_back_the_joining_gift(trade):
    zoe = trade.buy("T1", "30", buyer("zoe")).member_id
    run = bring_in(trade.app, customers("mei", "bo"))
    joined = set(Grant.objects.values_list("member_id", flat=True))
    assert len(joined) == 2

    run = undone(run)

    assert (run.facts_undone, run.points_undone) == (2, 200)
    assert not Account.objects.filter(channel=trade.app, unbound_at=None).exists()
    assert {trade.available(member) for member in joined} == {0}
    assert trade.available(zoe) == 30
    assert set(Grant.objects.values_list("state", flat=True)) == {"withdrawn"}
    assert proven()


def test_who_bought_meanwhile_keeps_the_joining_gift(trade):
    run = bring_in(trade.tmall, customers("mei", "bo"))
    bring_in(trade.tmall, tmall(order(1, "mei", "10.00")))

    run = undone(run)

    assert (run.facts_undone, run.points_undone) == (2, 100)
    assert trade.available(Order.objects.get().member_id) == 110


def test_customers_who_are_told_again_are_bound_and_welcomed_again_once(trade):
    content = customers("mei", "bo")
    undone(bring_in(trade.app, content))

    bring_in(trade.app, content)
    bring_in(trade.app, content)

    assert Member.objects.count() == 2
    assert Account.objects.filter(channel=trade.app, unbound_at=None).count() == 2
    assert {trade.available(member) for member in Member.objects.values_list("pk", flat=True)} == {100}
    assert proven()


# --------------------------------------------------------------------------- when, twice, and killed


def test_what_made_nothing_new_or_is_too_long_ago_cannot_be_undone(trade):
    content = tmall(order(1, "mei"))
    run, again = bring_in(trade.tmall, content), bring_in(trade.tmall, content)
    with pytest.raises(UndoImpossible):
        imports.undo(again.pk)

    imports.tidy(timezone.now() + timedelta(days=configured.IMPORT_FILE_DAYS, minutes=1))
    with pytest.raises(UndoImpossible):
        imports.undo(run.pk)
    assert Order.objects.get().status == "completed"


def test_asking_twice_undoes_once(trade):
    run = bring_in(trade.tmall, tmall(order(1, "mei")))
    imports.undo(run.pk)
    imports.undo(run.pk)
    imports.take_back(run.pk)

    with pytest.raises(StateForbids):
        imports.take_back(run.pk)
    with pytest.raises(StateForbids):
        imports.undo(run.pk)
    assert Entry.objects.filter(kind="take_back").count() == 1


def test_one_that_breaks_off_half_way_goes_on_where_it_was(trade, settings, monkeypatch):
    monkeypatch.setattr("members.importing.chunks.CHUNK", 2)
    run = bring_in(trade.tmall, tmall(*(order(number, "mei", day=number) for number in range(5))))
    assert ImportMade.objects.filter(run=run).count() == 3
    imports.undo(run.pk)
    way = receiving.import_string(settings.IMPORT_UNDOERS["orders"])
    called = 0

    def broken(*told, **how):
        nonlocal called
        called += 1
        taken = way(*told, **how)
        if called == 2:
            raise ZeroDivisionError  # after the orders of this chunk were called off
        return taken

    monkeypatch.setattr(undoing, "import_string", lambda _name: broken)
    with pytest.raises(ZeroDivisionError):
        imports.take_back(run.pk)
    run.refresh_from_db()
    assert (run.state, run.problem, run.facts_undone) == (State.DONE, "members.import_failed", 1)
    assert Order.objects.filter(status="cancelled").count() == 1, "the chunk it broke off in is as it was"

    run = undone(run)

    assert (run.state, run.facts_undone, run.points_undone) == (State.UNDONE, 5, 500)
    assert proven()


def test_the_command_undoes_by_number_and_says_so(trade):
    run = bring_in(trade.tmall, tmall(order(1, "mei", "100.00")))
    out = io.StringIO()

    call_command("import_file", "--undo", str(run.pk), stdout=out, stderr=io.StringIO())

    assert "Undone: 1 taken back with 100 points, 0 kept" in out.getvalue()
    assert "After undoing: members 1, " in out.getvalue()
