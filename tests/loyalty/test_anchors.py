"""Anchors: a history forged in the whole database is found by what was written outside it (law 11)."""

import json
from pathlib import Path

import pytest
from django.conf import settings

from loyalty import anchors, audit
from loyalty.anchors import UnreadableAnchor
from loyalty.models import Entry, Wallet
from tests.loyalty.test_audit import SWAP, gifts, hash_of
from tests.planting import broken, damage, unguarded
from tests.trade import Trade, buyer, proven

LAW = "chains_pass_through_their_anchors"


@pytest.fixture
def mei(trade: Trade) -> int:
    """Mei bought, and was given 30 points and then 70."""
    member = trade.buy("M1", "100", buyer("mei")).member_id
    assert member is not None
    trade.give(member, 30, cause="first-gift")
    trade.give(member, 70, cause="second-gift")
    return member


def path_of(name: str) -> Path:
    return Path(settings.ANCHORS_DIR) / name


def rewrite(name: str, text: str) -> None:
    path_of(name).chmod(0o600)
    path_of(name).write_text(text)


def forge() -> None:
    """Change the past, and make everything fit again: sums, lots, moves, hashes, and the wallet's head."""
    damage(*SWAP)
    first = gifts()[0]
    head = bytes(Entry.objects.get(wallet=first.wallet, version=first.version - 1).hash)
    with unguarded() as cursor:
        for entry in Entry.objects.filter(wallet=first.wallet, version__gte=first.version).order_by(
            "version"
        ):
            head = hash_of(entry, head)
            cursor.execute("UPDATE loyalty_entry SET hash = %s WHERE id = %s", [head, entry.pk])
        cursor.execute("UPDATE loyalty_wallet SET head = %s WHERE id = %s", [head, first.wallet_id])


def test_a_forged_history_in_which_everything_fits_is_found_by_its_anchor(mei: int) -> None:
    taken = anchors.take()
    assert proven()
    forge()
    (found,) = audit.check()
    wallet = Wallet.objects.get(member=mei)
    assert (found.law, found.name) == ("11", LAW)
    assert (found.row["anchor"], found.row["wallet"], found.row["version"]) == (
        taken.name,
        wallet.pk,
        wallet.version,
    )
    assert found.row["anchored"] != found.row["stored"] == bytes(wallet.head).hex()


def test_without_an_anchor_the_same_forgery_passes(mei: int) -> None:
    """The control: it is the anchor that finds it, and nothing else could."""
    forge()
    assert [gift.points for gift in gifts()] == [70, 30]
    assert proven()


def test_what_happened_after_the_anchor_does_not_hide_the_forgery(trade: Trade, mei: int) -> None:
    anchors.take()
    forge()
    trade.spend(mei, 10)
    assert broken() == {LAW}


def test_a_history_that_lost_its_end_is_found(mei: int) -> None:
    anchors.take()
    damage("UPDATE loyalty_entry SET version = version + 1 WHERE cause = 'tmall:second-gift'")
    assert LAW in broken()


def test_honest_trade_passes_through_every_anchor(trade: Trade, mei: int) -> None:
    first = anchors.take()
    trade.spend(mei, 10)
    bo = trade.buy("B1", "50", buyer("bo")).member_id
    second = anchors.take()
    assert (first.wallets, second.wallets) == (1, 2) and bo
    assert anchors.names() == [first.name, second.name]
    said = json.loads(path_of(second.name).read_text().splitlines()[0])
    assert said["previous"] == {"name": first.name, "sha256": first.sha256}
    assert proven()


def test_an_anchor_says_no_more_than_heads(mei: int) -> None:
    taken = anchors.take()
    wallet = Wallet.objects.get(member=mei)
    first, line, last = path_of(taken.name).read_text().splitlines()
    assert json.loads(first)["previous"] is None
    assert line == f"{wallet.pk} {wallet.version} {bytes(wallet.head).hex()}"
    assert json.loads(last) == {"wallets": 1, "sha256": taken.sha256}
    assert path_of(taken.name).stat().st_mode & 0o777 == 0o400


def test_an_anchor_that_was_edited_is_damaged_and_nothing_is_hung_on_it(mei: int) -> None:
    taken = anchors.take()
    text = path_of(taken.name).read_text()
    rewrite(taken.name, text.replace(bytes(Wallet.objects.get(member=mei).head).hex(), "00" * 32))
    assert [(each.name, each.row["what"]) for each in audit.check()] == [(LAW, "damaged")]
    with pytest.raises(UnreadableAnchor):
        anchors.take()


@pytest.mark.parametrize("text", ["", "nonsense\n", "[1]\n", '{"wallets": 0}\n'])
def test_a_file_that_is_no_anchor_is_named(mei: int, text: str) -> None:
    rewrite_me = anchors.take().name
    rewrite(rewrite_me, text)
    assert [each.row for each in audit.check()] == [{"anchor": rewrite_me, "what": "damaged"}]


def test_an_anchor_that_was_taken_away_is_missed_by_the_next(trade: Trade, mei: int) -> None:
    first, second = anchors.take(), anchors.take()
    path_of(first.name).unlink()
    (found,) = audit.check()
    assert found.row == {"anchor": second.name, "what": "does not follow the anchor before it"}
