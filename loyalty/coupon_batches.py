"""Batches of unique codes: made by the hundred thousand, or taken in from a file (B6).

    make, take_in → work (a worker, chunk by chunk) → codes, rejected

A chunk is one transaction of a fixed number of statements that also counts it, so that a worker who was
killed goes on where it stopped. Every row of a file ends as new, same or rejected with its reason.
"""

import csv
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import islice
from typing import Any, NamedTuple, Protocol

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.db import transaction
from django.db.models.functions import Now
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued

from loyalty import clock, coupon_codes, coupon_rows, coupon_terms, publishing
from loyalty.coupon_terms import Terms
from loyalty.errors import CouponBatchNotFound, CouponBatchRefused
from loyalty.models import Coupon, CouponBatch, CouponReject
from members import columns
from members.cells import guarded
from members.cleaning import REJECT_CODES, Unclean, clean_id
from members.formats.reading import Table, open_table
from members.formats.rows import Row
from members.importing import files
from privacy import access
from privacy.access import NOWHERE, Occasion
from privacy.errors import ShukeError

CHUNK = 50_000
MOST = 5_000_000
JOB = "loyalty.make_coupon_codes"
State = CouponBatch.State
Source = CouponBatch.Source
Watch = Callable[[CouponBatch], object]

# What a column of codes is called on the platforms, in lower case.
COLUMNS = frozenset(
    {
        *("券码", "优惠券码", "优惠码", "兑换码", "卡券号", "券号", "卡号"),
        *("code", "codes", "coupon", "coupon code", "coupon_code", "voucher", "voucher code"),
    }
)

# Why a row became no coupon, beside the reasons of members.cleaning.
REASONS: dict[str, str | Promise] = {
    "code_invalid": gettext_lazy("A code has 4 to 32 letters and digits."),
    "code_taken": gettext_lazy("Another campaign has this code."),
    "quota_spent": gettext_lazy("All coupons of this campaign have been given out."),
}


class _Asked(NamedTuple):
    """One row of a file: its line, and the code it has or what is wrong with it."""

    line: int
    code: str
    fault: str
    value: str


def reason(code: str) -> str:
    """Why a row was rejected, in the language that is active."""
    return str(REASONS.get(code) or REJECT_CODES.get(code) or code)


# --- ordering -----------------------------------------------------------------------------------------


@transaction.atomic
def make(campaign: str, count: int, *, note: str = "", actor_id: int | None = None) -> CouponBatch:
    """Order so many fresh codes of a campaign; a worker makes them. Raises CouponBatchRefused."""
    held = publishing.current()
    terms = _terms(campaign)
    coupon_rows.take_turns([campaign])
    last = coupon_rows.last_numbers([campaign])[campaign]
    if not 1 <= count <= MOST or (terms.quota is not None and last + count > terms.quota):
        raise CouponBatchRefused
    batch = CouponBatch.objects.create(
        campaign=campaign,
        programme_id=held.id,
        source=Source.GENERATED,
        wanted=count,
        note=note,
        made_by_id=actor_id,
    )
    ask_for(batch)
    return batch


@transaction.atomic
def take_in(
    campaign: str, name: str, blocks: Iterable[bytes], *, note: str = "", actor_id: int | None = None
) -> CouponBatch:
    """Store a file of codes that others made; a worker reads it. Raises CouponBatchRefused, FileTooLarge."""
    _terms(campaign)
    batch = CouponBatch(
        campaign=campaign,
        programme_id=publishing.current().id,
        source=Source.IMPORTED,
        wanted=0,
        file_name=files.shown_name(name),
        note=note,
        made_by_id=actor_id,
    )
    stored = files.store(batch.key, blocks)
    batch.wanted, batch.file_digest = stored.lines, stored.digest
    batch.save()
    ask_for(batch)
    return batch


def _terms(campaign: str) -> Terms:
    terms = coupon_terms.find(publishing.current().programme, campaign)
    if terms is None or not terms.bearer:
        raise CouponBatchRefused
    return terms


def campaigns() -> list[Terms]:
    """The campaigns that codes can be made of: those for the bearer."""
    found = coupon_terms.of(publishing.current().programme) if publishing.is_published() else {}
    return [terms for terms in found.values() if terms.bearer]


def ask_for(batch: CouponBatch) -> None:
    """Let a worker carry a batch out, or on."""
    # A job that waits already will find the batch as it is then.
    with suppress(AlreadyEnqueued), transaction.atomic():
        app.configure_task(JOB, queueing_lock=f"{JOB} {batch.pk}").defer(batch_id=batch.pk)


def get(batch_id: int) -> CouponBatch:
    """The batch with this number. Raises CouponBatchNotFound."""
    try:
        return CouponBatch.objects.select_related("made_by").get(pk=batch_id)
    except CouponBatch.DoesNotExist:
        raise CouponBatchNotFound from None


# --- making -------------------------------------------------------------------------------------------


def _unwatched(batch: CouponBatch) -> None:
    """The watch of nobody."""


def work(batch_id: int, watch: Watch = _unwatched) -> CouponBatch:
    """Carry a batch out to its end, or on from where a worker stopped; `watch` is called for each chunk.

    It ends DONE, or FAILED with the code of the problem. What is an error of ours is raised.
    """
    batch = get(batch_id)
    if batch.state in (State.DONE, State.FAILED):
        return batch
    try:
        if batch.source == Source.GENERATED:
            _generate(batch, watch)
        else:
            with open_table(files.path_of(batch.key)) as table:
                if not table.encoding:  # a spreadsheet: its line ends say nothing about its rows
                    CouponBatch.objects.filter(pk=batch_id).update(wanted=0)
                _import(batch, table, watch)
            files.erase(batch.key)
    except (ShukeError, FileNotFoundError) as problem:
        _end(batch_id, State.FAILED, problem=getattr(problem, "code", "members.file_gone"))
    else:
        _end(batch_id, State.DONE)
    batch.refresh_from_db()
    watch(batch)
    return batch


def _end(batch_id: int, state: CouponBatch.State, *, problem: str = "") -> None:
    CouponBatch.objects.filter(pk=batch_id).update(state=state, problem=problem, done_at=Now())


def _generate(batch: CouponBatch, watch: Watch) -> None:
    while batch.made < batch.wanted:
        batch = _make_chunk(batch.pk)
        watch(batch)


@transaction.atomic
def _make_chunk(batch_id: int) -> CouponBatch:
    batch = _locked(batch_id)
    count = min(CHUNK, batch.wanted - batch.made)
    if count > 0:
        _count(batch, made=len(_add(batch, list(coupon_codes.draw(count)))))
    return batch


def _locked(batch_id: int) -> CouponBatch:
    return CouponBatch.objects.select_for_update(no_key=True).get(pk=batch_id)


def _count(batch: CouponBatch, *, made: int = 0, same: int = 0, rejected: int = 0) -> None:
    batch.made += made
    batch.same += same
    batch.rejected += rejected
    batch.read += made + same + rejected
    batch.state = State.RUNNING
    batch.save(update_fields=["made", "same", "rejected", "read", "state"])


def _add(batch: CouponBatch, codes: Sequence[str]) -> set[str]:
    """Add codes as coupons for the bearer, up to the campaign's quota; answers those that were added."""
    terms = coupon_terms.find(publishing.load_all().by_id(batch.programme_id), batch.campaign)
    assert terms is not None, "a batch is ordered of a campaign of its version"
    coupon_rows.take_turns([batch.campaign])
    last = coupon_rows.last_numbers([batch.campaign])[batch.campaign]
    if terms.quota is not None:
        codes = codes[: max(0, terms.quota - last)]
        if not codes and batch.source == Source.GENERATED:
            raise CouponBatchRefused  # others were issued since these were ordered
    now = clock.read().now
    valid_from, valid_until = terms.validity(now)
    added = columns.ask(
        "INSERT INTO loyalty_coupon (campaign, programme_id, code, number, quota, per_member, is_bearer,"
        " state, cause, why, batch_id, valid_from, valid_until, locked_order_no, steps, issued_at)"
        " SELECT %s, %s, code, %s + place, %s, %s, true, 'issued', '', '{}', %s, %s, %s, '', 0, %s"
        " FROM unnest(%s::text[]) WITH ORDINALITY AS drawn(code, place) ON CONFLICT (code) DO NOTHING"
        " RETURNING code",
        [
            batch.campaign,
            batch.programme_id,
            last,
            terms.quota,
            terms.per_member,
            batch.pk,
            valid_from,
            valid_until,
            now,
            columns.texts(codes),
        ],
    )
    return {code for (code,) in added}


# --- taking in ----------------------------------------------------------------------------------------


def _import(batch: CouponBatch, table: Table, watch: Watch) -> None:
    rows = _rows(table)
    for _row in islice(rows, batch.read):
        pass  # counted by the worker before us
    while chunk := list(islice(rows, CHUNK)):
        taken = _take_chunk(batch.pk, batch.read, chunk)
        if taken is None:
            return  # somebody else works on it
        batch = taken
        watch(batch)


def _rows(table: Table) -> Iterator[_Asked]:
    """The codes of a file, in the column that is called so, else in the first; a header may be missing."""
    place = next((n for n, name in enumerate(table.headers) if name.strip().lower() in COLUMNS), None)
    if place is None:
        place, first = 0, table.headers[0] if table.headers else ""
        if coupon_codes.clean(first) and any(sign.isdigit() for sign in first):
            yield _asked(table.header_line, first, "")
    for row in table.rows:
        if any(cell.strip() for cell in row.cells) or row.fault:
            yield _asked_of(row, place)


def _asked_of(row: Row, place: int) -> _Asked:
    return _asked(row.line, row.cells[place] if place < len(row.cells) else "", row.fault)


def _asked(line: int, value: str, fault: str) -> _Asked:
    if fault:
        return _Asked(line, "", fault, value[:64])
    try:
        cleaned = clean_id(value)
    except Unclean as unclean:
        return _Asked(line, "", unclean.code, value[:64])
    if cleaned is None:
        return _Asked(line, "", "required_missing", "")
    code = coupon_codes.clean(cleaned)
    return _Asked(line, code or "", "" if code else "code_invalid", value[:64])


@transaction.atomic
def _take_chunk(batch_id: int, read: int, rows: Sequence[_Asked]) -> CouponBatch | None:
    """Sort one chunk of rows into new, same and rejected; None when another worker has read on."""
    batch = _locked(batch_id)
    if batch.read != read:
        return None
    coupon_rows.take_turns([batch.campaign])  # before looking: what is not there now stays so
    wanted = [row.code for row in rows if row.code]
    known = {code: (campaign, made_in) for code, campaign, made_in in _known(wanted)}
    public = _public_codes()
    fresh: dict[str, _Asked] = {}
    rejected: list[tuple[_Asked, str]] = []
    same = 0
    for row in rows:
        fault = row.fault
        if not fault and (row.code in fresh or known.get(row.code, ("", None))[1] == batch_id):
            fault = "duplicate_in_file"
        elif not fault and row.code in known and known[row.code][0] == batch.campaign:
            same += 1
            continue
        elif not fault and (row.code in known or row.code in public):
            fault = "code_taken"
        if fault:
            rejected.append((row, fault))
        else:
            fresh[row.code] = row
    added = _add(batch, list(fresh))
    rejected += [(row, "quota_spent") for code, row in fresh.items() if code not in added]
    CouponReject.objects.bulk_create(
        [CouponReject(batch=batch, line=row.line, code=fault, value=row.value) for row, fault in rejected]
    )
    _count(batch, made=len(added), same=same, rejected=len(rejected))
    return batch


def _known(codes: Sequence[str]) -> list[tuple[str, str, int | None]]:
    return columns.ask(
        "SELECT c.code, c.campaign, c.batch_id FROM unnest(%s::text[]) AS told(code)"
        " JOIN loyalty_coupon c USING (code)",
        [columns.texts(codes)],
    )


def _public_codes() -> set[str]:
    found = coupon_terms.of(publishing.current().programme).values()
    return {code for terms in found for code in coupon_codes.readings(terms.public_code)}


# --- taking out ---------------------------------------------------------------------------------------


class Writable(Protocol):
    """What text can be written to."""

    def write(self, text: str, /) -> object:
        """Take some text."""


class _Line:
    """A file that gives each line back instead of keeping it."""

    def write(self, text: str, /) -> str:
        return text


def codes(
    batch: CouponBatch, actor: AbstractBaseUser | AnonymousUser, *, occasion: Occasion = NOWHERE
) -> Iterator[str]:
    """The codes of a batch as the lines of a CSV, streamed; who took them is on record before the first.

    Whoever has a code can use it, so this is as if money left the house. Raises CouponBatchNotFound until
    the batch is done.
    """
    if batch.state != State.DONE:
        raise CouponBatchNotFound
    access.note(
        actor,
        access.Action.EXPORT,
        model=CouponBatch._meta.label,
        subjects=[batch.pk],
        fields=["codes"],
        reason=f"{batch.campaign} × {batch.made}",
        occasion=occasion,
    )
    return _code_lines(batch)


def _code_lines(batch: CouponBatch) -> Iterator[str]:
    writer: Any = csv.writer(_Line())
    yield "\ufeff"  # or spreadsheets take the text for another encoding
    yield writer.writerow([_("Code"), _("Campaign"), _("valid until")])
    rows = Coupon.objects.filter(batch=batch).order_by("pk").values_list("code", "valid_until")
    for code, valid_until in rows.iterator(chunk_size=5000):
        # Told as text, so that a spreadsheet neither rounds the digits nor takes 12E5 for a number.
        shown = f'="{code}"' if _is_numeric(code) else coupon_codes.shown(code)
        yield writer.writerow([shown, batch.campaign, valid_until.isoformat() if valid_until else ""])


def _is_numeric(code: str) -> bool:
    return code.replace("E", "", 1).isdigit()


def write_rejected(batch: CouponBatch, stream: Writable) -> int:
    """Write the rejected rows as CSV in the reader's language; how many there were."""
    writer = csv.writer(stream)
    writer.writerow([_("Line"), _("Code"), _("Reason"), _("Value")])
    written = 0
    for reject in CouponReject.objects.filter(batch=batch).order_by("line").iterator(2000):
        writer.writerow([reject.line, reject.code, reason(reject.code), guarded(reject.value)])
        written += 1
    return written
