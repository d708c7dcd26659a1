"""Reconciling in the database, set by set: a hundred thousand orders cost as many statements as one.

`members.reconciling` says when. What the channel holds lies in members_reconciliationrow; what we hold is
read where it stands. Of each figure only what the channel told is compared.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, NamedTuple, Protocol
from uuid import UUID, uuid4

from django.db import connection

from members import columns
from members.cleaning import SHANGHAI
from members.models import Reconciliation, ReconciliationDifference, ReconciliationRow
from members.reconciliation_facts import Held
from members.sealing import sealed_field

Kind = ReconciliationDifference.Kind
State = ReconciliationDifference.State
# One comparison of a channel at a time: a later one closes what an earlier one found.
NAMESPACE = int.from_bytes(b"rcon", "big")
FIGURES = ("orders", "net", "paid", "refunded")
_PAYLOAD = sealed_field(ReconciliationRow, "payload")
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
_COPY = "COPY members_reconciliationrow (run_id, seal, order_no, status, net, paid, refunded) FROM STDIN"


class Writable(Protocol):
    """Where text of COPY goes."""

    def write(self, text: str, /) -> object:
        """Take some text."""


# -- what the channel holds -----------------------------------------------------------------------------


@contextmanager
def copying() -> Iterator[Writable]:
    """One COPY into the rows, however many there are; give it lines of `line_of`."""
    with connection.cursor() as cursor, cursor.copy(_COPY) as copy:
        yield copy


def line_of(run_id: int, held: Held) -> str:
    """One row in PostgreSQL's COPY text form."""
    figures = "\t".join("\\N" if value is None else str(value) for value in held[1:])
    return f"{run_id}\t{uuid4()}\t{held.order_no.translate(_ESCAPES)}\t{figures}\n"


def tell(run_id: int, rows: Sequence[Held]) -> None:
    """Write rows of a run; one told before is told anew."""
    latest = {held.order_no: held for held in rows}.values()
    columns.tell(
        """
        INSERT INTO members_reconciliationrow (run_id, seal, order_no, status, net, paid, refunded)
        SELECT %s, gen_random_uuid(), order_no, status, net, paid, refunded
          FROM unnest(%s::text[], %s::text[], %s::numeric[], %s::numeric[], %s::numeric[])
               AS told(order_no, status, net, paid, refunded)
            ON CONFLICT (run_id, order_no) DO UPDATE
           SET status = excluded.status, net = excluded.net, paid = excluded.paid,
               refunded = excluded.refunded
        """,
        [
            run_id,
            columns.texts(held.order_no for held in latest),
            columns.words(held.status for held in latest),
            columns.numbers(held.net for held in latest),
            columns.numbers(held.paid for held in latest),
            columns.numbers(held.refunded for held in latest),
        ],
    )


def differing(run_ids: Sequence[int]) -> dict[str, list[tuple[int, UUID]]]:
    """The rows that are left of runs, as (id, seal) by order number: those of orders that differ."""
    found: dict[str, list[tuple[int, UUID]]] = {}
    for order_no, row_id, seal in columns.ask(
        "SELECT order_no, id, seal FROM members_reconciliationrow WHERE run_id = ANY(%s::bigint[])",
        [columns.numbers(run_ids)],
    ):
        found.setdefault(order_no, []).append((row_id, seal))
    return found


def keep(packed: Sequence[tuple[int, UUID, str]]) -> None:
    """Keep the whole facts of rows, sealed; as (row's id, its seal, the packed fact)."""
    payloads = _PAYLOAD.seal_values([text for _, _, text in packed], [seal.bytes for _, seal, _ in packed])
    columns.tell(
        """
        UPDATE members_reconciliationrow AS kept SET payload = told.payload
          FROM unnest(%s::bigint[], %s::bytea[]) AS told(id, payload) WHERE kept.id = told.id
        """,
        [columns.numbers(row_id for row_id, _, _ in packed), columns.blobs(payloads)],
    )


def kept(run_id: int, difference_ids: Sequence[int]) -> list[str]:
    """The packed facts of differing orders, one an order; what the file did not tell is not among them."""
    rows = columns.ask(
        """
        SELECT DISTINCT kept.id, kept.payload, kept.seal
          FROM members_reconciliationrow AS kept
          JOIN members_reconciliationdifference AS found USING (run_id, order_no)
         WHERE kept.run_id = %s AND found.id = ANY(%s::bigint[]) AND kept.payload IS NOT NULL
         ORDER BY kept.id
        """,
        [run_id, columns.numbers(difference_ids)],
    )
    return _PAYLOAD.unseal_values([row[1] for row in rows], [row[2].bytes for row in rows])


def forget(run_id: int, *, but_differing: bool = True) -> None:
    """Remove the rows of a run, but those of orders of which a difference is open."""
    columns.tell(
        "DELETE FROM members_reconciliationrow AS told WHERE run_id = %s AND NOT (%s AND EXISTS ("
        " SELECT FROM members_reconciliationdifference AS found WHERE found.run_id = told.run_id"
        " AND found.order_no = told.order_no AND found.state = 'open'))",
        [run_id, but_differing],
    )


# -- the comparison -------------------------------------------------------------------------------------

# An order of the day by our books, or one that the channel counts among the day's whatever ours says.
_SIDES = """
    WITH theirs AS MATERIALIZED (
        SELECT order_no, status, net, paid, refunded FROM members_reconciliationrow WHERE run_id = %(run)s
    ), held AS MATERIALIZED (
        SELECT id, number, status, net, net + postage AS paid,
               refunded_goods + refunded_postage AS refunded, member_id
          FROM members_order
         WHERE channel_id = %(channel)s
           AND (placed_at >= %(start)s AND placed_at < %(end)s
                OR placed_at IS NULL AND paid_at >= %(start)s AND paid_at < %(end)s)
         UNION
        SELECT o.id, o.number, o.status, o.net, o.net + o.postage,
               o.refunded_goods + o.refunded_postage, o.member_id
          FROM theirs JOIN members_order o ON o.channel_id = %(channel)s AND o.number = theirs.order_no
    )
"""
# What makes each kind, of an order that both have; `theirs` and `held` name the two sides.
_DIFFERS = {
    Kind.STATUS: "theirs.status <> held.status",
    Kind.AMOUNT: "theirs.net <> held.net OR theirs.paid <> held.paid",
    # Of an order that both hold as cancelled nothing is left to earn, whatever was refunded of it.
    Kind.REFUNDED: "theirs.refunded <> held.refunded"
    " AND NOT (held.status = 'cancelled' AND coalesce(theirs.status, held.status) = 'cancelled')",
}
_KINDS = ", ".join(
    [
        f"('{Kind.MISSING_HERE.value}', held.id IS NULL)",
        f"('{Kind.MISSING_THERE.value}', theirs.order_no IS NULL)",
        *(f"('{kind.value}', {condition})" for kind, condition in _DIFFERS.items()),
    ]
)
_COMPARE = f"""
    {_SIDES}
    INSERT INTO members_reconciliationdifference
           (run_id, kind, order_no, order_id, status, net, paid, refunded,
            our_status, our_net, our_paid, our_refunded, state, reason)
    SELECT %(run)s, found.kind, coalesce(theirs.order_no, held.number), held.id,
           theirs.status, theirs.net, theirs.paid, theirs.refunded,
           held.status, held.net, held.paid, held.refunded, 'open', ''
      FROM theirs FULL JOIN held ON held.number = theirs.order_no
     CROSS JOIN LATERAL (VALUES {_KINDS}) AS found(kind, is_so)
     WHERE found.is_so
"""


def _whole(figure: str) -> str:
    # A sum of some orders only would be set against ours of all.
    told, all_told = f"theirs.{figure}", f"count(theirs.{figure}) = count(theirs.order_no)"
    return f"CASE WHEN {all_told} THEN coalesce(sum({told}), 0.00) END"


_SUMS = f"""
    {_SIDES}
    SELECT count(theirs.order_no), {_whole("net")}, {_whole("paid")}, {_whole("refunded")},
           count(held.id), coalesce(sum(held.net), 0.00), coalesce(sum(held.paid), 0.00),
           coalesce(sum(held.refunded), 0.00), count(held.id) FILTER (WHERE held.member_id IS NULL)
      FROM theirs FULL JOIN held ON held.number = theirs.order_no
"""
Figures = dict[str, Any]


class Sums(NamedTuple):
    """The totals of both sides, as documents, and how many of our orders are nobody's."""

    theirs: Figures
    ours: Figures
    unattached: int


def take_turn(run: Reconciliation) -> None:
    """Wait for whoever compares this channel now; until the end of the transaction it is ours."""
    columns.ask("SELECT pg_advisory_xact_lock(%s, %s)", [NAMESPACE, run.channel_id])


def compare(run: Reconciliation) -> None:
    """Write down every way in which the told rows and our orders differ."""
    _tell(_COMPARE, _place(run))


def sums(run: Reconciliation) -> Sums:
    """What all orders of the day come to on both sides, whatever their state."""
    with connection.cursor() as cursor:
        cursor.execute(_SUMS, _place(run))
        row = cursor.fetchone()
    return Sums(document(row[:4]), document(row[4:8]), row[8])


def add_totals(run: Reconciliation, theirs: Figures, ours: Figures) -> None:
    """Write down that the totals differ, where only totals were told."""
    if all(theirs[name] is None or theirs[name] == ours[name] for name in FIGURES):
        return
    ReconciliationDifference.objects.create(
        run=run,
        kind=Kind.TOTALS,
        net=theirs["net"],
        paid=theirs["paid"],
        refunded=theirs["refunded"],
        our_net=ours["net"],
        our_paid=ours["paid"],
        our_refunded=ours["refunded"],
    )


def found(run_id: int) -> dict[str, int]:
    """How many differences of each kind a run has."""
    return dict(
        columns.ask(
            "SELECT kind, count(*) FROM members_reconciliationdifference WHERE run_id = %s GROUP BY kind",
            [run_id],
        )
    )


def accept_as_before(run: Reconciliation) -> None:
    """What was accepted of this day and is still exactly so needs no second word."""
    _tell(
        """
        UPDATE members_reconciliationdifference AS again
           SET state = 'accepted', reason = before.reason, settled_by_id = before.settled_by_id,
               settled_at = before.settled_at
          FROM (SELECT DISTINCT ON (d.kind, d.order_no) d.*, past.theirs, past.ours
                  FROM members_reconciliationdifference AS d
                  JOIN members_reconciliation AS past ON past.id = d.run_id
                 WHERE past.channel_id = %(channel)s AND past.day = %(day)s AND past.id <> %(run)s
                   AND d.state = 'accepted'
                 ORDER BY d.kind, d.order_no, d.id DESC) AS before
          JOIN members_reconciliation AS run ON run.id = %(run)s
         WHERE again.run_id = run.id AND again.kind = before.kind AND again.order_no = before.order_no
           AND (again.kind <> 'totals' OR before.theirs = run.theirs AND before.ours = run.ours)
           AND (again.status, again.net, again.paid, again.refunded, again.our_status, again.our_net,
                again.our_paid, again.our_refunded)
               IS NOT DISTINCT FROM
               (before.status, before.net, before.paid, before.refunded, before.our_status, before.our_net,
                before.our_paid, before.our_refunded)
        """,
        _place(run),
    )


def close_earlier(run: Reconciliation, now: datetime) -> None:
    """Close what earlier comparisons of the day left open: gone by itself, or found again by this one.

    Totals alone say nothing of single orders, so they close nothing but totals.
    """
    _tell(
        """
        WITH earlier AS (
            SELECT d.id, EXISTS (SELECT FROM members_reconciliationdifference AS again
                                  WHERE again.run_id = %(run)s AND again.kind = d.kind
                                    AND again.order_no = d.order_no) AS is_found
              FROM members_reconciliationdifference AS d
              JOIN members_reconciliation AS past ON past.id = d.run_id
             WHERE past.channel_id = %(channel)s AND past.day = %(day)s AND past.id <> %(run)s
               AND d.state = 'open' AND (%(whole)s OR d.kind = 'totals')
        ), forgotten AS (
            DELETE FROM members_reconciliationrow AS kept
             USING members_reconciliation AS past
             WHERE past.id = kept.run_id AND past.channel_id = %(channel)s AND past.day = %(day)s
               AND past.state = 'done' AND past.id <> %(run)s AND %(whole)s
        )
        UPDATE members_reconciliationdifference AS d
           SET state = CASE WHEN earlier.is_found THEN 'again' ELSE 'gone' END, settled_at = %(now)s
          FROM earlier WHERE d.id = earlier.id
        """,
        {**_place(run), "now": now, "whole": run.way != Reconciliation.Way.TOTALS},
    )


# -- afterwards -----------------------------------------------------------------------------------------


def settle_equal(
    difference_ids: Sequence[int], channel_id: int, *, actor_id: int | None, now: datetime
) -> int:
    """Close as taken in what no longer differs, of these open differences; how many those were."""
    still = " ".join(f"WHEN '{kind.value}' THEN {condition}" for kind, condition in _DIFFERS.items())
    # An order that was missing here is there now; one that is missing there, nothing here can bring back.
    still = f"CASE theirs.kind WHEN '{Kind.MISSING_HERE.value}' THEN FALSE {still} ELSE TRUE END"
    return columns.tell(
        f"""
        UPDATE members_reconciliationdifference AS d
           SET state = 'taken', settled_at = %s, settled_by_id = %s
          FROM (SELECT theirs.id
                  FROM members_reconciliationdifference AS theirs
                  JOIN (SELECT channel_id, number, status, net, net + postage AS paid,
                               refunded_goods + refunded_postage AS refunded
                          FROM members_order) AS held
                    ON held.channel_id = %s AND held.number = theirs.order_no
                 WHERE theirs.id = ANY(%s::bigint[])
                   AND NOT coalesce({still}, FALSE)) AS equal
         WHERE d.id = equal.id AND d.state = 'open'
        """,
        [now, actor_id, channel_id, columns.numbers(difference_ids)],
    )


def ours_of(channel_id: int, order_nos: Iterable[str]) -> Figures:
    """What we hold of these orders, as figures to reckon with."""
    (row,) = columns.ask(
        """
        SELECT count(*), coalesce(sum(net), 0), coalesce(sum(net + postage), 0),
               coalesce(sum(refunded_goods + refunded_postage), 0)
          FROM members_order WHERE channel_id = %s AND number = ANY(%s::text[])
        """,
        [channel_id, columns.texts(order_nos)],
    )
    return dict(zip(FIGURES, row, strict=True))


def moved(known: Mapping[str, Any], before: Figures, after: Figures) -> Figures:
    """A document of totals with what has moved between two reckonings added to it."""
    return document(reckoned(name, known[name]) + after[name] - before[name] for name in FIGURES)


def reckoned(name: str, value: Any) -> int | Decimal:
    """One figure of a document, to reckon with."""
    return int(value) if name == "orders" else Decimal(value)


def bounds(day: date) -> tuple[datetime, datetime]:
    """The first instant of a day in China, and that of the next."""
    start = datetime.combine(day, time(), SHANGHAI)
    return start, start + timedelta(days=1)


def _place(run: Reconciliation) -> dict[str, Any]:
    start, end = bounds(run.day)
    return {"run": run.pk, "channel": run.channel_id, "day": run.day, "start": start, "end": end}


def _tell(statement: str, parameters: Mapping[str, Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)


def document(values: Iterable[Any]) -> Figures:
    """Figures as they are kept: money as text, None where it was not told."""
    told = (f"{value:.2f}" if isinstance(value, Decimal) else value for value in values)
    return dict(zip(FIGURES, told, strict=True))
