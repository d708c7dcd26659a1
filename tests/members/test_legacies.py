"""Migrations: an old system comes in whole or not at all, and goes back as exactly as it came."""

import io
import json
from datetime import timedelta

import pytest
from django.utils.timezone import localtime

from loyalty import accounts, clock, nightly, statement
from loyalty.models import Coupon, Entry, Grant, GrowthEntry, Lot, RuleUse, Wallet
from members import channels, imports, legacies
from members.importing.errors import StateForbids
from members.legacy import report
from members.legacy.errors import PackageControlInvalid, TotalsDoNotTieOut, TotalsMissing
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
