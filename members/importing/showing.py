"""Showing: the first rows of a preview as they will be, with what they were; personal data masked."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from members.facts import AccountFact, Fact, IdentifierKind, OrderFact
from members.importing import preview
from members.importing.envelopes import names_of
from members.importing.waiting import facts_of, staged_by_id
from members.models import Account, ImportReject, ImportRun, Order, Refund
from members.templatetags.amounts import minute, yuan
from privacy.masking import mask_birthday, mask_email, mask_id, mask_name, mask_phone

Known = dict[Any, Any]


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the preview: how a fact shows it, and how the row that is there does."""

    label: str | Promise
    told: Callable[[Any], str]
    known: Callable[[Any], str] | None = None  # None: not set against anything
    is_number: bool = False


@dataclass(frozen=True, slots=True)
class Cell:
    """What will be; `was` is what is there now, where it differs."""

    text: str
    was: str | None
    is_number: bool


@dataclass(frozen=True, slots=True)
class Shown:
    """One row of the preview."""

    lines: str
    outcome: str
    cells: list[Cell]


def columns(run: ImportRun) -> tuple[Column, ...]:
    """The columns that a preview of this kind of file has."""
    return _COLUMNS[run.kind]


def rows(run: ImportRun) -> Iterator[Shown]:
    """Changed rows and then new ones, as many as fit beside the rejected ones."""
    left = max(preview.SHOWN - min(run.rows_rejected, preview.SHOWN), 10)
    for outcome in ("changed", "new"):
        found = staged_by_id(run.preview["shown"][outcome])[:left]
        left -= len(found)
        facts = facts_of(run, found)
        known = _known(run, facts) if outcome == "changed" else {}
        for staged, fact in zip(found, facts, strict=True):
            before = known.get(_key(run, fact))
            lines = ", ".join(map(str, staged.lines[:3])) + ("…" if len(staged.lines) > 3 else "")
            yield Shown(lines, outcome, [_cell(column, fact, before) for column in columns(run)])


def rejects(run: ImportRun) -> list[ImportReject]:
    """The first rejected rows."""
    return _first_faults(run, is_row_kept=False)


def remarks(run: ImportRun) -> list[ImportReject]:
    """The first cells that were left out of rows that were kept."""
    return _first_faults(run, is_row_kept=True)


def _first_faults(run: ImportRun, *, is_row_kept: bool) -> list[ImportReject]:
    found = ImportReject.objects.filter(run=run, is_row_kept=is_row_kept)
    return list(found.order_by("line", "id")[: preview.SHOWN])


def _cell(column: Column, fact: Fact, before: Any) -> Cell:
    text = column.told(fact)
    was = column.known(before) if before is not None and column.known else None
    # What is not told erases nothing, so it changes nothing either.
    return Cell(text or was or "", was if text and was != text else None, column.is_number)


def _key(run: ImportRun, fact: Fact) -> Any:
    number, refund_number, index = names_of(fact, run.channel)
    return {"accounts": index, "refunds": (number, refund_number)}.get(run.kind, number)


def _known(run: ImportRun, facts: list[Fact]) -> Known:
    """The rows that the facts would change, by what names them."""
    keys = [_key(run, fact) for fact in facts]
    if run.kind == "accounts":
        accounts = Account.objects.filter(channel=run.channel, external_index__in=keys)
        return {bytes(account.external_index or b""): account for account in accounts}
    if run.kind == "refunds":
        refunds = Refund.objects.filter(channel=run.channel, order_number__in=[key[0] for key in keys])
        return {(refund.order_number, refund.number): refund for refund in refunds}
    return {order.number: order for order in Order.objects.filter(channel=run.channel, number__in=keys)}


# ------------------------------------------------------------------------------- how things are shown


def _status(value: str) -> str:
    return str(Order.Status(value).label)


def _buyer(fact: OrderFact) -> str:
    return _account_id(fact.buyer) if fact.buyer and fact.buyer.is_known else ""


def _account_id(fact: AccountFact) -> str:
    return mask_id(fact.external_id) if fact.external_id else _key_of(fact, IdentifierKind.PHONE, mask_phone)


def _key_of(fact: AccountFact, kind: IdentifierKind, mask: Callable[[str], str]) -> str:
    return next((mask(each.value) for each in fact.identifiers if each.kind is kind), "")


_COLUMNS: dict[str, tuple[Column, ...]] = {
    "orders": (
        Column(_("Order number"), lambda fact: fact.number),
        Column(_("Buyer"), _buyer),
        Column(_("State"), lambda fact: _status(fact.status), lambda row: _status(row.status)),
        Column(_("Placed at"), lambda fact: minute(fact.placed_at), lambda row: minute(row.placed_at)),
        Column(_("Paid at"), lambda fact: minute(fact.paid_at), lambda row: minute(row.paid_at)),
        Column(_("Net"), lambda fact: yuan(fact.amounts.net), lambda row: yuan(row.net), True),
        Column(_("Postage"), lambda fact: yuan(fact.amounts.postage), lambda row: yuan(row.postage), True),
        Column(
            _("Refunded"), lambda fact: yuan(fact.refunded_total), lambda row: yuan(row.refunded_told), True
        ),
    ),
    "accounts": (
        Column(_("Buyer"), _account_id),
        Column(_("Name"), lambda fact: mask_name(fact.name), lambda row: mask_name(row.name)),
        Column(_("Phone"), lambda fact: _key_of(fact, IdentifierKind.PHONE, mask_phone)),
        Column(_("E-mail"), lambda fact: _key_of(fact, IdentifierKind.EMAIL, mask_email)),
        Column(
            _("Birthday"), lambda fact: mask_birthday(fact.birthday), lambda row: mask_birthday(row.birthday)
        ),
        Column(_("City"), lambda fact: fact.city or "", lambda row: row.city),
        Column(_("Joined"), lambda fact: minute(fact.joined_at), lambda row: minute(row.joined_at)),
    ),
    "refunds": (
        Column(_("Order number"), lambda fact: fact.order_number),
        Column(_("Refund number"), lambda fact: fact.number),
        Column(_("Goods"), lambda fact: yuan(fact.goods), lambda row: yuan(row.goods), True),
        Column(_("Postage"), lambda fact: yuan(fact.postage), lambda row: yuan(row.postage), True),
        Column(_("Refunded at"), lambda fact: minute(fact.refunded_at), lambda row: minute(row.refunded_at)),
    ),
    "order-lines": (
        Column(_("Order number"), lambda fact: fact.order_number),
        Column(_("Lines"), lambda fact: str(len(fact.lines)), None, True),
        Column(_("Products"), lambda fact: ", ".join(line.name for line in fact.lines[:3])),
    ),
}
