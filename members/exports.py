"""Exports: what a channel's people did, as a table for a spreadsheet (E4).

Promises: personal data leave masked; whose rows left is on the access trail before they are written;
text that a spreadsheet would run as a formula is made harmless; memory stays flat.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, Protocol

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.db.models import Exists, OuterRef
from django.utils import timezone
from django.utils.module_loading import import_string
from openpyxl import Workbook

from members.cells import guarded
from members.errors import ExportKindUnknown, ExportSuffixUnknown
from members.models import Account, Case, Channel, Member, Order
from privacy import access, masking
from privacy.models import AccessRecord

CHUNK = 2000  # rows from the database at once, and in one record of the trail
Cells = Sequence[Any]


class Exported(NamedTuple):
    """One row on its way out, and whose it is."""

    member_id: int | None
    cells: Cells


class Source(Protocol):
    """What can be exported: named in `settings.EXPORT_SOURCES` by its kind.

    `columns` are the headers, stable for programmes; `model` and `fields` are what the trail notes.
    """

    model: ClassVar[str]
    columns: ClassVar[tuple[str, ...]]
    fields: ClassVar[tuple[str, ...]]

    def rows(self, channel: Channel) -> Iterator[Exported]:
        """The rows of one channel, streamed."""


class MembersSource:
    """The members who have an account in the channel."""

    model = "members.Member"
    columns = (
        "member_no",
        "status",
        "name",
        "phone",
        "email",
        "birthday",
        "gender",
        "province",
        "city",
        "joined_at",
    )
    fields = ("name", "phone", "email", "birthday")

    def rows(self, channel: Channel) -> Iterator[Exported]:
        """Members in the order of their numbers' making."""
        here = Account.objects.filter(channel=channel, member=OuterRef("pk"))
        for member in Member.objects.filter(Exists(here)).order_by("pk").iterator(CHUNK):
            cells = (
                member.number,
                member.status,
                masking.mask_name(member.name),
                masking.mask_phone(member.phone),
                masking.mask_email(member.email),
                masking.mask_birthday(member.birthday),
                member.gender,
                member.province,
                member.city,
                member.joined_at,
            )
            yield Exported(member.pk, cells)


class AccountsSource:
    """The channel's accounts and whose they are."""

    model = "members.Account"
    columns = (
        "external_id",
        "member_no",
        "nick",
        "name",
        "linked_by",
        "linked_at",
        "joined_at",
        "unbound_at",
    )
    fields = ("external_id", "nick", "name")

    def rows(self, channel: Channel) -> Iterator[Exported]:
        """Accounts, first heard first."""
        found = Account.objects.filter(channel=channel).select_related("member").order_by("pk")
        for account in found.iterator(CHUNK):
            cells = (
                masking.mask_id(account.external_id),
                account.member.number,
                masking.mask_name(account.nick),
                masking.mask_name(account.name),
                account.linked_by,
                account.linked_at,
                account.joined_at,
                account.unbound_at,
            )
            yield Exported(account.member_id, cells)


class OrdersSource:
    """The channel's orders; an order without a known buyer has no member number."""

    model = "members.Order"
    columns = (
        "order_no",
        "member_no",
        "status",
        "placed_at",
        "paid_at",
        "received_at",
        "goods",
        "discount",
        "net",
        "postage",
        "refunded_goods",
        "refunded_postage",
    )
    fields = ("number",)

    def rows(self, channel: Channel) -> Iterator[Exported]:
        """Orders, first heard first."""
        found = (
            Order.objects.filter(channel=channel).select_related("member").defer("receiver").order_by("pk")
        )
        for order in found.iterator(CHUNK):
            cells = (
                order.number,
                order.member.number if order.member else None,
                order.status,
                order.placed_at,
                order.paid_at,
                order.received_at,
                order.goods,
                order.discount,
                order.net,
                order.postage,
                order.refunded_goods,
                order.refunded_postage,
            )
            yield Exported(order.member_id, cells)


class CasesSource:
    """The channel's cases, without what was said in them."""

    model = "members.Case"
    columns = (
        "case_no",
        "member_no",
        "kind",
        "state",
        "question_type",
        "feedback_channel",
        "order_no",
        "product",
        "opened_at",
        "first_response_at",
        "closed_at",
        "response_seconds",
        "satisfaction",
    )
    fields = ("question_type", "satisfaction")

    def rows(self, channel: Channel) -> Iterator[Exported]:
        """Cases, first heard first."""
        found = Case.objects.filter(channel=channel).select_related("member").defer("words", "answer")
        for case in found.order_by("pk").iterator(CHUNK):
            response = case.response_time
            cells = (
                case.number,
                case.member.number if case.member else None,
                case.kind,
                case.state,
                case.question_type,
                case.feedback_channel,
                case.order_number,
                case.product,
                case.opened_at,
                case.first_response_at,
                case.closed_at,
                int(response.total_seconds()) if response is not None else None,
                case.satisfaction,
            )
            yield Exported(case.member_id, cells)


def write(
    channel: Channel, kind: str, path: Path, *, actor: AbstractBaseUser | None = None, label: str = ""
) -> int:
    """Write one kind of rows to a CSV or XLSX file, by the file's suffix; how many rows.

    actor: the person who asked, or `label` names the command. Raises ExportKindUnknown,
    ExportSuffixUnknown.
    """
    if kind not in settings.EXPORT_SOURCES:
        raise ExportKindUnknown(kind=kind, kinds=", ".join(sorted(settings.EXPORT_SOURCES)))
    put = _WRITERS.get(path.suffix.lower())
    if put is None:
        raise ExportSuffixUnknown(suffixes=", ".join(sorted(_WRITERS)))
    source: Source = import_string(settings.EXPORT_SOURCES[kind])()
    return put(path, source.columns, _noted(source, channel, actor, label))


def _noted(source: Source, channel: Channel, actor: AbstractBaseUser | None, label: str) -> Iterator[Cells]:
    """The rows, each part on the trail before it goes out."""
    rows = source.rows(channel)
    while part := list(islice(rows, CHUNK)):
        access.note(
            actor,
            AccessRecord.Action.EXPORT,
            model=source.model,
            subjects=sorted({row.member_id for row in part if row.member_id is not None}),
            fields=source.fields,
            label=label,
            occasion=access.Occasion(channel=channel.code),
        )
        for row in part:
            yield row.cells


def _write_csv(path: Path, columns: Cells, rows: Iterable[Cells]) -> int:
    written = 0
    with path.open("w", encoding="utf-8-sig", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(columns)
        for row in rows:
            writer.writerow([_text(cell) for cell in row])
            written += 1
    return written


def _text(cell: Any) -> Any:
    if isinstance(cell, datetime):
        return timezone.localtime(cell).isoformat(sep=" ", timespec="seconds")
    return f"{cell:.2f}" if isinstance(cell, Decimal) else guarded(cell)


def _write_xlsx(path: Path, columns: Cells, rows: Iterable[Cells]) -> int:
    book = Workbook(write_only=True)
    sheet = book.create_sheet()
    sheet.append(list(columns))
    written = 0
    for row in rows:
        sheet.append([_cell(cell) for cell in row])
        written += 1
    book.save(path)
    return written


# XML knows no control characters, and the whole file is lost for one of them.
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f]")


def _cell(cell: Any) -> Any:
    if isinstance(cell, datetime):
        return timezone.localtime(cell).replace(tzinfo=None)  # a sheet's times have no zone
    return guarded(_CONTROL.sub("", cell)) if isinstance(cell, str) else cell


_WRITERS = {".csv": _write_csv, ".xlsx": _write_xlsx}
