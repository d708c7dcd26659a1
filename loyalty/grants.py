"""Grants: one thing given to one member for one occasion, once (B4, B5, B9-B11).

Activities, rules, milestones, birthdays, member days and referrals all give by `give`. What cannot be given
(a quota is spent, a coupon is not of this programme) becomes a row that says so, and never an error of
whatever the occasion was: an order is an order.

An occasion has a name, and while a grant of it stands nothing is given for it again. Grants are inserted
first, and the unique key of causes answers who was there first; wallets are locked before that, so that two
who give at once wait and do not do the work twice. An occasion of a person (`per_person`) counts under every
member merged into one another. What is withdrawn may be given anew, under a cause with a number.
"""

import json
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import connection

from loyalty import giving, ledger, publishing
from loyalty.ledger import Purses
from loyalty.models import Grant
from loyalty.wishes import Given, Wish, of_person, wishes_of
from members import columns, survivors

__all__ = ["Given", "Wish", "give", "of_person", "stands", "wishes_of"]


def give(wishes: Sequence[Wish], *, now: datetime, purses: Purses | None = None) -> list[Given]:
    """Give what is wished, each once for its occasion; answers in the order of the wishes.

    In the caller's transaction, and by a fixed number of statements. `purses`: the wallets, when the caller
    has opened them; otherwise they are locked here. `now` is the programme's time.
    """
    assert connection.in_atomic_block, "what is given is given in the transaction that makes the occasion"
    if not wishes:
        return []
    linked = survivors.linked({wish.member_id for wish in wishes if wish.per_person})
    names = {id(wish): _names(wish, linked) for wish in wishes}
    before = _before({name for each in names.values() for name in each})
    given = [_look(wish, names[id(wish)], before) for wish in wishes]
    _once_a_person(given, linked)
    fresh = [each for each in given if each.is_new]
    if not fresh:
        return given
    if purses is None:
        members = {id_ for each in fresh for id_ in linked.get(each.wish.member_id, (each.wish.member_id,))}
        purses = _lock(members)
    _claim(fresh, names)
    fresh = [each for each in fresh if each.is_new]
    giving.hand_out([each for each in fresh if not each.refusal], purses, now)
    _write(fresh)
    return given


def stands(occasions: Collection[str]) -> set[str]:
    """Which of these occasions something was given for, and not withdrawn since."""
    if not occasions:
        return set()
    rows = columns.ask(
        "SELECT DISTINCT occasion FROM loyalty_grant"
        " WHERE occasion = ANY(%s::text[]) AND state <> 'withdrawn'",
        [columns.texts(occasions)],
    )
    return {occasion for (occasion,) in rows}


def _lock(member_ids: Collection[int]) -> Purses:
    return ledger.lock(member_ids, first_tier=publishing.first_tier, earning_only=member_ids)


# --- looking -----------------------------------------------------------------------------------------


def _names(wish: Wish, linked: Mapping[int, Sequence[int]]) -> list[str]:
    """Every name under which the occasion may have been had."""
    if not wish.per_person:
        return [wish.occasion]
    return [of_person(wish.occasion, member_id) for member_id in linked[wish.member_id]]


@dataclass(slots=True)
class _Before:
    """What occasions were given for before: grants that stand, and how many were withdrawn."""

    standing: dict[str, list[tuple[str, str, str, int]]] = field(default_factory=lambda: defaultdict(list))
    withdrawn: dict[tuple[str, str], int] = field(default_factory=lambda: defaultdict(int))


def _before(names: Collection[str]) -> _Before:
    before = _Before()
    rows = columns.ask(
        "SELECT occasion, prize, state, refusal, id FROM loyalty_grant"
        " WHERE occasion = ANY(%s::text[]) ORDER BY id",
        [columns.texts(names)],
    )
    for occasion, prize, state, refusal, id_ in rows:
        if state == Grant.State.WITHDRAWN:
            before.withdrawn[occasion, prize] += 1
        else:
            before.standing[occasion].append((prize, state, refusal, id_))
    return before


def _look(wish: Wish, names: Sequence[str], before: _Before) -> Given:
    """Whether a wish is new, and what its cause is to be."""
    anew = before.withdrawn[wish.name, wish.prize.kind]
    cause = f"{wish.name}:{wish.prize.kind}" + (f":{anew + 1}" if anew else "")
    standing = [row for name in names for row in before.standing.get(name, ())]
    if not standing:
        given = Given(wish=wish, cause=cause)
        if wish.refused:
            given.refuse(wish.refused)
        return given
    same = next((row for row in standing if row[0] == wish.prize.kind), standing[0])
    _prize, state, refusal, id_ = same
    return Given(wish=wish, cause=cause, state=state, refusal=refusal, is_new=False, grant_id=id_)


def _once_a_person(given: Sequence[Given], linked: Mapping[int, Sequence[int]]) -> None:
    """Of one occasion that two members of one person have in one call, the first has it."""
    holders: dict[tuple[str, int], int] = {}
    for each in given:
        if each.is_new and each.wish.per_person:
            member_id = each.wish.member_id
            person = each.wish.occasion, linked[member_id][0]
            each.is_new = holders.setdefault(person, member_id) == member_id


# --- writing -----------------------------------------------------------------------------------------


def _claim(fresh: Sequence[Given], names: Mapping[int, Sequence[str]]) -> None:
    """Insert the grants; whoever comes second inserts nothing, and is not new any more."""
    rows = [
        _row(each.wish, each.cause, names[id(each.wish)])
        for each in sorted(fresh, key=lambda each: each.cause)
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO loyalty_grant (member_id, source, code, prize, value, occasion, cause, state,"
            " refusal, why, channel_id, order_id, programme_id, happened_at)"
            " SELECT member_id, source, code, prize, value, occasion, cause, 'given', '', why, channel_id,"
            " order_id, programme_id, happened_at"
            " FROM jsonb_to_recordset(%s::jsonb) AS w(member_id bigint, source text, code text, prize text,"
            " value text, occasion text, names text[], cause text, why jsonb, channel_id bigint,"
            " order_id bigint, programme_id bigint, happened_at timestamptz)"
            " WHERE NOT EXISTS (SELECT FROM loyalty_grant had"
            " WHERE had.occasion = ANY(w.names) AND had.state <> 'withdrawn')"
            " ON CONFLICT (cause) DO NOTHING RETURNING cause, id",
            [json.dumps(rows)],
        )
        claimed = dict(cursor.fetchall())
    for each in fresh:
        each.grant_id = claimed.pop(each.cause, None)
        each.is_new = each.grant_id is not None


def _row(wish: Wish, cause: str, names: Sequence[str]) -> dict[str, object]:
    return {
        "member_id": wish.member_id,
        "source": str(wish.source),
        "code": wish.code,
        "prize": wish.prize.kind,
        "value": wish.prize.value,
        "occasion": wish.name,
        "names": list(names),
        "cause": cause,
        "why": wish.explanation,
        "channel_id": wish.channel_id,
        "order_id": wish.order_id,
        "programme_id": wish.programme.id,
        "happened_at": wish.happened_at.isoformat(),
    }


def _write(fresh: Sequence[Given]) -> None:
    """Write what became of the grants that were claimed, in one statement."""
    rows = [
        {
            "id": each.grant_id,
            "state": str(each.state),
            "refusal": each.refusal,
            "entry_id": each.entry_id,
            "coupon_id": each.coupon_id,
            "claim_id": each.claim_id,
        }
        for each in fresh
        if each.refusal or each.entry_id or each.coupon_id or each.claim_id
    ]
    if not rows:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE loyalty_grant AS g SET state = w.state, refusal = w.refusal, entry_id = w.entry_id,"
            " coupon_id = w.coupon_id, claim_id = w.claim_id"
            " FROM jsonb_to_recordset(%s::jsonb) AS w(id bigint, state text, refusal text, entry_id bigint,"
            " coupon_id bigint, claim_id bigint) WHERE g.id = w.id",
            [json.dumps(rows)],
        )
