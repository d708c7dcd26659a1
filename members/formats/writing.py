"""Writing: facts as the file a platform would export, for the demo and for tests.

What the platform's file cannot say is lost, and reading the file again gives what is left. These files
imitate the platforms down to their wrappers, so cells are not guarded against formulas: they are never
handed to people as exports of ours.
"""

import csv
import io
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, TextIO

from members.cleaning import SHANGHAI
from members.formats import columns, imitation
from members.formats.imitation import Cells


def write(format_name: str, facts: Iterable[Any], target: Path | TextIO, *, append: bool = False) -> int:
    """Write facts as a file of `format_name` and return the number of rows written under the header.

    A path is written in the encoding of the platform. `append` goes on with a file that has its header.
    Raises KeyError for formats that are only read.
    """
    form = _FORMS[format_name]
    if isinstance(target, Path):
        with target.open("a" if append else "w", encoding=form.encoding, newline="") as stream:
            return _write(form, facts, stream, append=append)
    return _write(form, facts, target, append=append)


def to_bytes(format_name: str, facts: Iterable[Any]) -> bytes:
    """The same file in memory."""
    text = io.StringIO(newline="")
    write(format_name, facts, text)
    return text.getvalue().encode(_FORMS[format_name].encoding)


@dataclass(frozen=True, slots=True)
class _Form:
    """The outside of a platform's file: header, encoding, and the rows of one fact."""

    header: tuple[str, ...]
    rows: Callable[[Any], Iterator[Cells]]
    encoding: str = "utf-8"
    quotes_all: bool = False
    wrapped: frozenset[str] = frozenset()  # ids in ="…", written so before any quoting
    tabbed: frozenset[str] = frozenset()  # ids behind a tab


def _write(form: _Form, facts: Iterable[Any], stream: TextIO, *, append: bool) -> int:
    writer = csv.writer(
        stream, lineterminator="\n", quoting=csv.QUOTE_ALL if form.quotes_all else csv.QUOTE_MINIMAL
    )
    if not append:
        writer.writerow(form.header)
    count = 0
    for fact in facts:
        for cells in form.rows(fact):
            row = [_cell(cells.get(name.strip()), name, form) for name in form.header]
            if form.wrapped:  # ="…" is no CSV: the writer would quote the quotation marks
                wrapped = (_wrapped(text, name, form) for text, name in zip(row, form.header, strict=True))
                stream.write(",".join(wrapped) + "\n")
            else:
                writer.writerow(row)
            count += 1
    return count


def _cell(value: object, name: str, form: _Form) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, date):
        return value.isoformat()
    text = format(value, "f") if isinstance(value, Decimal) else str(value)
    return f"\t{text}" if name in form.tabbed and text else text


def _wrapped(text: str, name: str, form: _Form) -> str:
    quoted = '"' + text.replace('"', '""') + '"'
    return f"={quoted}" if name in form.wrapped and text else quoted


_DOUYIN_IDS: Final = frozenset({"主订单编号", "子订单编号", "选购商品", "商家编码", "详细地址"})
_FORMS: Final[dict[str, _Form]] = {
    # GB18030 writes what GBK can write in the same bytes, and emoji besides.
    "tmall-orders": _Form(
        columns.TMALL_ORDERS,
        imitation.tmall_order,
        "gb18030",
        quotes_all=True,
        wrapped=frozenset({"订单编号"}),
    ),
    "tmall-order-lines": _Form(
        columns.TMALL_ORDER_LINES,
        imitation.tmall_lines,
        "gb18030",
        quotes_all=True,
        wrapped=frozenset({"订单编号"}),
    ),
    "jd-orders": _Form(columns.JD_ORDERS, imitation.jd_order, "gb18030"),
    "pinduoduo-orders": _Form(columns.PINDUODUO_ORDERS, imitation.pinduoduo_order, "utf-8-sig"),
    "douyin-orders": _Form(columns.DOUYIN_ORDERS, imitation.douyin_order, "utf-8-sig", tabbed=_DOUYIN_IDS),
    "douyin-aftersales": _Form(columns.DOUYIN_AFTERSALES, imitation.douyin_refund, "utf-8-sig"),
    "youzan-orders": _Form(columns.YOUZAN_ORDERS, imitation.youzan_order),
    "youzan-customers": _Form(columns.YOUZAN_CUSTOMERS, imitation.youzan_customer),
    "shopify-orders": _Form(columns.SHOPIFY_ORDERS, imitation.shopify_order),
    "shopify-customers": _Form(columns.SHOPIFY_CUSTOMERS, imitation.shopify_customer),
    "woocommerce-customers": _Form(
        columns.WOOCOMMERCE_CUSTOMERS, imitation.woocommerce_customer, quotes_all=True
    ),
}
WRITABLE: Final = frozenset(_FORMS)
