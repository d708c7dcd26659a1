"""An old system to move away from: its files in a folder, and the brand that it moves to."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from loyalty import audit
from loyalty.models import Coupon, Entry, GrowthEntry, Lot, TierChange, TierEvent, Wallet
from members import channels, legacies
from members.models import Account, LegacyRow, LegacyRun, Member, OutboxEvent
from tests.trade import Trade

COUPONS = [
    {
        "code": "spring",
        "name": {"en": "Spring", "zh-hans": "春季券"},
        "kind": "amount",
        "value": "10.00",
        "quota": 1,
        "per_member": 1,
        "valid": {"days": 30},
    }
]
GROWTH = {"per_yuan": "1"}

MEMBERS = [
    {"old_id": "A1", "name": "梅", "phone": "13800138001", "joined at": "2021-05-01"},
    {"old_id": "A2", "name": "波", "phone": "13900139002", "joined at": "2022-05-01"},
    {"old_id": "A3", "name": "云", "phone": "13700137003", "joined at": "2023-05-01"},
]
LOTS = [
    {"old_id": "A1", "points": "100", "earned at": "2026-01-10", "expires at": "2099-12-31"},
    {"old_id": "A1", "points": "50", "earned at": "2025-06-01", "expires at": "2098-06-30"},
    {"old_id": "A2", "points": "300", "earned at": "2026-02-01", "expires at": "never"},
]
BALANCES = [
    {"old_id": "A1", "balance": "150"},
    {"old_id": "A2", "balance": "300"},
    {"old_id": "A3", "balance": "0"},
]
TIERS = [
    {"old_id": "A1", "tier": "gold", "since": "2025-01-01", "until": "2099-03-31"},
    {"old_id": "A2", "tier": "basic", "since": "2025-01-01", "until": ""},
]
GROWN = [{"old_id": "A1", "growth": "700", "as of": "2026-01-01"}]
TICKETS = [
    {
        "old_id": "A1",
        "campaign": "spring",
        "code": "OLD-0001",
        "valid until": "2099-01-31",
        "state": "unused",
    },
    {
        "old_id": "A2",
        "campaign": "spring",
        "code": "OLD-0002",
        "valid until": "2099-01-31",
        "state": "unused",
    },
]
TOTALS = {"members": 3, "points": 450, "tiers": 2, "growth": 700, "coupons": 2, "points.2099-12": 100}


class OldShop:
    """A folder of files, and what becomes of them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.trade = Trade(sections={"coupons": COUPONS, "growth": GROWTH})
        self.channel = channels.make("oldshop", "other")
        folder.mkdir(exist_ok=True)

    def write(self, **files: Sequence[dict[str, str]]) -> None:
        """Write these files, and take away those that are not named."""
        for path in self.folder.iterdir():
            path.unlink()
        for name, rows in files.items():
            with (self.folder / f"{name}.csv").open("w", newline="", encoding="utf-8") as stream:
                writer = csv.DictWriter(stream, list(rows[0]))
                writer.writeheader()
                writer.writerows(rows)

    def write_all(self) -> None:
        """A package with every kind of file."""
        self.write(members=MEMBERS, lots=LOTS, balances=BALANCES, tiers=TIERS, growth=GROWN, coupons=TICKETS)

    def read(self, **expected: Any) -> LegacyRun:
        """The package, taken in and read."""
        paths = {path.name: path for path in self.folder.iterdir()}
        run = legacies.take_in(self.channel, "old", paths, expect=expected or TOTALS)
        return legacies.read(run.pk)

    def bring(self, **expected: Any) -> LegacyRun:
        """The package, all the way in."""
        run = self.read(**expected)
        legacies.start(run.pk)
        return legacies.carry_out(run.pk)

    def take_back(self, run: LegacyRun, spent: str = "refuse") -> LegacyRun:
        """The package, all the way back."""
        legacies.take_back(run.pk, spent)
        return legacies.carry_back(run.pk)

    def member(self, name: str) -> Member:
        """Whoever has this name."""
        return next(member for member in Member.objects.all() if member.name == name)


def outcomes(run: LegacyRun) -> dict[str, dict[str, int]]:
    """By kind and outcome, the number of rows."""
    found: dict[str, dict[str, int]] = {}
    for kind, state in LegacyRow.objects.filter(run=run).values_list("kind", "state"):
        mine = found.setdefault(kind, {})
        mine[state] = mine.get(state, 0) + 1
    return found


def world() -> dict[str, Any]:
    """Everything that a migration could change, without the numbers that rows happen to get."""
    return {
        "members": Member.objects.count(),
        "accounts": sorted(Account.objects.values_list("channel", "unbound_at", "linked_by")),
        "entries": sorted(
            Entry.objects.values_list("wallet__member", "version", "kind", "points", "cause", "balance_after")
        ),
        "lots": sorted(
            Lot.objects.values_list("wallet__member", "earned", "remaining", "earned_at", "expired"),
        ),
        "wallets": sorted(Wallet.objects.values_list("member", "balance", "debt", "tier")),
        "tiers": sorted(TierEvent.objects.values_list("wallet__member", "kind", "tier", "cause")),
        "steps": sorted(TierChange.objects.values_list("wallet__member", "position", "after", "reason")),
        "growth": sorted(GrowthEntry.objects.values_list("wallet__member", "growth", "cause")),
        "coupons": sorted(Coupon.objects.values_list("member", "code", "state", "cause", "number")),
        "outbox": sorted(OutboxEvent.objects.values_list("topic", "member")),
    }


def shape(found: dict[str, Any]) -> dict[str, Any]:
    """A world without the numbers that rows happen to get."""
    names = {number: place for place, number in enumerate(sorted({row[0] for row in found["wallets"]}))}
    accounts_of = sorted({row[4].split(":")[2] for row in found["entries"]}, key=int)

    def plain(value: Any) -> Any:
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


def violations() -> list[audit.Violation]:
    """What breaks a law."""
    return list(audit.check())
