"""Referrals: who brought whom, and whether it counts (B9).

Promises: a person is brought by one member, whoever comes first; a friend counts once, after their first
purchase that is kept (or on joining, when the programme says so), and no longer when that purchase comes to
nothing; nothing is refused in silence: what speaks against a friend stays on the row, and a person decides.

What was promised when the friend was heard of decides: the row names that version of the programme. Referrals
of one referrer are counted one after the other, under the lock of their wallet; their numbers have no gap.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from django.db import connection, transaction

from loyalty import clock, grants, ledger, publishing, referral_gifts, referral_signs, referral_terms, tiers
from loyalty.clock import Clock
from loyalty.grants import Given, Wish
from loyalty.models import Referral
from loyalty.publishing import Held, Programmes
from loyalty.referral_codes import code_of, owners
from loyalty.referral_gifts import Referrers
from loyalty.referral_signs import CERTAIN, Pair
from loyalty.referral_terms import ENROLMENT, ReferralTerms
from loyalty.tiers import Purchase
from members import survivors
from members.models import Account, Member
from members.orders import Heard

__all__ = ["Brought", "Told", "code_of", "count", "count_due", "hear", "lock", "standing"]

State, Reason = Referral.State, Referral.Reason
LIVE = (State.WAITING, State.COUNTED)
UNKNOWN_CODE = "unknown_code"
CHUNK = 500
_EVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A buyer who was told with the code of whoever brought them. `was_known`: that account was, before."""

    code: str
    member_id: int
    account_id: int
    was_known: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Brought:
    """What became of one: a state of Referral, or `unknown_code`; and what speaks against it."""

    state: str
    reasons: Sequence[str] = ()


# --- hearing -----------------------------------------------------------------------------------------


def hear(told: Sequence[Told], *, channel_id: int, beside: Collection[int] = ()) -> list[Brought]:
    """Record who brought these new members; one answer for each. `count` gives what they bring at once.

    In the caller's transaction, before wallets are locked; where friends count at once, those of the
    referrers are locked here, together with those of the members `beside`. Without a programme there is
    nothing to bring friends to, and every code is unknown.
    """
    if not told or not publishing.is_published():
        return [Brought(state=UNKNOWN_CODE) for _ in told]
    now, programmes = clock.read(), publishing.load_all()
    held = programmes.at(now.now)
    referrers = owners({each.code for each in told})
    pairs = {Pair(referrers[each.code], each.member_id): each for each in told if each.code in referrers}
    known = _known(pairs)
    fresh = [pair for pair in pairs if pair not in known]
    rows = _judged(fresh, pairs, held, programmes, now)
    for row in rows:
        row.channel_id = channel_id
    if any(row.due_at is not None and row.state == State.WAITING for row in rows):
        _lock({*beside, *(id_ for pair in fresh for id_ in pair)})
    _insert(rows)
    known |= _known(fresh)
    _note_referrers([row for row in known.values() if row.state != State.REFUSED])
    return [
        _brought(known.get(Pair(referrers[each.code], each.member_id)))
        if each.code in referrers
        else Brought(state=UNKNOWN_CODE)
        for each in told
    ]


def _known(pairs: Collection[Pair]) -> dict[Pair, Referral]:
    """The referrals there are of these pairs."""
    rows = Referral.objects.filter(friend__in={pair.friend_id for pair in pairs}) if pairs else ()
    found = {Pair(row.referrer_id, row.friend_id): row for row in rows}
    return {pair: row for pair, row in found.items() if pair in set(pairs)}


def _brought(row: Referral | None) -> Brought:
    assert row is not None, "what was told is recorded"
    return Brought(state=row.state, reasons=tuple(row.reasons))


def _judged(
    fresh: Sequence[Pair], told: Mapping[Pair, Told], held: Held, programmes: Programmes, now: Clock
) -> list[Referral]:
    """The rows of pairs that are new, each with what speaks against it."""
    terms = referral_terms.of(held.programme.rest)
    signs = referral_signs.of_joining(fresh)
    others = _brought_by_others(fresh)
    before = _told_elsewhere([told[pair] for pair in fresh])
    before |= _bought_before({pair.friend_id for pair in fresh}, now)
    entitled = _entitled({pair.referrer_id for pair in fresh}, terms, held, programmes, now)
    rows = []
    for pair, found in zip(fresh, signs, strict=True):
        if told[pair].was_known or pair.friend_id in before:
            found.add(Reason.NOT_NEW)
        if pair in others:
            found.add(Reason.OTHER_REFERRER)
        if pair.referrer_id not in entitled:
            found.add(Reason.NOT_ENTITLED)
        rows.append(
            Referral(
                referrer_id=pair.referrer_id,
                friend_id=pair.friend_id,
                programme_id=held.id,
                state=_state_of(found),
                reasons=in_order(found),
                heard_at=now.now,
                due_at=now.now if terms.counts_after == ENROLMENT else None,
            )
        )
    return rows


def _state_of(signs: Collection[str]) -> str:
    if not signs:
        return State.WAITING
    return State.REFUSED if CERTAIN & set(signs) else State.REVIEW


def in_order(signs: Collection[str]) -> list[str]:
    """Reasons in the order in which they are declared."""
    return [str(reason) for reason in Reason.values if reason in signs]


def _brought_by_others(pairs: Sequence[Pair]) -> set[Pair]:
    """The pairs whose friend somebody else has brought, under whatever number the friend is merged."""
    linked = survivors.linked({pair.friend_id for pair in pairs})
    rows = Referral.objects.filter(friend__in={id_ for each in linked.values() for id_ in each})
    brought = dict(rows.exclude(state=State.REFUSED).values_list("friend_id", "referrer_id"))
    return {
        pair
        for pair in pairs
        if any(brought.get(id_, pair.referrer_id) != pair.referrer_id for id_ in linked[pair.friend_id])
    }


def _told_elsewhere(told: Sequence[Told]) -> set[int]:
    """The friends of whom another account was told: that one was their enrolment."""
    linked = survivors.linked({each.member_id for each in told})
    accounts = Account.objects.filter(
        member__in={id_ for each in linked.values() for id_ in each}, digest__isnull=False
    )
    of_person: dict[int, set[int]] = defaultdict(set)
    for account_id, member_id in accounts.values_list("id", "member_id"):
        of_person[member_id].add(account_id)
    return {
        each.member_id
        for each in told
        if any(of_person[id_] - {each.account_id} for id_ in linked[each.member_id])
    }


def _bought_before(friend_ids: Collection[int], now: Clock) -> set[int]:
    """The friends who had bought before they joined: more than a day ago, as channels tell things apart."""
    _linked, bought = _purchases(friend_ids)
    edge = now.recorded - referral_signs.TOLD_APART
    return {
        member_id
        for member_id in friend_ids
        if any(purchase.paid_at < edge and purchase.kept > 0 for purchase in bought[member_id])
    }


def _entitled(
    referrer_ids: Collection[int], terms: ReferralTerms, held: Held, programmes: Programmes, now: Clock
) -> set[int]:
    """The members whose friends may count, by the programme's `only_when`."""
    if terms.only_when is None:
        return set(referrer_ids)
    referrers = _referrers(referrer_ids, terms.only_when.asks, programmes, now)
    return {id_ for id_ in referrer_ids if referrers.facts(id_, terms.only_when, held) is not None}


def _referrers(
    member_ids: Collection[int], asked: frozenset[str], programmes: Programmes, now: Clock
) -> Referrers:
    referrers = Referrers(programmes=programmes, at=now.now)
    if asked:
        _linked, referrers.bought = _purchases(member_ids)
        referrers.read(member_ids, asked)
    return referrers


def _insert(rows: Sequence[Referral]) -> None:
    """Insert what is new; of a friend whom somebody else brought first, that it is refused and why."""
    Referral.objects.bulk_create(rows, ignore_conflicts=True)
    known = _known([Pair(row.referrer_id, row.friend_id) for row in rows])
    late = [row for row in rows if Pair(row.referrer_id, row.friend_id) not in known]
    for row in late:
        row.state = State.REFUSED
        row.reasons = in_order({*row.reasons, Reason.OTHER_REFERRER})
    Referral.objects.bulk_create(late, ignore_conflicts=True)


def _note_referrers(rows: Sequence[Referral]) -> None:
    """Keep with the member who recruited them (A3)."""
    by_referrer: dict[int, list[int]] = defaultdict(list)
    for row in rows:
        by_referrer[row.referrer_id].append(row.friend_id)
    for referrer_id, friend_ids in sorted(by_referrer.items()):
        Member.objects.filter(pk__in=friend_ids, referrer=None).update(referrer=referrer_id)


def _purchases(
    member_ids: Collection[int],
) -> tuple[Mapping[int, Sequence[int]], Mapping[int, list[Purchase]]]:
    """What persons bought under every member that is them, oldest first; and who these are."""
    linked = survivors.linked(member_ids)
    rows = tiers.purchases({id_ for each in linked.values() for id_ in each}, _EVER)
    return linked, {
        member_id: sorted(
            (purchase for id_ in each for purchase in rows.get(id_, ())),
            key=lambda purchase: (purchase.paid_at, purchase.order_id),
        )
        for member_id, each in linked.items()
    }


def standing(member_ids: Collection[int]) -> Mapping[int, Brought]:
    """Whether these members were brought by somebody: the row that holds, or else the latest refusal."""
    rows = Referral.objects.filter(friend__in=member_ids).order_by("id") if member_ids else ()
    found: dict[int, Brought] = {}
    for row in rows:
        before = found.get(row.friend_id)
        if before is None or before.state == State.REFUSED:
            found[row.friend_id] = _brought(row)
    return found


# --- counting ----------------------------------------------------------------------------------------


def lock(heard: Sequence[Heard]) -> list[int]:
    """Lock the wallets of these orders' members together with those of whoever brought them.

    Before the orders are settled, so that all wallets are taken in one order. Answers the friends among
    the members, for `count`; one statement when there are none.
    """
    members = {id_ for each in heard for id_ in (each.member_id, each.member_before) if id_ is not None}
    friends, referrers = _live(members)
    if friends:
        _lock(members | friends | referrers)
    return sorted(friends)


_LIVE = """
WITH RECURSIVE person AS (
    SELECT id, merged_into_id FROM members_member WHERE id = ANY(%(members)s::bigint[])
     UNION
    SELECT m.id, m.merged_into_id FROM person JOIN members_member m ON m.merged_into_id = person.id
)
SELECT r.friend_id, r.referrer_id FROM loyalty_referral r JOIN person ON person.id = r.friend_id
 WHERE r.state IN ('waiting', 'counted')
"""


def _live(member_ids: Collection[int]) -> tuple[set[int], set[int]]:
    """Of these members, and of who was merged into them, the friends who were brought; and by whom."""
    if not member_ids:
        return set(), set()
    with connection.cursor() as cursor:
        cursor.execute(_LIVE, {"members": sorted(member_ids)})
        rows = cursor.fetchall()
    return {friend for friend, _referrer in rows}, {referrer for _friend, referrer in rows}


def _lock(member_ids: Collection[int]) -> None:
    """The wallets in the order of their ids; merged ones too, where grants look for them."""
    everybody = {id_ for each in survivors.linked(member_ids).values() for id_ in each}
    ledger.lock(everybody, first_tier=publishing.first_tier, earning_only=everybody)


@dataclass(slots=True)
class _Round:
    """One counting: the friends' rows, and what decides about them."""

    now: Clock
    programmes: Programmes
    rows: list[Referral]
    linked: Mapping[int, Sequence[int]] = field(default_factory=dict)
    bought: Mapping[int, Sequence[Purchase]] = field(default_factory=dict)
    fallen: list[Referral] = field(default_factory=list)

    def held(self, row: Referral) -> Held:
        return self.programmes.held(row.programme_id)

    def terms(self, row: Referral) -> ReferralTerms:
        return referral_terms.of(self.held(row).programme.rest)

    def first(self, row: Referral) -> Purchase | None:
        """The friend's first purchase that is kept."""
        return next((each for each in self.bought[row.friend_id] if each.kept > 0), None)


def count(friend_ids: Collection[int]) -> list[Given]:
    """Bring these friends to where they should stand, and give or take back what that brings (B9).

    In the caller's transaction. Who has a first purchase that was kept for `keep_days` counts, unless
    something speaks against it; who has none any more counts no longer. A fixed number of statements for
    those who stand where they should.
    """
    rows = list(Referral.objects.filter(friend__in=friend_ids, state__in=LIVE)) if friend_ids else []
    if not rows:
        return []
    _lock({id_ for row in rows for id_ in (row.referrer_id, row.friend_id)})
    # Under the lock: what somebody else has just counted is counted.
    locked = Referral.objects.filter(pk__in=[row.pk for row in rows], state__in=LIVE).order_by("id")
    at_work = _Round(clock.read(), publishing.load_all(), list(locked))
    at_work.linked, at_work.bought = _purchases({row.friend_id for row in at_work.rows})
    ready = [row for row in at_work.rows if _moves(row, at_work)]
    _take_back(at_work.fallen, at_work.now)
    return _give(_without_doubts(ready), at_work)


def _moves(row: Referral, at_work: _Round) -> bool:
    """Note the purchase a friend counts by, as it is now; whether they are to be counted."""
    if at_work.terms(row).counts_after == ENROLMENT:
        return row.state == State.WAITING
    first = at_work.first(row)
    due_at = at_work.terms(row).due_at(first.paid_at) if first else None
    changes = (row.order_id, row.due_at) != (first.order_id if first else None, due_at)
    row.order_id, row.due_at = (first.order_id, due_at) if first else (None, None)
    if row.state == State.COUNTED and first is None:
        row.state, row.number, row.counted_at = State.WAITING, None, None
        at_work.fallen.append(row)
    if changes:
        row.save(update_fields=["state", "number", "counted_at", "order", "due_at"])
    return row.state == State.WAITING and due_at is not None and due_at <= at_work.now.now


def _without_doubts(ready: Sequence[Referral]) -> list[Referral]:
    """Who may count at once; for the others it is written why not. A person's word is not asked again."""
    asked = [row for row in ready if row.decided_at is None]
    doubts = referral_signs.of_purchase([Pair(row.referrer_id, row.friend_id) for row in asked])
    doubtful = set()
    for row, signs in zip(asked, doubts, strict=True):
        if signs:
            doubtful.add(row.pk)
            row.state, row.reasons = _state_of(signs), in_order(signs)
            row.save(update_fields=["state", "reasons"])
    return [row for row in ready if row.pk not in doubtful]


def _give(counting: Sequence[Referral], at_work: _Round) -> list[Given]:
    """Count friends, each under the next number of their referrer, and give what that brings."""
    if not counting:
        return []
    people = survivors.linked({row.referrer_id for row in counting})
    numbers = _counted({id_ for each in people.values() for id_ in each})
    asked = frozenset().union(*(at_work.terms(row).asks for row in counting))
    referrers = _referrers(set(people), asked, at_work.programmes, at_work.now)
    wishes: dict[tuple[str, str], Wish] = {}
    for row in counting:
        numbers[row.referrer_id] += 1
        row.state, row.number, row.counted_at = State.COUNTED, numbers[row.referrer_id], at_work.now.now
        row.save(update_fields=["state", "number", "counted_at"])
        friends = sum(numbers[id_] for id_ in people[row.referrer_id])
        found = referral_gifts.wishes_of(
            row, friends, at_work.held(row), at_work.terms(row), referrers, at_work.now
        )
        for wish in found:
            wishes.setdefault((wish.name, wish.prize.kind), wish)
    return [each for each in grants.give(list(wishes.values()), now=at_work.now.now) if each.is_new]


def _counted(member_ids: Collection[int]) -> Counter[int]:
    """How many friends of each member count."""
    rows = Referral.objects.filter(referrer__in=member_ids, state=State.COUNTED)
    return Counter(rows.values_list("referrer_id", flat=True))


# Out of the way first: within one statement a number may not be taken and given up at once.
_MAKE_ROOM = """
UPDATE loyalty_referral SET number = number + 1000000000 WHERE referrer_id = ANY(%s) AND state = 'counted'
"""
_RENUMBER = """
UPDATE loyalty_referral r SET number = stands.number
  FROM (SELECT id, row_number() OVER (PARTITION BY referrer_id ORDER BY number) AS number
          FROM loyalty_referral WHERE referrer_id = ANY(%s) AND state = 'counted') AS stands
 WHERE stands.id = r.id
"""


def _take_back(fallen: Sequence[Referral], now: Clock) -> None:
    """Close the rows of numbers behind friends who count no more, and withdraw what they had brought."""
    if not fallen:
        return
    people = survivors.linked({row.referrer_id for row in fallen})
    everybody = sorted({id_ for each in people.values() for id_ in each})
    with connection.cursor() as cursor:
        cursor.execute(_MAKE_ROOM, [everybody])
        cursor.execute(_RENUMBER, [everybody])
    counted = _counted(everybody)
    friends = {id_: sum(counted[other] for other in each) for each in people.values() for id_ in each}
    referral_gifts.take_back(fallen, friends, now=now.now)


# --- by night, and by hand ---------------------------------------------------------------------------

_DUE = """
SELECT r.id, r.friend_id FROM loyalty_referral r WHERE r.state = 'waiting' AND r.id > %(after)s
   AND (r.due_at <= %(now)s
        OR r.due_at IS NULL AND EXISTS (SELECT FROM members_order o
             WHERE o.member_id = r.friend_id AND o.paid_at IS NOT NULL AND o.status <> 'cancelled'))
 ORDER BY r.id LIMIT %(chunk)s
"""


def count_due() -> int:
    """Count the friends whose first purchase has been kept for long enough; how many. Chunk by chunk."""
    counted = 0
    for friend_ids in _chunks():
        with transaction.atomic():
            before = _standing_of(friend_ids)
            count(friend_ids)
            counted += _standing_of(friend_ids) - before
    return counted


def _standing_of(friend_ids: Collection[int]) -> int:
    return Referral.objects.filter(friend__in=friend_ids, state=State.COUNTED).count()


def _chunks() -> Iterator[list[int]]:
    after, now = 0, clock.read().now
    while True:
        with connection.cursor() as cursor:
            cursor.execute(_DUE, {"after": after, "now": now, "chunk": CHUNK})
            rows = cursor.fetchall()
        if not rows:
            return
        yield [friend_id for _id, friend_id in rows]
        after = rows[-1][0]


def withdraw(row: Referral, **decided: Any) -> None:
    """Refuse a friend who counts or waits; what they brought is taken back. The wallets are locked."""
    was_counted = row.state == State.COUNTED
    values = {"state": State.REFUSED, "number": None, "counted_at": None, **decided}
    for name, value in values.items():
        setattr(row, name, value)
    row.save(update_fields=list(values))
    if was_counted:
        _take_back([row], clock.read())
