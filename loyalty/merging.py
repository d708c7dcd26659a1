"""Linked wallets: what merging two members does to points and tiers, and what undoing it does (A6).

A participant of `members.merging`. Entries never move: the wallets of one person know each other from the
merge on. Points of the one pay debts of the other at once; the better tier stays, over the joint history.
When it is undone, what was spent across goes back between the wallets, by entries that name the merge, and
each member goes on from the tier they had, by what was theirs alone since.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext as _

from loyalty import ascents, ledger, persons, publishing, tiers
from loyalty.ascents import Ascent
from loyalty.calendar import end_of
from loyalty.climbing import Before
from loyalty.coupon_holdings import usable
from loyalty.ledger import Purses
from loyalty.lots import LotState, Origin
from loyalty.models import TierBeforeMerge
from loyalty.persons import Tie
from loyalty.publishing import Programmes
from loyalty.purse import Purse
from loyalty.tellings import points_changes, tier_changed
from loyalty.tier_rows import Known
from loyalty.tiers import History, Purchase
from members import columns, outbox
from members.models import Merge
from members.numbers import number_of
from members.templatetags.amounts import count

_NOT_YET = 0  # the merge that is only looked at
Parts = list[tuple[LotState, int]]


def preview(survivor_id: int, other_id: int) -> Mapping[str, Any]:
    """What the two have, and what the one person would: (survivor's, other's, together) by name."""
    programmes, purses = publishing.load_all(), ledger.peek([survivor_id, other_id])
    both = survivor_id, other_id
    for id_ in both:
        purses.by_member.setdefault(id_, Purse(-id_, id_, tier=programmes.first_tier))
    ascent = Ascent.open(purses, programmes)
    bought = ascents.purchases(purses, list(purses), ascent.since())
    survivor, other = ascent.of(survivor_id), ascent.of(other_id)
    for climber in (other, survivor):
        climber.history.bought = bought.get(climber.purse.member_id, ())
        climber.pass_time(ascent.ladder(ascent.now), ascent.now)
    had = [purses[id_].figures(purses.now) for id_ in both]
    stood = [purses[id_].tier for id_ in both]
    coupons = [len(usable(id_, purses.now, programmes=programmes)) for id_ in both]
    persons.link(purses.values(), [*purses.ties, Tie(_NOT_YET, survivor_id, other_id)])
    purses[survivor_id].settle(purses.now)
    survivor.join(ascent.ladder(ascent.now), other, {}, now=ascent.now)
    together = purses[survivor_id].figures(purses.now)
    points = [*(each.available for each in had), together.available]
    debt = [*(each.debt for each in had), together.debt]
    tier = [*stood, survivor.purse.tier]
    usable_now = [*coupons, sum(coupons)]
    programme = programmes.at(purses.now).programme
    lines = [
        {"label": _("Points available"), "values": [count(each) for each in points]},
        {"label": _("Points owed"), "values": [count(each) for each in debt]},
        {"label": _("Tier"), "values": [programme.tier_called(each) for each in tier]},
        {"label": _("Usable coupons"), "values": [count(each) for each in usable_now]},
    ]
    shown = [line for line in lines if line["label"] != _("Points owed") or any(debt)]
    return {"points": points, "debt": debt, "tier": tier, "coupons": usable_now, "lines": shown}


def link(merge: Merge) -> None:
    """Link the wallets of both, let points pay debts across, and let the better tier stay."""
    both = [merge.survivor_id, merge.other_id]
    purses = ledger.lock(both, first_tier=publishing.first_tier)
    ascent = Ascent.open(purses, publishing.load_all())
    bought = ascents.purchases(purses, list(purses), ascent.since())
    survivor, other = ascent.of(merge.survivor_id), ascent.of(merge.other_id)
    before: dict[int, Before] = {}
    for climber in (other, survivor):
        climber.history.bought = bought.get(climber.purse.member_id, ())
        before[climber.purse.wallet_id] = ascent.set_aside(climber, merge.pk)
    persons.link(purses.values(), [*purses.ties, Tie(merge.pk, *both)])
    purses[merge.survivor_id].settle(purses.now)
    ascent.merge(survivor, other, {"merge": merge.pk, "other": number_of(merge.other_id)})
    TierBeforeMerge.objects.bulk_create(
        TierBeforeMerge(merge=merge, wallet_id=wallet_id, at=purses.now, **stood._asdict())
        for wallet_id, stood in before.items()
    )
    _belong(purses, list(purses), merge.survivor_id)
    _write(purses, ascent)


def unlink(merge: Merge) -> None:
    """Part the wallets, settle what was spent across, and let each go on from the tier they had."""
    programmes = publishing.load_all()
    both = [merge.survivor_id, merge.other_id]
    purses = ledger.lock(both, first_tier=publishing.first_tier)
    _write_points(purses)  # what time has moved across by now is to be settled as well
    ascent = Ascent.open(purses, programmes)
    before = {row.wallet_id: row for row in TierBeforeMerge.objects.filter(merge=merge)}
    ends = [row.until for row in before.values() if row.until is not None]
    bought = tiers.purchases(list(purses), ascent.since(*ends, *(row.at for row in before.values())))
    ties = [tie for tie in purses.ties if tie.merge_id != merge.pk]
    persons.link(purses.values(), ties)
    _settle_between(merge, purses, programmes)
    for mine, theirs in (both[::-1], both):
        purse = purses[mine]
        stood = before[purse.wallet_id]
        ascent.part(
            purse,
            Before(*(getattr(stood, name) for name in Before._fields)),
            _history(purse, ascent.known, bought),
            {"merge": merge.pk, "other": number_of(theirs)},
            merge_id=merge.pk,
            merged_at=stood.at,
        )
        side = persons.side(mine, ties)
        _belong(purses, side, mine if len(side) > 1 else None)
    _write(purses, ascent)


def _history(purse: Purse, known: Mapping[int, Known], bought: Mapping[int, Sequence[Purchase]]) -> History:
    """What is known of one side of a merge that is undone."""
    parts = []
    for each in purse.together:
        mine = known.get(each.wallet_id) or Known()
        parts.append(History(bought.get(each.member_id, ()), mine.growth, mine.events, mine.joined_at))
    return History.of(parts, joined_at=parts[0].joined_at)


# --- what was spent across ------------------------------------------------------------------------------


def _settle_between(merge: Merge, purses: Purses, programmes: Programmes) -> None:
    """Give back what one side spent of the other's: to the lots it came from, from what it came to.

    What lapsed meanwhile would have lapsed without the merge, and is gone. Who spent pays with what is left
    of it, then with other available points in spend order; the rest is debt.
    """
    owed: defaultdict[tuple[Purse, Purse], tuple[Parts, Parts]] = defaultdict(lambda: ([], []))
    for giver, lot, taker, came, points in _moves(merge, purses):
        due = points - came.expired
        if due:
            back, own = owed[taker, giver]
            back.append((lot, due))
            own.append((came, due))
    programme = programmes.at(purses.now).programme
    today = purses.now.astimezone(programme.time_zone).date()
    grace = end_of(today + timedelta(days=programme.points.reissue_grace_days), programme.time_zone)
    for (payer, receiver), (back, _own) in owed.items():
        origin = _origin(merge, payer, receiver, purses.now)
        receiver.give_back(back, origin, now=purses.now, reissue_until=grace, kind="move_in")
    for (payer, receiver), (back, own) in owed.items():
        payer.take_back(
            sum(points for _lot, points in back),
            _origin(merge, payer, receiver, purses.now),
            own=[lot for lot, _points in own],
            now=purses.now,
            kind="move_out",
        )


def _origin(merge: Merge, payer: Purse, receiver: Purse, now: datetime) -> Origin:
    why = {"merge": merge.pk, "from": payer.member_id, "to": receiver.member_id, "undone": True}
    return Origin(f"unmerge:{merge.pk}:{payer.wallet_id}:{receiver.wallet_id}", now, why=why)


def _moves(merge: Merge, purses: Purses) -> list[tuple[Purse, LotState, Purse, LotState, int]]:
    """What was moved over because of a merge: whose, out of which lot, to whom, to which lot, how much.

    The two entries of a move have as many parts, in the same order.
    """
    by_wallet = {purse.wallet_id: purse for purse in purses.values()}
    rows = columns.ask(
        "SELECT e.cause, e.kind, m.points, l.wallet_id, l.id, l.order_id, l.earned, l.remaining, l.held,"
        " l.expired, l.earned_at, l.available_from, l.expires_at"
        " FROM loyalty_entry e JOIN loyalty_lotmove m ON m.entry_id = e.id"
        " JOIN loyalty_lot l ON l.id = m.lot_id"
        " WHERE e.wallet_id = ANY(%s::bigint[]) AND e.kind IN ('move_out', 'move_in')"
        " AND e.why @> jsonb_build_object('merge', %s::bigint) ORDER BY e.recorded_at, e.id, m.id",
        [columns.numbers(by_wallet), merge.pk],
    )
    sides: dict[str, dict[str, list[tuple[Purse, LotState, int]]]] = {}
    for cause, kind, points, wallet_id, *row in rows:
        purse = by_wallet[wallet_id]
        lot = ledger.lot_of(purse, row)
        sides.setdefault(cause, {"move_out": [], "move_in": []})[kind].append((purse, lot, points))
    return [
        (giver, lot, taker, came, points)
        for both in sides.values()
        for (giver, lot, _out), (taker, came, points) in zip(both["move_out"], both["move_in"], strict=True)
    ]


# --- writing --------------------------------------------------------------------------------------------


def _belong(purses: Purses, member_ids: Collection[int], person_id: int | None) -> None:
    """Write on the wallets of a person whose they are; the locks of all of them are held."""
    columns.tell(
        "UPDATE loyalty_wallet SET person_id = %s WHERE id = ANY(%s)",
        [person_id, [purses[id_].wallet_id for id_ in member_ids if id_ in purses]],
    )


def _write_points(purses: Purses) -> None:
    told = points_changes(purses.values(), None)
    ledger.append(purses, told)


def _write(purses: Purses, ascent: Ascent) -> None:
    ascent.write()
    _write_points(purses)
    outbox.put([tier_changed(step, None) for step in ascent.steps])
