"""Migrations: interrupted anywhere they end the same, and what came can go back."""

import io
import json
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import localtime

from loyalty import clock, statement
from loyalty.models import Coupon, CouponMove, Entry, GrowthEntry, TierEvent, Wallet
from members import legacies, merging
from members.importing import chunks
from members.legacy import applying, arrivals, report, undoing
from members.legacy.errors import PackageUsed
from members.models import Account, ImportRun, LegacyRow, LegacyRun, Member
from tests.old_shop import LOTS, MEMBERS, TOTALS, OldShop, outcomes, shape, violations, world


@pytest.fixture(autouse=True)
def uploads(settings, tmp_path):
    settings.UPLOADS = tmp_path / "uploads"
    settings.VAR = tmp_path


@pytest.fixture
def shop(db, tmp_path):
    return OldShop(tmp_path / "old")


# --- interrupted ---------------------------------------------------------------------------------------


class Killed(Exception):
    """The process is gone."""


def killed_after(monkeypatch, room, chunks_done):
    """Let the process die when so many chunks are done, in the midst of the next one's transaction."""
    note, left = room._note, [chunks_done]

    def dying(*rows):
        note(*rows)
        if not left[0]:
            raise Killed
        left[0] -= 1

    monkeypatch.setattr(room, "_note", dying)


@pytest.mark.parametrize("chunks_done", [0, 3, 6])
def test_killed_at_any_batch_it_goes_on_and_ends_like_any_other(shop, monkeypatch, tmp_path, chunks_done):
    monkeypatch.setattr(chunks, "CHUNK", 1)
    shop.write_all()
    run = shop.read()
    legacies.start(run.pk)
    with monkeypatch.context() as patch, pytest.raises(Killed):
        killed_after(patch, applying, chunks_done)
        legacies.carry_out(run.pk)
    assert legacies.get(run.pk).state == "stopped"
    assert violations() == []

    legacies.resume(run.pk)
    run = legacies.carry_out(run.pk)

    assert run.state == "done"
    assert (outcomes(run)["lots"], run.totals_after["points"]) == ({"new": 3}, {"open": 450})
    assert Entry.objects.count() == 3
    assert Coupon.objects.count() == 2
    assert violations() == []


def test_resumed_or_not_it_ends_the_same(shop, monkeypatch):
    """One package is killed at every batch, both ways; the world it leaves is the uninterrupted one's."""
    monkeypatch.setattr(chunks, "CHUNK", 1)
    shop.write_all()

    def there(kill):
        run = shop.read()
        legacies.start(run.pk)
        while kill:
            with monkeypatch.context() as patch:
                killed_after(patch, applying, 1)
                try:
                    legacies.carry_out(run.pk)
                    break
                except Killed:
                    legacies.resume(run.pk)
        return legacies.carry_out(run.pk) if not kill else legacies.get(run.pk)

    with transaction.atomic():
        straight = there(kill=False)
        expected = world()
        known = straight.told
        transaction.set_rollback(True)

    run = there(kill=True)

    assert shape(world()) == shape(expected)
    assert run.told == known


def test_a_process_that_dies_among_the_members_goes_on_with_them(shop, monkeypatch):
    """Killed outright: no state says that anybody stopped."""
    monkeypatch.setattr("members.importing.chunks.CHUNK", 1)
    shop.write_all()
    run = shop.read()
    legacies.start(run.pk)
    receive, left = arrivals.receive, [2]

    def dying(*facts, **how):
        left[0] -= 1
        if left[0] < 0:
            raise Killed
        return receive(*facts, **how)

    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(arrivals, "receive", dying)
        legacies.carry_out(run.pk)
    ImportRun.objects.update(state="applying")
    LegacyRun.objects.update(state="applying")
    assert (Account.objects.count(), Entry.objects.count()) == (2, 0)

    legacies.resume(run.pk)
    run = legacies.carry_out(run.pk)

    assert (run.state, outcomes(run)["members"]) == ("done", {"new": 3})
    assert violations() == []


def test_a_chunk_costs_as_much_for_many_as_for_few(shop):
    """Both ways: no statement for each member, lot, tier or coupon."""
    counts = []
    for letter, rows in (("B", 2), ("C", 12)):
        ids = [f"{letter}{number}" for number in range(rows)]
        shop.write(
            members=[{"old_id": id_, "name": id_, "phone": ""} for id_ in ids],
            tiers=[{"old_id": id_, "tier": "gold", "until": "2099-01-01"} for id_ in ids],
            lots=[{"old_id": id_, "points": "10", "expires at": "never"} for id_ in ids],
            growth=[{"old_id": id_, "growth": "10"} for id_ in ids],
            coupons=[{"old_id": id_, "campaign": "spring", "code": f"{id_}-CODE"} for id_ in ids],
        )
        totals = {"members": rows, "tiers": rows, "points": 10 * rows, "growth": 10 * rows, "coupons": rows}
        run = shop.read(**totals)
        legacies.start(run.pk)
        with CaptureQueriesContext(connection) as there:
            legacies.carry_out(run.pk)
        legacies.take_back(run.pk, "refuse")
        with CaptureQueriesContext(connection) as back:
            legacies.carry_back(run.pk)
        counts.append((len(there), len(back)))

    assert counts[0] == counts[1]


# --- the way back --------------------------------------------------------------------------------------


def test_a_package_goes_back_as_it_came(shop):
    shop.write_all()
    run = shop.bring()

    run = shop.take_back(run)

    assert run.state == "undone"
    assert list(Wallet.objects.order_by("member").values_list("balance", "debt", "tier")) == [
        (0, 0, "basic"),
        (0, 0, "basic"),
    ]
    assert sum(entry.growth for entry in GrowthEntry.objects.all()) == 0
    assert set(Coupon.objects.values_list("state", flat=True)) == {"withdrawn"}
    assert Account.objects.filter(channel=shop.channel, unbound_at=None).count() == 0
    assert Member.objects.count() == 3
    assert all(set(found) <= {"undone", "same"} for found in outcomes(run).values())
    taken = Entry.objects.filter(kind="take_back")[0]
    assert f"{run.pk}" in statement.line(taken).sentence
    assert violations() == []


def test_going_back_twice_is_going_back_once(shop):
    shop.write_all()
    run = shop.take_back(shop.bring())
    before = world()

    again = shop.take_back(run)

    assert again.state == "undone"
    assert world() == before


@pytest.mark.parametrize("chunks_done", [0, 3, 6])
def test_killed_on_its_way_back_it_goes_on(shop, monkeypatch, chunks_done):
    monkeypatch.setattr(chunks, "CHUNK", 1)
    shop.write_all()
    run = shop.bring()
    legacies.take_back(run.pk, "refuse")
    with monkeypatch.context() as patch, pytest.raises(Killed):
        killed_after(patch, undoing, chunks_done)
        legacies.carry_back(run.pk)
    assert violations() == []

    legacies.resume(run.pk)
    run = legacies.carry_back(run.pk)

    assert run.state == "undone"
    assert Entry.objects.filter(kind="take_back").count() == 3
    assert set(Wallet.objects.values_list("balance", flat=True)) == {0}
    assert violations() == []


def test_half_a_package_goes_back_too(shop, monkeypatch):
    monkeypatch.setattr(chunks, "CHUNK", 1)
    shop.write_all()
    run = shop.read()
    legacies.start(run.pk)
    with monkeypatch.context() as patch, pytest.raises(Killed):
        killed_after(patch, applying, 2)
        legacies.carry_out(run.pk)

    run = shop.take_back(run)

    assert run.state == "undone"
    assert set(Wallet.objects.values_list("balance", "tier")) == {(0, "basic")}
    assert violations() == []


def test_what_was_spent_meanwhile_is_refused_first(shop):
    shop.write_all()
    run = shop.bring()
    shop.trade.spend(shop.member("波").pk, 120)
    before = world()

    with pytest.raises(PackageUsed) as refused:
        shop.take_back(run)

    assert refused.value.details == {"points": 120, "coupons": 0}
    assert (world(), legacies.get(run.pk).state) == (before, "done")
    stream = io.StringIO()
    assert report.write_used(run, stream) == 1
    assert "120" in stream.getvalue()


@pytest.mark.parametrize(("spent", "debt", "taken", "kept"), [("debt", 120, 450, 0), ("keep", 0, 330, 120)])
def test_what_was_spent_meanwhile_becomes_debt_or_stays_given(shop, spent, debt, taken, kept):
    shop.write_all()
    run = shop.bring()
    bo = shop.member("波").pk
    shop.trade.spend(bo, 120)

    run = shop.take_back(run, spent)

    assert Wallet.objects.get(member=bo).debt == debt
    assert Wallet.objects.get(member=bo).balance == -debt
    amounts = report.document(run)["amounts"]["lots"]
    assert amounts == {"brought": 450, "taken_back": taken, "kept": kept}
    assert violations() == []


def test_members_who_were_merged_meanwhile_give_back_what_each_was_brought(shop):
    """Spent by one from what the other was brought: the person owes it, whoever's lot it was."""
    shop.write_all()
    run = shop.bring()
    mei, bo = shop.member("梅").pk, shop.member("波").pk
    merging.merge(mei, bo, actor_id=None, reason="Same person")
    shop.trade.spend(mei, 400)

    shop.take_back(run, "debt")

    assert shop.trade.figures(mei).debt == 400
    assert report.document(legacies.get(run.pk))["amounts"]["lots"]["taken_back"] == 450
    assert violations() == []


def test_what_lapsed_meanwhile_is_not_taken_twice(shop):
    soon = localtime() + timedelta(days=3)
    lots = [{"old_id": "A1", "points": "40", "expires at": str(soon.date())}]
    shop.write(members=MEMBERS, lots=lots)
    run = shop.bring(members=3, points=40)
    clock.move(timedelta(days=5))

    shop.take_back(run)

    assert [entry.kind for entry in Entry.objects.order_by("pk")] == ["open", "expire"]
    assert Wallet.objects.get().debt == 0
    assert violations() == []


def test_after_it_went_back_a_better_package_comes_in(shop):
    shop.write_all()
    shop.take_back(shop.bring())

    run = shop.bring()

    assert run.state == "done"
    assert outcomes(run)["lots"] == {"new": 3}
    assert sorted(Entry.objects.filter(kind="open").values_list("cause", flat=True))[1].endswith("lot:1+1")
    assert set(Coupon.objects.values_list("state", flat=True)) == {"issued"}
    assert CouponMove.objects.filter(kind="restored").count() == 2
    assert TierEvent.objects.filter(kind="legacy").count() == 2
    assert Account.objects.filter(channel=shop.channel, unbound_at__isnull=False).count() == 0
    assert violations() == []

    shop.take_back(run)
    assert violations() == []


# --- the command ---------------------------------------------------------------------------------------


def run_command(*arguments):
    """Its exit status and its report."""
    out = io.StringIO()
    try:
        call_command("migrate_in", *map(str, arguments), "--json", stdout=out, stderr=io.StringIO())
    except SystemExit as end:
        return end.code, json.loads(out.getvalue())
    return 0, json.loads(out.getvalue())


def test_the_command_looks_brings_and_takes_back(shop):
    shop.write_all()
    expect = ",".join(f"{name}={total}" for name, total in TOTALS.items())

    status, looked = run_command("oldshop", shop.folder, "--dry-run", "--expect", expect)
    assert (status, looked["state"], looked["brings"]["points"]) == (0, "ready", 450)
    assert all(each["ties"] for each in looked["tie_out"])
    assert not LegacyRow.objects.exists()

    status, refused = run_command("oldshop", shop.folder, "--expect", "members=3,points=1")
    assert (status, refused["problem"]["code"]) == (4, "members.totals_missing")

    status, resumed = run_command("--resume", refused["migration"], "--expect", expect)
    assert (status, resumed["state"]) == (0, "done")

    status, undone = run_command("--undo", resumed["migration"])
    assert (status, undone["state"]) == (0, "undone")
    assert undone["amounts"]["lots"] == {"brought": 450, "taken_back": 450, "kept": 0}


def test_the_command_writes_what_was_rejected(shop):
    shop.write(members=MEMBERS, lots=[*LOTS, {**LOTS[0], "old_id": "A9"}])

    status, found = run_command("oldshop", shop.folder, "--expect", "members=3,points=450")

    assert (status, found["rejected"]) == (3, {"lots": {"member_unknown": 1}})
    with open(found["rejected_file"], encoding="utf-8-sig") as file:
        assert "member_unknown" in file.read()
