"""Files: everything that the platforms would export, in the order in which a brand would import it.

First the lists of customers, then period by period the orders of every channel and the refunds. People are
made block by block, so that a million of them take no more memory than a thousand.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any, Final

from config.demos import households, tables
from config.demos.households import NOBODY, Customer
from config.demos.purchases import Purchase, purchases
from config.demos.seasons import Seasons
from loyalty.calendar import add_months
from members.cleaning import SHANGHAI
from members.formats import writing

HISTORY_MONTHS: Final = 18
PERIOD: Final = 6  # months; platforms export no years at once
BLOCK: Final = 2000  # households written at a time

CUSTOMERS: Final = {
    "tmall": "tmall-members",
    "jd": "jd-members",
    "youzan": "youzan-customers",
    "wechat": "mini-program-users",
    "jingan": "cards",
    "shopify": "shopify-customers",
}
ORDERS: Final = {
    "tmall": "tmall-orders",
    "jd": "jd-orders",
    "pinduoduo": "pinduoduo-orders",
    "douyin": "douyin-orders",
    "youzan": "youzan-orders",
    "wechat": "mini-program-orders",
    "jingan": "sales",
    "shopify": "shopify-orders",
}
LINES: Final = {"tmall": "tmall-order-lines"}
REFUNDS: Final = {"jd": "jd-settlement", "douyin": "douyin-aftersales"}
_STEPS: Final = (CUSTOMERS, ORDERS, LINES, REFUNDS)


@dataclass(frozen=True, slots=True, order=True)
class File:
    """One file of one channel. Files sort as they are to be imported; customers are of no period."""

    period: int  # counted from 1; 0 for customers
    step: int  # in _STEPS
    place: int  # of the channel among those of the step
    channel: str
    form: str
    span: str = ""  # first and last day of its period

    @property
    def name(self) -> str:
        """The name of the file."""
        return f"{self.form}-{self.span}.csv" if self.span else f"{self.form}.csv"


@dataclass(frozen=True, slots=True)
class Made:
    """What was made: the files in the order of their import, and how many members should come of them."""

    files: tuple[File, ...]
    members: int
    orders: int


class Periods:
    """The history in periods that end with its last day."""

    def __init__(self, today: date) -> None:
        self.starts = [add_months(today, -months) for months in range(HISTORY_MONTHS, 0, -PERIOD)]
        self.last = today - timedelta(days=1)

    @property
    def seasons(self) -> Seasons:
        """The days of all periods."""
        return Seasons(self.starts[0], self.last)

    def of(self, moment: datetime) -> int:
        """The number of the period of an instant, from 1."""
        day = moment.astimezone(SHANGHAI).date()
        return max(sum(start <= day for start in self.starts), 1)

    def span(self, period: int) -> str:
        """The first and the last day of a period, as they stand in the name of a file."""
        ends = [*(start - timedelta(days=1) for start in self.starts[1:]), self.last]
        return f"{self.starts[period - 1]:%Y%m%d}-{ends[period - 1]:%Y%m%d}"


def make(folder: Path, members: int, seed: int, today: date) -> Made:
    """Write all files of a demo of so many members; the same arguments write the same bytes.

    today: history ends with the day before it. The folder must be empty.
    """
    periods = Periods(today)
    begun: set[File] = set()
    orders = 0
    told = _told(members, seed, periods.seasons)
    while block := list(islice(told, BLOCK)):
        orders += sum(len(bought) for _customer, bought in block)
        for file, facts in _sorted_into_files(block, periods).items():
            _append(file, facts, folder / file.name)
            begun.add(file)
    return Made(tuple(sorted(begun)), members, orders)


def _told(members: int, seed: int, seasons: Seasons) -> Iterator[tuple[Customer, list[Purchase]]]:
    """Customers with what they buy, until there are exactly so many members among them."""
    left = members
    for household in households.households(seed, seasons):
        found = [(customer, list(purchases(customer, seed, seasons))) for customer in household]
        count = sum(len(_identities(customer, bought)) for customer, bought in found)
        if count > left:  # would be too many: somebody else takes the last place
            continue
        yield from found
        left -= count
        if not left:
            return


def _identities(customer: Customer, bought: Iterable[Purchase]) -> set[str]:
    """As which members a person becomes known: by the lists they are on and the orders they make."""
    listed = {presence.identity for presence in customer.presences if presence.account}
    return (listed | {purchase.identity for purchase in bought}) - {NOBODY}


def _sorted_into_files(
    block: Iterable[tuple[Customer, list[Purchase]]], periods: Periods
) -> dict[File, list[Any]]:
    found: dict[File, list[Any]] = defaultdict(list)
    for customer, bought in block:
        for presence in customer.presences:
            if presence.account:
                found[_file(0, 0, presence.channel, "")].append(presence.account)
        for purchase in bought:
            _sort_purchase(purchase, periods, found)
    for file, facts in found.items():
        if file.period and _STEPS[file.step] is not LINES:
            facts.sort(key=lambda fact: fact.happened_at or _LAST)
    return found


_LAST: Final = datetime.max.replace(tzinfo=UTC)


def _sort_purchase(purchase: Purchase, periods: Periods, found: dict[File, list[Any]]) -> None:
    channel, placed_at = purchase.channel, purchase.order.placed_at
    assert placed_at is not None
    period = periods.of(placed_at)
    found[_file(period, 1, channel, periods.span(period))].append(purchase.order)
    if purchase.lines:
        found[_file(period, 2, channel, periods.span(period))].append(purchase.lines)
    for refund in purchase.refunds:
        assert refund.refunded_at is not None
        later = periods.of(refund.refunded_at)
        found[_file(later, 3, channel, periods.span(later))].append(refund)


def _file(period: int, step: int, channel: str, span: str) -> File:
    forms = _STEPS[step]
    return File(period, step, list(forms).index(channel), channel, forms[channel], span)


def _append(file: File, facts: list[Any], path: Path) -> None:
    if file.form in tables.TABLES:
        tables.write(file.form, facts, path)
    else:
        writing.write(file.form, facts, path, append=path.exists())
