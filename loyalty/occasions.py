"""What an order is an occasion for, beside its points (B4, B5, B9, B10).

Once an order was settled: coupons, gifts and tiers that rules give; the first purchase of a person; the
milestones it reaches; the friend it makes count. Each once, however often and in whatever order the order is
heard of. An order that comes to nothing takes back what it was the occasion for (`loyalty.withdrawals`).

An order paid longer ago than the programme's `late_days` is no occasion any more: a file of past years earns
its points, and sends nobody a coupon.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from loyalty import (
    activities,
    clock,
    earning,
    grants,
    milestones,
    prizes,
    publishing,
    referrals,
    situations,
    tiers,
    withdrawals,
)
from loyalty.clock import Clock
from loyalty.conditions import Condition, Situation, checks
from loyalty.grants import Given, Wish, of_person, wishes_of
from loyalty.milestones import REPURCHASES, Moment, Standing
from loyalty.models import Grant
from loyalty.programme import Programme
from loyalty.prospects import Prospects
from loyalty.publishing import Held, Programmes
from loyalty.settlement import Settlement
from loyalty.settling import PAID
from loyalty.situations import Buyers
from loyalty.tiers import Beginning, Purchase
from members import columns, survivors
from members.orders import Heard

FIRST_PURCHASE = "first_purchase"


@dataclass(slots=True)
class _Batch:
    """Everything that the occasions of one batch look at, read once for all its orders."""

    now: Clock
    programmes: Programmes
    settlement: Settlement
    orders: Sequence[Heard]
    linked: Mapping[int, Sequence[int]] = field(default_factory=dict)
    begun: Mapping[int, Beginning] = field(default_factory=dict)
    # Whose purchases were read, and may have brought them to a milestone.
    closely: Collection[int] = frozenset()
    bought: Mapping[int, Sequence[Purchase]] = field(default_factory=dict)
    buyers: Buyers = field(default_factory=Buyers)
    tiers: Mapping[int, str] = field(default_factory=dict)
    # The same orders by their ids, and by whose they are or were: looked up once for each of a thousand.
    by_id: Mapping[int, Heard] = field(init=False)
    of_member: Mapping[int, Sequence[Heard]] = field(init=False)
    # The versions that hold for these orders, and now; and those by which orders bring more than points.
    versions: dict[int, Held] = field(init=False)
    giving: Collection[int] = field(init=False)

    def __post_init__(self) -> None:
        self.versions = {held.id: held for held in map(self.held, self.orders)}
        now = self.programmes.at(self.now.now)
        self.versions[now.id] = now
        self.giving = {held.id for held in self.versions.values() if _gives_for_orders(held)}
        self.by_id = {each.order_id: each for each in self.orders}
        of_member: dict[int, list[Heard]] = defaultdict(list)
        for each in self.orders:
            for id_ in _whose(each):
                of_member[id_].append(each)
        self.of_member = of_member

    @property
    def members(self) -> list[int]:
        """The members of these orders, those who had one before among them."""
        return sorted(self.of_member)

    def held(self, order: Heard) -> Held:
        return self.programmes.at(_time_of(order))

    @property
    def zone(self) -> ZoneInfo:
        """The zone of the programme's clocks, now."""
        return self.programmes.at(self.now.now).programme.time_zone

    def year_of(self, order: Heard) -> int:
        """The local calendar year in which an order was bought."""
        return _time_of(order).astimezone(self.zone).year

    def first_of(self, member_id: int) -> Purchase | None:
        """A person's first purchase that was kept, under whichever member that is them."""
        firsts = [self.begun[each].first for each in self.linked[member_id] if each in self.begun]
        return min(firsts, key=_place, default=None)

    def together(self, member_id: int) -> list[Purchase]:
        """What a person bought under every member that is them, oldest first."""
        found = [purchase for each in self.linked[member_id] for purchase in self.bought.get(each, ())]
        return sorted(found, key=_place)

    def names(self, wish: Wish) -> list[str]:
        """The name of a wish's occasion under every member that is the person."""
        if not wish.per_person:
            return [wish.name]
        return [f"{wish.occasion}:{member_id}" for member_id in self.linked[wish.member_id]]

    def is_late(self, at: datetime, held: Held) -> bool:
        late = timedelta(days=held.programme.grants.late_days)
        return self.now.recorded - at > late


def of_orders(
    heard: Sequence[Heard], settlement: Settlement, friends: Collection[int] = ()
) -> dict[int, list[Given]]:
    """Give what these orders are an occasion for and take back what they no longer are; by order.

    In the transaction that settled them, once for the batch, by a fixed number of statements. friends: who of
    their members was brought by somebody, as `referrals.lock` found them.
    """
    found = _of_programme(heard, settlement)
    if friends and not settlement.refused:
        for given in referrals.count(friends):
            if given.wish.order_id is not None:
                found.setdefault(given.wish.order_id, []).append(given)
    return found


def _of_programme(heard: Sequence[Heard], settlement: Settlement) -> dict[int, list[Given]]:
    orders = _moved(heard)
    if settlement.refused or not orders:
        return {}
    batch = _Batch(clock.read(), publishing.load_all(), settlement, orders)
    undone = [order for order in orders if order.outcome != "new" and not _is_kept(order)]
    left = [order for order in orders if order.member_before not in (None, order.member_id)]
    if not (undone or left or _promises(batch)):
        return {}
    _read(batch, {id_ for order in (*undone, *left) for id_ in _whose(order)})
    wishes = _wishes(batch)
    _take_back(undone, left, {name for wish in wishes for name in batch.names(wish)}, batch)
    found: dict[int, list[Given]] = defaultdict(list)
    for given in grants.give(wishes, now=batch.now.now):
        if given.is_new and given.wish.order_id is not None:
            found[given.wish.order_id].append(given)
    return found


def _moved(heard: Sequence[Heard]) -> list[Heard]:
    """The last telling of each order that is somebody's and has changed, oldest purchase first."""
    moved = {each.order_id for each in heard if each.outcome in ("new", "changed") or each.was_attached_now}
    last = {
        each.order_id: each
        for each in heard
        if each.order_id in moved and each.member_id is not None and each.outcome != "conflict"
    }
    return sorted(last.values(), key=lambda order: (_time_of(order), order.order_id))


def _time_of(order: Heard) -> datetime:
    at = order.paid_at or order.placed_at or order.heard_at
    assert at is not None, "an order that was recorded has the time it was heard"
    return at


def _place(purchase: Purchase) -> tuple[datetime, int]:
    return purchase.paid_at, purchase.order_id


def _whose(order: Heard) -> set[int]:
    return {id_ for id_ in (order.member_id, order.member_before) if id_ is not None}


def _is_kept(order: Heard) -> bool:
    return order.status in PAID and order.kept > 0


# --- reading -----------------------------------------------------------------------------------------


def _promises(batch: _Batch) -> bool:
    """Whether any version that holds for these orders, or now, gives anything for orders or milestones."""
    return bool(batch.giving) or any(
        held.programme.rest.get("milestones")
        or FIRST_PURCHASE in (held.programme.rest.get("activities") or {})
        for held in batch.versions.values()
    )


def _gives_for_orders(held: Held) -> bool:
    """Whether a rule of a version gives more than points, or a milestone of it is about orders."""
    return any(rule.other for rule in held.programme.rules) or any(
        milestone.is_about_orders for milestone in held.programme.grants.milestones
    )


def _read(batch: _Batch, losing: Collection[int]) -> None:
    """Read what the occasions ask about. losing: members of whom something may be taken back."""
    batch.linked = survivors.linked(batch.members)
    batch.buyers = situations.load(_asked(batch), batch.members)
    batch.tiers = dict(
        columns.ask(
            "SELECT member_id, tier FROM loyalty_wallet WHERE member_id = ANY(%s::bigint[])",
            [columns.numbers(batch.members)],
        )
    )
    prospects = Prospects(batch.programmes, set(map(batch.year_of, batch.orders)), batch.now.now, batch.zone)
    batch.begun = tiers.beginnings({id_ for each in batch.linked.values() for id_ in each}, prospects.since)
    if situations.needs_whole_history(_asked_of_orders(batch)):
        batch.closely = set(batch.members)
    else:
        batch.closely = {*losing, *_prospective(batch, prospects)}
    everybody = {id_ for member_id in batch.closely for id_ in batch.linked[member_id]}
    batch.bought = tiers.purchases(everybody, datetime.min.replace(tzinfo=UTC))


def _prospective(batch: _Batch, prospects: Prospects) -> set[int]:
    """The members who may have come to a milestone that they were given nothing for; merged ones always."""
    found = {member_id for member_id, linked in batch.linked.items() if len(linked) > 1}
    hopes: dict[str, int] = {}
    for member_id in batch.members:
        count = batch.begun[member_id].purchases if member_id in batch.begun else 0
        for occasion in prospects.of(batch.tiers.get(member_id, ""), count):
            hopes[of_person(occasion, member_id)] = member_id
    standing = grants.stands(hopes)
    return found | {member_id for name, member_id in hopes.items() if name not in standing}


def _asked(batch: _Batch) -> frozenset[str]:
    """The fields that rules which give things, and milestones, ask about."""
    programmes = [held.programme for held in batch.versions.values()]
    return _asked_by_rules(programmes).union(
        *(milestone.asks for programme in programmes for milestone in programme.grants.milestones)
    )


def _asked_of_orders(batch: _Batch) -> frozenset[str]:
    """Those of them that are asked of an order."""
    programmes = [batch.versions[id_].programme for id_ in batch.giving]
    about_orders = [
        milestone.asks
        for programme in programmes
        for milestone in programme.grants.milestones
        if milestone.is_about_orders
    ]
    return _asked_by_rules(programmes).union(*about_orders)


def _asked_by_rules(programmes: Iterable[Programme]) -> frozenset[str]:
    # A rule that gives nothing but points may be exclusive, and stop one that does.
    return frozenset().union(*(_fields(rule.when) for programme in programmes for rule in programme.rules))


def _fields(condition: Condition | None) -> set[str]:
    return {check.field for check in checks(condition)} if condition is not None else set()


# --- what they are an occasion for -------------------------------------------------------------------


def _wishes(batch: _Batch) -> list[Wish]:
    wishes: dict[tuple[str, str], Wish] = {}
    for order in batch.orders:
        held = batch.held(order)
        if held.id in batch.giving and _is_kept(order) and not batch.is_late(_time_of(order), held):
            for wish in _of_order(order, held, batch):
                wishes.setdefault((wish.name, wish.prize.kind), wish)
    for member_id in batch.members:
        reached = _milestones(member_id, batch) if member_id in batch.closely else ()
        for wish in [*_first_purchase(member_id, batch), *reached]:
            wishes.setdefault((wish.name, wish.prize.kind), wish)
    return list(wishes.values())


def _of_order(order: Heard, held: Held, batch: _Batch) -> list[Wish]:
    """What rules give for one order, and the milestones that are about orders."""
    programme = held.programme
    terms = programme.grants
    giving = any(rule.other for rule in earning.running(programme, _time_of(order)))
    about_orders = any(milestone.is_about_orders for milestone in terms.milestones)
    if not (giving or about_orders):
        return []
    facts = _situation(order, held, batch)
    wishes = _by_rules(order, facts, held) if giving else []
    if about_orders:
        assert order.member_id is not None
        bought = batch.together(order.member_id)
        at, zone = _time_of(order), programme.time_zone
        change = batch.settlement.of(order)
        reached = replace(
            facts,
            member_tier=change.tier or facts.member_tier,
            member_repurchases_year=milestones.repurchases(bought, at, zone),
        )
        wishes += milestones.wishes_of_order(
            reached,
            member_id=order.member_id,
            held=held,
            moment=Moment(at, order.order_id),
            now=batch.now.recorded,
            channel_id=order.channel_id,
        )
    return wishes


def _situation(order: Heard, held: Held, batch: _Batch) -> Situation:
    """What the rules saw when the order was priced: the tier of that moment, and purchases before it."""
    assert order.member_id is not None
    change = batch.settlement.of(order)
    return situations.of(
        order,
        at=_time_of(order),
        tier=change.why.get("tier") or change.tier or "",
        buyers=batch.buyers,
        bought=batch.together(order.member_id),
        zone=held.programme.time_zone,
    )


def _by_rules(order: Heard, facts: Situation, held: Held) -> list[Wish]:
    assert order.member_id is not None
    documents = {rule["code"]: rule.get("when") for rule in held.programme.source.get("rules") or ()}
    wishes: list[Wish] = []
    for rule in earning.applicable(held.programme, facts):
        wishes += wishes_of(
            prizes.of(rule.other),
            member_id=order.member_id,
            source=Grant.Source.RULE,
            code=rule.code,
            called=rule.name,
            occasion=f"rule:{rule.code}:order:{order.order_id}",
            happened_at=_time_of(order),
            programme=held,
            why={
                "order": order.number,
                "when": documents.get(rule.code),
                "facts": milestones.facts_in_text(_fields(rule.when), facts),
            },
            channel_id=order.channel_id,
            store_id=order.store_id,
            order_id=order.order_id,
        )
    return wishes


def _first_purchase(member_id: int, batch: _Batch) -> list[Wish]:
    """The first purchase of a person that was kept, whether heard of now or before."""
    first = batch.first_of(member_id)
    if first is None:
        return []
    held = batch.programmes.at(first.paid_at)
    terms = held.programme.grants.activity(FIRST_PURCHASE)
    if terms is None or batch.is_late(first.paid_at, held):
        return []
    order = batch.by_id.get(first.order_id)
    return wishes_of(
        terms.prizes,
        member_id=member_id,
        source=Grant.Source.ACTIVITY,
        code=FIRST_PURCHASE,
        occasion=activities.occasion(FIRST_PURCHASE),
        happened_at=first.paid_at,
        programme=held,
        why={"kept": str(first.kept), **({"order": order.number} if order else {})},
        per_person=True,
        channel_id=order.channel_id if order else None,
        store_id=order.store_id if order else None,
        order_id=first.order_id,
    )


def _milestones(member_id: int, batch: _Batch) -> list[Wish]:
    """What the member has come to, by all they bought."""
    bought = batch.together(member_id)
    tier = batch.tiers.get(member_id, "")
    standing = Standing(member_id=member_id, tier=tier, bought=bought, buyers=batch.buyers)
    years = set(map(batch.year_of, batch.of_member.get(member_id, ())))
    return [
        wish
        for moment in milestones.moments(bought, years, batch.now.now, batch.zone)
        for wish in milestones.wishes(standing, moment, batch.programmes, now=batch.now.recorded)
    ]


# --- what they are no longer -------------------------------------------------------------------------


def _take_back(
    undone: Sequence[Heard], left: Sequence[Heard], holding: Collection[str], batch: _Batch
) -> None:
    """Withdraw what was given for orders that came to nothing, or that turned out to be another's."""
    if not (undone or left):
        return
    owners = {order.order_id: order.member_id for order in left}
    gone = {order.order_id for order in undone}
    wanted = [
        grant
        for grant in withdrawals.given_for(gone | owners.keys())
        if grant.order_id in gone or grant.member_id != owners.get(grant.order_id or 0)
    ]
    wanted += [grant for grant in _reached_by([*undone, *left], batch) if grant.occasion not in holding]
    withdrawals.withdraw(wanted, now=batch.now.now)


def _reached_by(orders: Sequence[Heard], batch: _Batch) -> list[Grant]:
    """The milestones that these orders may have completed, or helped to: they must hold without them."""
    members = {each for order in orders for id_ in _whose(order) for each in batch.linked[id_]}
    ids = {order.order_id for order in orders}
    years = {_time_of(order).astimezone(batch.held(order).programme.time_zone).year for order in orders}
    standing = Grant.objects.filter(
        member__in=members, source=Grant.Source.MILESTONE, state=Grant.State.GIVEN
    )
    found = []
    for grant in standing:
        zone = batch.programmes.by_id(grant.programme_id).time_zone
        counted = REPURCHASES in grant.why.get("facts", {})
        if grant.order_id in ids or (counted and grant.happened_at.astimezone(zone).year in years):
            found.append(grant)
    return found
