"""Applying: what a package says becomes accounts, tiers, points, growth value and coupons (A16)."""

import json
from collections import defaultdict
from collections.abc import Callable, Sequence

from django.db import transaction
from django.db.models.functions import Now

from members import columns, imports
from members.importing import chunks, report
from members.legacy import takers, totals
from members.legacy.takers import Offer, Taken
from members.models import Channel, ImportRun, LegacyRun

Watch = Callable[[LegacyRun], object]

# What a row goes by in the ledger, behind its channel and account.
_PLACE = {
    "lots": "lot:{key}",
    "balances": "balance",
    "tiers": "tier",
    "growth": "growth",
    "coupons": "coupon:{key}",
    "consents": "consent:{key}",
    "referrals": "referral",
}
_NEXT = """
    SELECT r.id, r.kind, r.account_id, a.member_id, r."key", r.again, r.amount, r.document,
           o.member_id
      FROM members_legacyrow r JOIN members_account a ON a.id = r.account_id
      LEFT JOIN members_account o ON r.other_index <> '' AND o.channel_id = r.channel_id
                                 AND o.external_index = r.other_index
     WHERE r.run_id = %s AND r.state = 'waiting'
       AND r.place = (SELECT min(place) FROM members_legacyrow WHERE run_id = %s AND state = 'waiting')
     ORDER BY r.id LIMIT %s"""
_FIND_ACCOUNTS = """
    UPDATE members_legacyrow r SET account_id = a.id
      FROM members_account a
     WHERE r.run_id = %s AND r.kind <> 'members' AND r.state = 'waiting' AND r.account_id IS NULL
       AND a.channel_id = r.channel_id AND a.external_index = r.account_index"""
_REFUSE_STRANGERS = """
    UPDATE members_legacyrow SET state = 'rejected', code = 'member_unknown'
     WHERE run_id = %s AND state = 'waiting' AND account_id IS NULL"""
_NOTE = """
    UPDATE members_legacyrow r SET state = told.state, code = told.code, made = told.made, cause = told.cause
      FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::bigint[], %s::text[])
           AS told(id, state, code, made, cause) WHERE r.id = told.id"""


def apply(run: LegacyRun, watch: Watch) -> None:
    """Apply what is left of a package. Ends as DONE, or as STOPPED when somebody asked for that."""
    if run.applied_from is None:
        run.totals_before = report.totals(run.channel_id)
        run.applied_from = Now()
        run.save(update_fields=["totals_before", "applied_from"])
        run.refresh_from_db(fields=["applied_from"])
    if run.members_run_id is not None and not _bring_members(run, run.members_run_id, watch):
        return
    _find_accounts(run)
    chunks.through(run, advance, watch)
    if run.state == LegacyRun.State.APPLYING:
        _finish(run)
    watch(run)


def _bring_members(run: LegacyRun, import_id: int, watch: Watch) -> bool:
    """Bring the file of members, on from where it was; whether all of it is in."""
    accounts = imports.get(import_id)
    if accounts.state == ImportRun.State.READY:
        accounts = imports.start(import_id, actor_id=run.started_by_id, with_package=True)
    if accounts.state in (ImportRun.State.APPLYING, ImportRun.State.STOPPED):
        accounts = imports.resume(import_id)
    if accounts.state == ImportRun.State.QUEUED:
        accounts = imports.carry_out(import_id, lambda _members: watch(run))
    return accounts.state == ImportRun.State.DONE or _stop(run, accounts)


def _stop(run: LegacyRun, accounts: ImportRun) -> bool:
    run.state = LegacyRun.State.STOPPED
    run.problem, run.problem_details = accounts.problem, accounts.problem_details
    run.save(update_fields=["state", "problem", "problem_details"])
    return False


@transaction.atomic
def _find_accounts(run: LegacyRun) -> None:
    """The accounts behind the old ids, now that all members are in."""
    columns.tell(_FIND_ACCOUNTS, [run.pk])
    columns.tell(_REFUSE_STRANGERS, [run.pk])


@transaction.atomic
def advance(run: LegacyRun) -> int:
    """Bring the next chunk, of one kind, and note it; how many rows that were, 0 when none is left."""
    chunks.locked(run)
    if run.stop_asked:
        run.state, run.stop_asked = LegacyRun.State.STOPPED, False
        run.save(update_fields=["state", "stop_asked"])
        return 0
    kind, offers = _next(run)
    if not offers:
        return 0
    answers = takers.of(kind).take(run.channel, offers, run_id=run.pk, actor_id=run.started_by_id)
    _note(offers, answers)
    return len(offers)


def _next(run: LegacyRun) -> tuple[str, list[Offer]]:
    by_kind: dict[str, list[Offer]] = defaultdict(list)
    for row_id, kind, account_id, member_id, key, again, amount, document, other_id in columns.ask(
        _NEXT, [run.pk, run.pk, chunks.CHUNK]
    ):
        cause = cause_of(run.channel, account_id, kind, key, again)
        by_kind[kind].append(
            Offer(row_id, account_id, member_id, cause, amount, json.loads(document), other_id)
        )
    return next(iter(by_kind.items()), ("", []))


def cause_of(channel: Channel, account_id: int, kind: str, key: str, again: int) -> str:
    """What a row is called for ever: `legacy:oldshop:17:lot:3`; brought again after it went back, `…+1`.

    The account stands for the old id, which is personal and rests sealed.
    """
    place = _PLACE[kind].format(key=key)
    return f"legacy:{channel.code}:{account_id}:{place}{f'+{again}' if again else ''}"


def _note(offers: Sequence[Offer], answers: Sequence[Taken]) -> None:
    states = ["rejected" if each.code else "same" if each.made is None else "new" for each in answers]
    columns.tell(
        _NOTE,
        [
            columns.numbers([offer.row_id for offer in offers]),
            columns.words(states),
            columns.texts([each.code for each in answers]),
            columns.numbers([each.made for each in answers]),
            columns.texts(
                [
                    offer.cause if each.made is not None else ""
                    for offer, each in zip(offers, answers, strict=True)
                ]
            ),
        ],
    )


@transaction.atomic
def _finish(run: LegacyRun) -> None:
    run.state = LegacyRun.State.DONE
    run.finished_at = Now()
    run.totals_after = report.totals(run.channel_id)
    run.told = totals.of(run)
    run.save(update_fields=["state", "finished_at", "totals_after", "told"])
    run.refresh_from_db(fields=["finished_at"])
