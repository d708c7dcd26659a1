"""Reports: what an import did, in numbers that add up, and the rows it could not use, with reasons."""

import csv
from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import cache
from typing import Any, Protocol

from django.conf import settings
from django.db import connection
from django.utils.functional import Promise
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from members.cells import guarded
from members.cleaning import REJECT_CODES
from members.models import ImportReject, ImportRun
from privacy.errors import ShukeError

WORDS = ("read", "new", "changed", "same", "rejected", "ignored", "left")
KINDS = {"orders": "orders", "accounts": "accounts", "refunds": "refunds", "order-lines": "order_lines"}


def rows(run: ImportRun) -> dict[str, int]:
    """The rows of the file by what became of them; for a dry run or a preview, by what would."""
    told = {word: getattr(run, f"rows_{word}") for word in WORDS}
    return _foretold(run, told, "rows")


def facts(run: ImportRun) -> dict[str, int]:
    """The entries of the file (orders, accounts …) by what became of them."""
    told = {word: 0 if word == "ignored" else getattr(run, f"facts_{word}") for word in WORDS}
    return _foretold(run, told, "facts")


def _foretold(run: ImportRun, told: dict[str, int], what: str) -> dict[str, int]:
    if run.preview and (run.is_dry or run.state == ImportRun.State.READY):
        for word, number in run.preview[what].items():
            told[word] += number
        told["left"] = 0
    return told


def document(run: ImportRun) -> dict[str, Any]:
    """The whole report as plain data; money as text, as everywhere outside."""
    money, points = _sums(run)
    found: dict[str, Any] = {
        "import": run.pk,
        "channel": run.channel.code,
        "file": run.file_name,
        "format": run.format,
        "state": run.state,
        "dry_run": run.is_dry,
        "rows": rows(run),
        "money": money,
        "points": points,
        "ignored": run.ignored,
        "cells_left_out": run.cells_left_out,
        "totals": {"before": run.totals_before, "after": run.totals_after},
    }
    if run.undone_at:
        found["undone"] = {
            "taken_back": run.facts_undone,
            "kept": run.facts_kept,
            "points": run.points_undone,
        }
        found["totals"]["undone"] = run.totals_undone
    if run.kind:
        found[KINDS[run.kind]] = facts(run)
    if run.problem:
        found["problem"] = {"code": run.problem, "message": reason(run.problem, run.problem_details)}
    return found


def _sums(run: ImportRun) -> tuple[dict[str, str], dict[str, int]]:
    if run.preview and (run.is_dry or run.state == ImportRun.State.READY):
        return run.preview["money"], run.preview["points"] or {"earned": 0, "taken": 0}
    money = {"net": run.money_net, "postage": run.money_postage, "refunded": run.money_refunded}
    return (
        {name: f"{amount:.2f}" for name, amount in money.items()},
        {"earned": run.points_earned, "taken": run.points_taken},
    )


def lines(found: dict[str, Any]) -> Iterator[str]:
    """A report as lines of text, for a terminal."""
    if found["dry_run"]:
        yield _("Dry run: nothing was changed.")
    yield _("Format: %(format)s") % {"format": found["format"] or "-"}
    for key, label in (
        ("rows", _("Rows")),
        ("orders", _("Orders")),
        ("accounts", _("Accounts")),
        ("refunds", _("Refunds")),
        ("order_lines", _("Order lines")),
    ):
        if key in found:
            told = ", ".join(f"{_label_of(word)} {number:,}" for word, number in found[key].items())
            yield f"{label}: {told}"
    money, points = found["money"], found["points"]
    yield _("Money: net ¥%(net)s, postage ¥%(postage)s, refunded ¥%(refunded)s") % money
    yield _("Points: %(earned)s earned, %(taken)s taken back") % points
    if "undone" in found:
        yield _("Undone: %(taken_back)s taken back with %(points)s points, %(kept)s kept") % found["undone"]
    yield from totals_in_words(found["totals"])
    if "problem" in found:
        yield found["problem"]["message"]
    if found.get("rejected_file"):
        yield _("Rejected rows: %(file)s") % {"file": found["rejected_file"]}


def totals_in_words(told: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Control totals by the moment at which they were counted, a line for each moment."""
    moments = {"before": _("Before"), "after": _("After"), "undone": _("After undoing")}
    things = {
        "members": _("members"),
        "phones": _("distinct phones"),
        "accounts": _("accounts of the channel"),
        "orders": _("orders of the channel"),
        "net": _("net ¥"),
        "refunded": _("refunded ¥"),
    }
    for moment, label in moments.items():
        found = told.get(moment)
        if not found:
            continue
        parts = [f"{words} {_grouped(found[name])}" for name, words in things.items() if name in found]
        if "points" in found:  # by kind of entry: together, what members hold
            points = sum(int(value) for value in found["points"].values())
            parts.append(_("points %(points)s") % {"points": _grouped(points)})
        yield f"{label}: {', '.join(parts)}"


def _grouped(value: int | str) -> str:
    return f"{Decimal(value):,}"


def _label_of(word: str) -> str:
    return {
        "read": _("read"),
        "new": _("new"),
        "changed": _("changed"),
        "same": _("same"),
        "rejected": _("rejected"),
        "ignored": _("ignored"),
        "left": _("left"),
    }[word]


def totals(channel_id: int) -> dict[str, Any]:
    """Control totals, printed before and after: what this channel holds, and what points there are."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT (SELECT count(*) FROM members_member),"
            # Several may share one; one of them answers to it.
            " (SELECT count(*) FROM members_identifier WHERE kind = 'phone' AND leads),"
            " (SELECT count(*) FROM members_account WHERE channel_id = %(channel)s),"
            " count(*), coalesce(sum(net), 0), coalesce(sum(refunded_goods + refunded_postage), 0)"
            " FROM members_order WHERE channel_id = %(channel)s",
            {"channel": channel_id},
        )
        row = cursor.fetchone()
    names = ("members", "phones", "accounts", "orders", "net", "refunded")
    found: dict[str, Any] = dict(zip(names, map(_plain, row), strict=True))
    for name, participant in settings.IMPORT_TOTALS.items():
        found[name] = {key: _plain(value) for key, value in import_string(participant)().items()}
    return found


def _plain(value: int | Decimal) -> int | str:
    return f"{value:.2f}" if isinstance(value, Decimal) else value


# ------------------------------------------------------------------------------------ rejected rows


def rejected(run: ImportRun) -> Iterator[ImportReject]:
    """The rejected rows of a run in the order of its lines, streamed."""
    return ImportReject.objects.filter(run=run, is_row_kept=False).order_by("line", "id").iterator(2000)


class Writable(Protocol):
    """What text can be written to: a file, or the answer to a request."""

    def write(self, text: str, /) -> object:
        """Take some text."""


def write_rejected(run: ImportRun, stream: Writable) -> int:
    """Write the rejected rows as CSV in the reader's language; how many there were.

    The stream should be opened as `utf-8-sig`, without which spreadsheets guess the encoding wrong.
    """
    writer = csv.writer(stream)
    writer.writerow([_("Line"), _("Column"), _("Code"), _("Reason"), _("Value")])
    written = 0
    for reject in rejected(run):
        cells = (reject.column, reject.code, reason(reject.code, reject.details), reject.value)
        writer.writerow([reject.line, *map(guarded, cells)])
        written += 1
    return written


def reason(code: str, details: dict[str, Any] | None = None) -> str:
    """Why something was refused, in the language that is active now."""
    text = REJECT_CODES.get(code) or _messages().get(code)
    if text is None:
        return code
    return str(text) % details if details else str(text)


@cache
def _messages() -> dict[str, str | Promise]:
    """The messages of all errors by their codes."""
    found: dict[str, str | Promise] = {}
    waiting: list[type[ShukeError]] = [ShukeError]
    while waiting:
        kind = waiting.pop()
        found.setdefault(kind.code, kind.message)
        waiting += kind.__subclasses__()
    return found
