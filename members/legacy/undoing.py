"""The way back: what a package brought is taken back by entries that name it, last things first (A16).

Members stay, with what they said and did since; the accounts that the package made are unbound.
"""

from collections.abc import Callable, Sequence

from django.db import transaction
from django.db.models.functions import Now

from members import columns
from members.importing import chunks, report
from members.legacy import kinds, takers
from members.legacy.errors import PackageUsed
from members.legacy.takers import Made, Returned, Use
from members.models import LegacyRun

Watch = Callable[[LegacyRun], object]

_NEXT = """
    SELECT id, kind, account_id, coalesce(made, 0), cause, amount FROM members_legacyrow
     WHERE run_id = %s AND state = 'new'
       AND place = (SELECT max(place) FROM members_legacyrow WHERE run_id = %s AND state = 'new')
     ORDER BY id LIMIT %s"""
_NOTE = """
    UPDATE members_legacyrow r SET state = 'undone', taken = told.taken, kept = told.kept
      FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[]) AS told(id, taken, kept) WHERE r.id = told.id"""
# As `accounts.unbind` does one: no digest, so that the account is news when it is told again.
_UNBIND = """
    UPDATE members_account SET unbound_at = clock_timestamp(), digest = NULL
     WHERE id = ANY(%s) AND unbound_at IS NULL"""


def used(run: LegacyRun) -> list[tuple[str, Use]]:
    """What of a package has been used since it came, by kind."""
    found: list[tuple[str, Use]] = []
    for kind in ("lots", "coupons"):
        found += [(kind, use) for use in takers.of(kind).used(run.pk)]
    return found


def refuse_used(run: LegacyRun) -> None:
    """Raise PackageUsed when anything has been used."""
    uses = used(run)
    if uses:
        raise PackageUsed(
            points=sum(use.used for kind, use in uses if kind == "lots"),
            coupons=sum(1 for kind, _use in uses if kind == "coupons"),
        )


def take_back(run: LegacyRun, watch: Watch) -> None:
    """Take back what is left of a package, on from where it was. Ends as UNDONE, or HALF_BACK on request."""
    chunks.through(run, advance, watch)
    if run.state == LegacyRun.State.UNDOING:
        _finish(run)
    watch(run)


@transaction.atomic
def advance(run: LegacyRun) -> int:
    """Take back the next chunk, of one kind, and note it; how many rows that were, 0 when none is left."""
    chunks.locked(run)
    if run.stop_asked:
        run.state, run.stop_asked = LegacyRun.State.HALF_BACK, False
        run.save(update_fields=["state", "stop_asked"])
        return 0
    rows = columns.ask(_NEXT, [run.pk, run.pk, chunks.CHUNK])
    if not rows:
        return 0
    kind = rows[0][1]
    if kind == kinds.MEMBERS:
        columns.tell(_UNBIND, [[account_id for _id, _kind, account_id, *_rest in rows]])
        returned = [Returned(1, 0) for _row in rows]
    else:
        made = [Made(row_id, made, cause, amount) for row_id, _kind, _account, made, cause, amount in rows]
        returned = takers.of(kind).take_back(
            run.channel, made, spent=run.spent, run_id=run.pk, actor_id=run.undone_by_id
        )
    _note([row[0] for row in rows], returned)
    return len(rows)


def _note(row_ids: Sequence[int], returned: Sequence[Returned]) -> None:
    columns.tell(
        _NOTE,
        [
            columns.numbers(row_ids),
            columns.numbers([each.taken for each in returned]),
            columns.numbers([each.kept for each in returned]),
        ],
    )


@transaction.atomic
def _finish(run: LegacyRun) -> None:
    run.state = LegacyRun.State.UNDONE
    run.undone_at = Now()
    run.totals_undone = report.totals(run.channel_id)
    run.save(update_fields=["state", "undone_at", "totals_undone"])
    run.refresh_from_db(fields=["undone_at"])
