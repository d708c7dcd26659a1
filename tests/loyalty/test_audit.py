"""The auditor finds damage: each law is broken by hand, past every guard, and must be named for it.

The guards are taken off as whoever owns the tables could: what the auditor is for is what happens then.
"""

import json
from datetime import timedelta
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from loyalty import audit, clock, closings, ledger_rows, points
from loyalty.audit import words
from loyalty.jobs import audit_ledger
from loyalty.models import Entry, Wallet
from members.facts import PointsSpentFact
from tests.planting import Planting, broken, damage, unguarded
from tests.trade import Trade, buyer, proven


@pytest.fixture
def history(trade: Trade) -> Trade:
    """A little of everything. Mei: silver, gifts, an order paid with points and refunded in part, a hold
    captured and one still open. Bo: a debt, after a refund of what was spent. Two closings on the way."""
    mei = trade.buy("M0", "700", buyer("mei"), at=trade.ago(9)).member_id
    bo = trade.buy("B0", "100", buyer("bo"), at=trade.ago(9)).member_id
    assert mei is not None and bo is not None
    for number in range(1, 5):
        trade.buy(f"M{number}", "650", buyer("mei"), at=trade.ago(9 - number))
    trade.give(mei, 30, cause="first-gift")
    trade.give(mei, 70, cause="second-gift")
    trade.spend(mei, 150, cause="pay-P1")
    assert closings.close(clock.read().recorded)
    spent = PointsSpentFact(points=150, cause="pay-P1")
    trade.buy("P1", "71.50", buyer("mei"), points_value=Decimal("1.50"), spent=spent)
    trade.refund("P1", "R1", "35.75")
    captured = trade.hold(mei, 400, cause="captured")
    points.capture(mei, captured.hold_id, points=250, channel=trade.tmall)
    trade.hold(mei, 100, cause="open")
    trade.spend(bo, 100)
    trade.refund("B0", "R2", "40")
    assert closings.close(clock.read().recorded)
    assert proven()
    return trade


MEI = "(SELECT wallet_id FROM loyalty_entry WHERE cause = 'tmall:first-gift')"
BO = "(SELECT id FROM loyalty_wallet WHERE debt > 0)"
OPEN = "(SELECT id FROM loyalty_hold WHERE state = 'open')"


PLANTINGS = [
    Planting(
        "balance_is_sum_of_entries",
        (f"UPDATE loyalty_wallet SET balance = balance + 1 WHERE id = {MEI}",),
        others=("lots_less_debt_are_the_balance",),
    ),
    Planting(
        "running_balances_chain",
        (
            "UPDATE loyalty_entry SET balance_after = balance_after + 5"
            f" WHERE wallet_id = {MEI} AND version = 2",
        ),
        others=("entries_are_chained_by_hash",),
    ),
    Planting(
        "debt_is_as_last_written",
        (f"UPDATE loyalty_wallet SET debt = debt + 1, balance = balance - 1 WHERE id = {BO}",),
        others=("balance_is_sum_of_entries", "issued_less_used_is_outstanding"),
    ),
    Planting(
        "available_points_pay_debt_first",
        (f"UPDATE loyalty_lot SET remaining = remaining + 1 WHERE wallet_id = {BO}",),
        others=(
            "lot_is_sum_of_its_moves",
            "lots_less_debt_are_the_balance",
            "issued_less_used_is_outstanding",
            "each_month_of_expiry_is_outstanding",
        ),
    ),
    Planting(
        "lot_is_sum_of_its_moves",  # from one lot into another: all sums of the wallet stay
        (
            f"UPDATE loyalty_lot SET remaining = remaining - 1 WHERE wallet_id = {MEI} AND earned = 30",
            f"UPDATE loyalty_lot SET remaining = remaining + 1 WHERE id ="
            f" (SELECT id FROM loyalty_lot WHERE wallet_id = {MEI} AND remaining < earned - 1 LIMIT 1)",
        ),
    ),
    Planting(
        "lots_less_debt_are_the_balance",  # a lot that moves to another member, and its moves with it
        (f"UPDATE loyalty_lot SET wallet_id = {BO} WHERE earned = 30",),
        others=("available_points_pay_debt_first",),
    ),
    Planting(
        "moves_are_their_entry",  # two entries of one lot trade a point
        (
            "UPDATE loyalty_lotmove SET points = points - 1 WHERE entry_id ="
            " (SELECT id FROM loyalty_entry WHERE cause = 'tmall:pay-P1')",
            "UPDATE loyalty_lotmove SET points = points + 1 WHERE points > 0 AND lot_id IN (SELECT lot_id"
            " FROM loyalty_lotmove JOIN loyalty_entry e ON e.id = entry_id WHERE e.cause = 'tmall:pay-P1')"
            " AND entry_id IN (SELECT id FROM loyalty_entry WHERE kind = 'give_back')",
        ),
    ),
    Planting(
        "order_earnings_stand",
        ("UPDATE loyalty_orderearning SET forgiven = forgiven + 1 WHERE earned = 700",),
    ),
    Planting(
        "order_points_in_proportion",
        ("UPDATE members_order SET refunded_goods = 10 WHERE number = 'M0'",),
    ),
    Planting(
        "given_back_no_more_than_spent",
        ("UPDATE loyalty_orderearning SET given_back = given_back + 1 WHERE given_back > 0",),
    ),
    Planting(
        "holds_are_set_aside",
        (f"UPDATE loyalty_lot SET held = held - 1 WHERE held > 0 AND wallet_id = {MEI}",),
    ),
    Planting(
        "hold_parts_are_the_hold",
        ("UPDATE loyalty_hold SET captured = captured + 1 WHERE state = 'captured'",),
    ),
    Planting(
        "wallet_holds_add_up",
        (f"UPDATE loyalty_wallet SET held = held + 1 WHERE id = {MEI}",),
    ),
    Planting(
        "issued_less_used_is_outstanding",
        (
            f"UPDATE loyalty_lot SET remaining = remaining - 1 WHERE wallet_id = {MEI} AND earned = 30",
            f"UPDATE loyalty_wallet SET balance = balance - 1 WHERE id = {MEI}",
        ),
        others=(
            "balance_is_sum_of_entries",
            "lot_is_sum_of_its_moves",
            "each_month_of_expiry_is_outstanding",
        ),
    ),
    Planting(
        "each_month_of_expiry_is_outstanding",  # as if a point that was spent had lapsed
        (f"UPDATE loyalty_lot SET expired = expired + 1 WHERE wallet_id = {MEI} AND earned = 700",),
        others=("points_lapsed_when_their_lot_did",),
    ),
    Planting(
        "closings_are_what_entries_say",
        (f"UPDATE loyalty_closingbalance SET balance = balance + 1 WHERE wallet_id = {MEI}",),
    ),
    Planting(
        "tier_path_is_unbroken",
        (
            "UPDATE loyalty_tierchange SET position = 2",
            f"UPDATE loyalty_wallet SET tier_steps = 2 WHERE id = {MEI}",
            "UPDATE members_outboxevent SET change = regexp_replace(change, '1$', '2')"
            " WHERE topic = 'tier.changed'",
        ),
        others=("tiers_are_what_history_makes_them",),
    ),
    Planting(
        "tier_is_where_the_path_ends",
        (f"UPDATE loyalty_wallet SET tier = 'gold' WHERE id = {MEI}",),
        others=("tiers_are_what_history_makes_them",),
    ),
    Planting(
        "each_entry_was_told_once",
        (
            "DELETE FROM members_outboxevent WHERE id = (SELECT max(id) FROM members_outboxevent"
            " WHERE topic = 'points.changed')",
        ),
    ),
    Planting(
        "each_tier_change_was_told_once",  # told of another step: as many told as happened
        (
            "UPDATE members_outboxevent SET change = regexp_replace(change, '1$', '2')"
            " WHERE topic = 'tier.changed'",
        ),
    ),
    Planting(
        "each_order_revision_was_told_once",
        ("DELETE FROM members_outboxevent WHERE topic = 'order.changed' AND payload->>'order_no' = 'M3'",),
    ),
    Planting(
        "entries_are_chained_by_hash",
        (
            f"UPDATE loyalty_entry SET happened_at = happened_at - interval '1 day' WHERE wallet_id = {MEI}"
            " AND version = 3",
        ),
    ),
    Planting(
        "tiers_are_what_history_makes_them",
        (f"UPDATE loyalty_wallet SET tier_until = tier_until + interval '1 year' WHERE id = {MEI}",),
    ),
    Planting(
        "wallet_ends_its_chain",
        (f"UPDATE loyalty_wallet SET head = sha256('another end') WHERE id = {MEI}",),
    ),
]


def test_a_lot_that_says_more_than_was_issued_is_named(history: Trade) -> None:
    damage(f"UPDATE loyalty_lot SET earned = earned + 1 WHERE wallet_id = {MEI} AND earned = 30")
    assert broken() == {"lot_is_sum_of_its_moves"}


@pytest.mark.parametrize("planting", PLANTINGS, ids=lambda planting: planting.law)
def test_planted_damage_is_named(history: Trade, planting: Planting) -> None:
    damage(*planting.statements)
    assert broken() == {planting.law, *planting.others}
    with pytest.raises(AssertionError):  # the quick look of the other tests sees it too
        proven()


def test_a_violation_shows_the_law_and_the_row_that_breaks_it(history: Trade) -> None:
    wallet = Wallet.objects.get(debt__gt=0)
    damage(f"UPDATE loyalty_wallet SET held = 0, balance = balance + 3 WHERE id = {wallet.pk}")
    found = {violation.name: violation for violation in audit.check()}["balance_is_sum_of_entries"]
    assert found.law == "1"
    assert found.row == {
        "wallet": wallet.pk,
        "balance": wallet.balance + 3,
        "entries": wallet.balance,
        "version": wallet.version,
        "written": wallet.version,
    }


def test_only_so_many_rows_of_a_law_are_shown(history: Trade) -> None:
    damage("UPDATE loyalty_entry SET happened_at = happened_at + interval '1 second'")
    assert len(list(audit.check())) == Entry.objects.count() > 3
    assert len(list(audit.check(limit=3))) == 3


# --- a forger who knows the laws ----------------------------------------------------------------------

# The first gift becomes 70 points and the second 30; everything that adds them up is put right.
SWAP = (
    f"UPDATE loyalty_entry SET points = 100 - points, balance_after = balance_after + "
    f"CASE WHEN points = 30 THEN 40 ELSE 0 END WHERE wallet_id = {MEI} AND cause LIKE 'tmall:%-gift'",
    "UPDATE loyalty_lotmove SET points = 100 - points WHERE points IN (30, 70) AND lot_id IN"
    " (SELECT id FROM loyalty_lot WHERE order_id IS NULL AND earned IN (30, 70))",
    "UPDATE loyalty_lot SET earned = 100 - earned, remaining = 100 - remaining"
    " WHERE order_id IS NULL AND earned IN (30, 70)",
)


def gifts() -> list[Entry]:
    return list(Entry.objects.filter(cause__endswith="-gift").order_by("version"))


def test_a_forged_history_that_adds_up_is_found_by_the_chain_of_hashes(history: Trade) -> None:
    damage(*SWAP)
    assert [gift.points for gift in gifts()] == [70, 30]
    found = list(audit.check())
    assert {violation.name for violation in found} == {"entries_are_chained_by_hash"}
    assert sorted(violation.row["entry"] for violation in found) == sorted(gift.pk for gift in gifts())


def test_hashes_made_anew_for_the_forgery_break_off_where_the_wallet_ends_its_chain(history: Trade) -> None:
    damage(*SWAP)
    wallet = gifts()[0].wallet
    head = bytes(Entry.objects.get(wallet=wallet, version=gifts()[0].version - 1).hash)
    with unguarded() as cursor:
        for entry in Entry.objects.filter(wallet=wallet, version__gte=gifts()[0].version).order_by("version"):
            head = hash_of(entry, head)
            cursor.execute("UPDATE loyalty_entry SET hash = %s WHERE id = %s", [head, entry.pk])
    assert broken() == {"wallet_ends_its_chain"}


def hash_of(entry: Entry, previous: bytes) -> bytes:
    return ledger_rows.link(
        previous,
        wallet_id=entry.wallet_id,
        version=entry.version,
        kind=entry.kind,
        points=entry.points,
        balance_after=entry.balance_after,
        debt_after=entry.debt_after,
        cause=entry.cause,
        happened_at=entry.happened_at,
        recorded_at=entry.recorded_at,
    )


def test_python_and_sql_compute_the_same_hash(history: Trade) -> None:
    for wallet in Wallet.objects.all():
        head = b""
        for entry in wallet.entries.order_by("version"):
            head = hash_of(entry, head)
            assert bytes(entry.hash) == head
        assert bytes(wallet.head) == head


# --- the doors ----------------------------------------------------------------------------------------


def run(*arguments: str) -> tuple[str, int]:
    """What `audit_ledger` prints, and how it exits."""
    out = StringIO()
    try:
        call_command("audit_ledger", *arguments, stdout=out)
    except CommandError as error:
        return out.getvalue(), error.returncode
    return out.getvalue(), 0


def test_the_command_is_content_with_a_ledger_that_is_whole(history: Trade) -> None:
    laws = "".join(f"{number:>3}  {said}  It holds\n" for number, said in words.LAWS.items())
    assert run() == (f"{laws}{len(audit.LAWS)} checks, 0 violations\n", 0)


def test_the_command_prints_the_row_and_exits_with_1(history: Trade) -> None:
    wallet = Wallet.objects.get(debt=0)
    damage(f"UPDATE loyalty_wallet SET held = held + 1 WHERE id = {wallet.pk}")
    printed, code = run()
    assert code == 1
    assert f"law 5 wallet_holds_add_up: wallet={wallet.pk}, held=101, holds=100" in printed
    assert f"  5  {words.LAWS['5']}  1 row breaks it\n" in printed
    assert printed.count("It holds") == len(words.LAWS) - 1
    printed, code = run("--json")
    assert code == 1
    told = json.loads(printed)
    assert told["checked"] == list(audit.LAWS)
    assert told["violations"] == [
        {
            "law": "5",
            "name": "wallet_holds_add_up",
            "row": {"wallet": wallet.pk, "held": 101, "holds": "100"},
        }
    ]
    assert [law["law"] for law in told["laws"]] == list(words.LAWS)
    (held,) = [law for law in told["laws"] if law["violations"]]
    assert (held["law"], held["violations"]) == ("5", 1)
    assert held["checks"] == ["holds_are_set_aside", "hold_parts_are_the_hold", "wallet_holds_add_up"]
    assert held["words"]["en"] == "Points set aside agree with the lots and wallets they are of."
    assert "冻结" in held["words"]["zh-hans"]


def test_the_nightly_job_reports_each_violation(history: Trade, caplog: pytest.LogCaptureFixture) -> None:
    audit_ledger(timestamp=0)
    assert caplog.records == []
    damage(f"UPDATE loyalty_wallet SET held = held + 1 WHERE id = {MEI}")
    audit_ledger(timestamp=0)
    (record,) = caplog.records
    assert record.levelname == "ERROR" and "wallet_holds_add_up" in record.getMessage()


def test_time_alone_breaks_no_law(history: Trade) -> None:
    clock.move(timedelta(days=500))
    assert proven()
