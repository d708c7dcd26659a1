"""Migrations: an old system comes in whole or not at all, and goes back as exactly as it came."""

import io
import json
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import transaction
from django.utils.timezone import localtime

from loyalty import accounts, clock, nightly, statement
from loyalty.models import Coupon, CouponMove, Entry, Grant, GrowthEntry, Lot, RuleUse, TierEvent, Wallet
from members import channels, imports, legacies
from members.importing.errors import StateForbids
from members.legacy import applying, chunks, report, undoing
from members.legacy.errors import PackageControlInvalid, PackageUsed, TotalsDoNotTieOut, TotalsMissing
from members.models import Account, LegacyRow, MatchReview, Member
from tests.old_shop import BALANCES, LOTS, MEMBERS, TOTALS, OldShop, outcomes, violations, world
from tests.trade import buyer, phone


@pytest.fixture(autouse=True)
def uploads(settings, tmp_path):
    settings.UPLOADS = tmp_path / "uploads"
    settings.VAR = tmp_path


@pytest.fixture
def shop(db, tmp_path):
    return OldShop(tmp_path / "old")


def test_a_package_comes_in(shop):
    shop.write_all()

    run = shop.bring()

    assert run.state == "done", run.problem
    assert outcomes(run) == {
        "members": {"new": 3},
        "tiers": {"new": 1, "same": 1},
        "lots": {"new": 3},
        "balances": {"same": 3},
        "growth": {"new": 1},
        "coupons": {"new": 2},
    }
    assert violations() == []


def test_what_came_in_is_what_the_old_system_had(shop):
    shop.write_all()

    run = shop.bring()

    mei = shop.member("梅")
    lots = Lot.objects.filter(wallet__member=mei).order_by("earned_at")
    assert [(lot.earned, str(localtime(lot.expires_at).date())) for lot in lots] == [
        (50, "2098-07-01"),  # the day that was told is over at the midnight that ends it
        (100, "2100-01-01"),
    ]
    assert Lot.objects.get(wallet__member=shop.member("波")).expires_at is None
    assert mei.wallet.tier == "gold"
    assert str(localtime(mei.wallet.tier_until).date()) == "2099-04-01"
    assert GrowthEntry.objects.get().growth == 700
    coupon = Coupon.objects.get(member=mei)
    assert (coupon.code, str(localtime(coupon.valid_until).date())) == ("OLD0001", "2099-02-01")
    account = Account.objects.get(member=mei)
    entry = Entry.objects.get(wallet__member=mei, points=50)
    assert (entry.kind, entry.cause) == ("open", f"legacy:oldshop:{account.pk}:lot:1")
    assert "oldshop" in statement.line(entry).sentence
    assert RuleUse.objects.count() == Grant.objects.count() == 0
    assert run.told["points"] == 450
    assert (run.totals_before["points"], run.totals_after["points"]) == ({}, {"open": 450})


def test_old_coupons_leave_quota_and_limit_to_their_own_system(shop):
    """The campaign has a quota of one; both were promised before."""
    shop.write_all()

    shop.bring()

    assert Coupon.objects.filter(state="issued").count() == 2


def test_a_look_changes_nothing(shop):
    shop.write_all()
    before = world()

    run = shop.read()

    assert run.state == "ready"
    assert run.told == {
        **{"members": 3, "lots": 3, "points": 450, "tiers": 2, "growth": 700, "coupons": 2},
        **{"points.2099-12": 100, "points.2098-06": 50, "points.never": 300},
        **{"tiers.gold": 1, "tiers.basic": 1, "coupons.spring": 2},
    }
    assert world() == before


def test_the_same_package_again_changes_nothing(shop):
    shop.write_all()
    shop.bring()
    before = world()

    again = shop.bring()

    assert world() == before
    assert outcomes(again) == {
        "members": {"same": 3},
        "tiers": {"same": 2},
        "lots": {"same": 3},
        "balances": {"same": 3},
        "growth": {"same": 1},
        "coupons": {"same": 2},
    }


# --- what does not tie out -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expected", "refusal"),
    [
        ({**TOTALS, "points": 451}, TotalsDoNotTieOut),
        ({**TOTALS, "tiers.gold": 2}, TotalsDoNotTieOut),
        ({name: total for name, total in TOTALS.items() if name != "points"}, TotalsMissing),
    ],
)
def test_nothing_is_brought_that_does_not_tie_out(shop, expected, refusal):
    shop.write_all()
    run = shop.read(**expected)
    before = world()

    with pytest.raises(refusal):
        legacies.start(run.pk)

    assert world() == before
    assert legacies.get(run.pk).state == "ready"
    with pytest.raises(StateForbids):
        legacies.carry_out(run.pk)


def test_a_rejected_row_is_no_part_of_the_total(shop):
    shop.write(members=MEMBERS, lots=[*LOTS[:2], {**LOTS[2], "old_id": "A9"}])

    run = shop.read(members=3, points=450)

    assert run.told["points"] == 150
    with pytest.raises(TotalsDoNotTieOut, match="points: 450 ≠ 150"):
        legacies.start(run.pk)


def test_a_total_that_nobody_counts_is_refused(shop):
    shop.write_all()

    with pytest.raises(PackageControlInvalid):
        shop.read(**{"pionts": 450})


def test_control_totals_and_columns_may_lie_in_the_folder(shop):
    shop.write(members=MEMBERS, lots=[{"旧号": "A1", "余": "7", "到期时间": "永久"}])
    (shop.folder / "control.csv").write_text("name,total\nmembers,3\npoints,7\n", encoding="utf-8")
    chosen = {"lots": {"external_id": "旧号", "points": "余"}}
    (shop.folder / "columns.json").write_text(json.dumps(chosen), encoding="utf-8")

    paths = {path.name: path for path in shop.folder.iterdir()}
    run = legacies.read(legacies.take_in(shop.channel, "old", paths).pk)

    assert run.expected == {"members": 3, "points": 7}
    assert legacies.start(run.pk).state == "queued"


def test_a_file_without_its_columns_is_refused(shop):
    shop.write(members=MEMBERS, lots=[{"old_id": "A1", "earned at": "2026-01-01"}])

    run = shop.read(members=3)

    assert (run.state, run.problem) == ("refused", "members.package_columns_missing")
    assert run.problem_details["columns"] == "points, expires_at"


# --- dirty rows ----------------------------------------------------------------------------------------


DIRTY = {
    "lots": [
        ({"old_id": "A1", "points": "-5", "expires at": "never"}, "points_negative"),
        ({"old_id": "A1", "points": "1.5", "expires at": "never"}, "quantity_invalid"),
        ({"old_id": "", "points": "5", "expires at": "never"}, "required_missing"),
        ({"old_id": "A9", "points": "5", "expires at": "never"}, "member_unknown"),
        ({"old_id": "A1", "points": "5", "expires at": "soon"}, "date_invalid"),
        (
            {"old_id": "A1", "points": "5", "earned at": "2025-02-01", "expires at": "2025-01-01"},
            "expiry_before_earning",
        ),
        (
            {"old_id": "A1", "points": "5", "earned at": "2090-02-01", "expires at": "never"},
            "earned_in_future",
        ),
        ({"old_id": "A1", "points": "5", "expires at": "never", "lot": "L1"}, ""),
        ({"old_id": "A1", "points": "5", "expires at": "never", "lot": "L1"}, "duplicate_in_file"),
    ],
    "tiers": [
        ({"old_id": "A1", "tier": "platinum", "until": "2099-01-01"}, "tier_unknown"),
        ({"old_id": "A1", "tier": "gold", "until": "2020-01-01"}, "tier_over"),
        ({"old_id": "A1", "tier": "gold", "until": ""}, "until_missing"),
        ({"old_id": "A2", "tier": "gold", "until": "2099-01-01"}, ""),
        ({"old_id": "A2", "tier": "gold", "until": "2099-01-01"}, "duplicate_in_file"),
    ],
    "coupons": [
        ({"old_id": "A1", "campaign": "autumn", "code": "C-00001", "state": "unused"}, "campaign_unknown"),
        ({"old_id": "A1", "campaign": "spring", "code": "C-00002", "state": "已使用"}, "coupon_used"),
        ({"old_id": "A1", "campaign": "spring", "code": "?", "state": ""}, "code_invalid"),
        ({"old_id": "A1", "campaign": "spring", "code": "C-00003", "state": ""}, ""),
        ({"old_id": "A2", "campaign": "spring", "code": "C-00003", "state": ""}, "duplicate_in_file"),
        (
            {"old_id": "A2", "campaign": "spring", "code": "C-00004", "valid until": "2020-01-01"},
            "coupon_over",
        ),
    ],
}


@pytest.mark.parametrize("kind", DIRTY)
def test_every_dirty_row_says_why(shop, kind):
    names = sorted({name for row, _code in DIRTY[kind] for name in row})
    rows = [{name: row.get(name, "") for name in names} for row, _code in DIRTY[kind]]
    shop.write(members=MEMBERS, **{kind: rows})

    run = shop.read()

    found = LegacyRow.objects.filter(run=run, kind=kind).order_by("line").values_list("code", flat=True)
    assert list(found) == [code for _row, code in DIRTY[kind]]
    stream = io.StringIO()
    assert report.write_rejected(run, stream) == sum(1 for _row, code in DIRTY[kind] if code)
    assert "A9" not in stream.getvalue()


def test_lots_that_do_not_add_up_to_the_balance_bring_none_of_a_members_points(shop):
    shop.write(members=MEMBERS, lots=LOTS, balances=[{"old_id": "A1", "balance": "149"}, BALANCES[1]])

    run = shop.read()

    assert outcomes(run)["lots"] == {"rejected": 2, "waiting": 1}
    assert outcomes(run)["balances"] == {"rejected": 1, "same": 1}
    assert run.told["points"] == 300


def test_a_balance_without_lots_expires_as_points_of_the_programme_do(shop):
    shop.write(members=MEMBERS, balances=BALANCES)

    run = shop.bring(members=3, points=450)

    assert outcomes(run)["balances"] == {"new": 2, "same": 1}
    lot = Lot.objects.filter(earned=150).get()
    assert lot.expires_at is not None
    assert timedelta(days=360) < lot.expires_at - lot.available_from < timedelta(days=370)
    assert violations() == []


def test_what_was_brought_otherwise_is_not_brought_a_second_time(shop):
    shop.write(members=MEMBERS, lots=LOTS[2:])
    shop.bring(members=3, points=300)
    shop.write(members=MEMBERS, lots=[{**LOTS[2], "points": "301"}])

    run = shop.read(members=3, points=301)

    assert LegacyRow.objects.get(run=run, kind="lots").code == "brought_otherwise"


# --- people --------------------------------------------------------------------------------------------


def test_a_member_who_is_known_is_recognised(shop):
    """A verified phone of the old system leads to the member who has it."""
    channel = channels.make("oldshop2", "other", vouches_for=["phone"])
    told = buyer("w-1", phone("+8613800138001"), name="梅")
    mei = accounts.receive(shop.trade.tmall, [told])[0]
    shop.channel = channel
    shop.write(members=MEMBERS[:1], lots=LOTS[:1])

    shop.bring(members=1, points=100)

    assert Lot.objects.get().wallet.member_id == mei.member_id
    assert Member.objects.count() == 1


def test_who_may_be_two_people_waits_for_a_human(shop):
    accounts.receive(shop.trade.tmall, [buyer("w-1", phone("+8613800138001"), name="别人")])
    shop.write(members=MEMBERS[:1], lots=LOTS[:1])

    shop.bring(members=1, points=100)

    assert Member.objects.count() == 2
    assert MatchReview.objects.count() == 1


def test_a_file_of_members_does_not_go_in_without_its_package(shop):
    shop.write_all()
    run = shop.read()

    with pytest.raises(StateForbids):
        imports.start(run.members_run_id)


# --- time ----------------------------------------------------------------------------------------------


def test_migrated_lots_expire_when_the_old_system_said(shop):
    soon = localtime() + timedelta(days=10)
    lots = [{"old_id": "A1", "points": "40", "expires at": str(soon.date())}]
    shop.write(members=MEMBERS, lots=lots)
    shop.bring(members=3, points=40)
    mei = shop.member("梅").pk

    clock.move(timedelta(days=9))
    assert shop.trade.figures(mei).available == 40
    clock.move(timedelta(days=2))

    assert shop.trade.figures(mei).available == 0
    assert violations() == []


def test_a_lot_whose_time_is_over_lapses_at_once(shop):
    shop.write(members=MEMBERS, lots=[{"old_id": "A1", "points": "40", "expires at": "2020-01-01"}])

    shop.bring(members=3, points=40)

    assert [entry.kind for entry in Entry.objects.order_by("pk")] == ["open", "expire"]
    assert violations() == []


def test_a_migrated_tier_ends_on_its_day_and_then_the_rules_hold(shop):
    soon = localtime() + timedelta(days=10)
    shop.write(members=MEMBERS, tiers=[{"old_id": "A1", "tier": "gold", "until": str(soon.date())}])
    shop.bring(members=3, tiers=1)
    mei = shop.member("梅").pk
    assert Wallet.objects.get(member=mei).tier == "gold"

    clock.move(timedelta(days=12))
    nightly.reassess_tiers()

    assert Wallet.objects.get(member=mei).tier == "basic"
    assert violations() == []


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


def shape(found):
    """A world without the numbers that rows happen to get."""
    names = {number: place for place, number in enumerate(sorted({row[0] for row in found["wallets"]}))}
    accounts_of = sorted({row[4].split(":")[2] for row in found["entries"]}, key=int)

    def plain(value):
        if isinstance(value, str) and value.startswith("legacy:"):
            parts = value.split(":")
            return ":".join([*parts[:2], str(accounts_of.index(parts[2])), *parts[3:]])
        return value

    return {
        what: [tuple(plain(cell) for cell in (names.get(row[0], row[0]), *row[1:])) for row in rows]
        if isinstance(rows, list) and what in ("entries", "lots", "wallets", "tiers", "steps", "growth")
        else len(rows)
        if isinstance(rows, list)
        else rows
        for what, rows in found.items()
    }


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
    assert {tuple(found) for found in outcomes(run).values()} <= {("undone",), ("undone", "same"), ("same",)}
    taken = Entry.objects.filter(kind="take_back").first()
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
