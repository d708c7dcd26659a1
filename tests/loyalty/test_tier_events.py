"""Tiers that are given: by hand through a second person, by a rule, by the night's cut; and how they end."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from loyalty import clock, nightly, publishing, recount, tier_events
from loyalty.errors import TierNotGivable, TierUnknown, TimeInvalid
from loyalty.models import GrowthEntry, TierChange, TierEvent, Wallet
from loyalty.tier_events import Gift, GrowthGift
from members.models import Member, OutboxEvent
from privacy import approvals, roles
from privacy.errors import NotAllowed, OwnRequest, ReasonMissing
from privacy.models import Approval
from tests.granting import granted
from tests.trade import Trade, buyer, proven, tier_of


@pytest.fixture
def lin(db: None) -> User:
    return roles.make_staff("lin", "service")[0]


@pytest.fixture
def boss(db: None) -> User:
    return roles.make_staff("boss", "admin")[0]


@pytest.fixture
def mei(trade: Trade) -> Member:
    return Member.objects.get(number=trade.buy("T1", "100", buyer("mei")).member_no)


def path() -> list[tuple[str, str, str]]:
    return list(TierChange.objects.order_by("id").values_list("before", "after", "reason"))


def gift(trade: Trade, member: int, tier: str = "gold", cause: str = "friends", **more: object) -> Gift:
    return Gift(member_id=member, tier=tier, cause=cause, programme_id=trade.programme.pk, **more)  # type: ignore[arg-type]


# --- by hand ----------------------------------------------------------------------------------------


def test_a_floor_is_asked_for_by_one_and_let_happen_by_another(mei: Member, lin: User, boss: User) -> None:
    until = clock.read().now + timedelta(days=90)
    asked = tier_events.ask(mei, "gold", until, "Opened the new shop", lin)
    assert tier_of(mei.pk) == "basic"
    with pytest.raises(OwnRequest):
        approvals.approve(asked.pk, _both(lin), "fine")
    done = approvals.approve(asked.pk, boss, "fine")
    event = TierEvent.objects.get()
    assert (event.kind, event.tier, event.ends_at, event.reason) == (
        "floor",
        "gold",
        until,
        "Opened the new shop",
    )
    assert (event.actor, done.result) == (lin, {"event_id": event.pk})
    assert (tier_of(mei.pk), path()) == ("gold", [("basic", "gold", "by_hand")])
    step = TierChange.objects.get()
    assert step.why["approval"] == asked.pk and step.why["asked_by"] == "lin"
    assert step.valid_until == until
    told = OutboxEvent.objects.get(topic="tier.changed")
    assert told.payload["after"] == "gold"
    assert proven() and list(recount.walk()) == []


def _both(maker: User) -> User:
    """The maker, with a role that may approve: who asked still cannot decide."""
    maker.staff_profile.role = "admin"
    maker.staff_profile.save()
    return User.objects.get(pk=maker.pk)


def test_when_the_floor_ends_the_member_stands_where_purchases_put_them(
    trade: Trade, mei: Member, lin: User, boss: User
) -> None:
    asked = tier_events.ask(mei, "gold", clock.read().now + timedelta(days=90), "A good neighbour", lin)
    approvals.approve(asked.pk, boss, "")
    for number in range(5):
        trade.buy(f"S{number}", "700", buyer("mei"))
    assert (tier_of(mei.pk), len(path())) == ("gold", 1)
    clock.move(timedelta(days=91))
    assert nightly.reassess_tiers().lowered == 1
    assert path()[1:] == [("gold", "silver", "floor_ended")]
    assert nightly.reassess_tiers().members == 0
    assert proven() and list(recount.walk()) == []


def test_what_was_given_can_be_ended_early_by_two_persons(mei: Member, lin: User, boss: User) -> None:
    asked = tier_events.ask(mei, "gold", clock.read().now + timedelta(days=90), "A good neighbour", lin)
    approvals.approve(asked.pk, boss, "")
    event = TierEvent.objects.select_related("wallet").get()
    ending = tier_events.ask_end(event, "It was another member", lin)
    approvals.approve(ending.pk, boss, "")
    assert path()[1:] == [("gold", "basic", "floor_ended")]
    assert TierEvent.objects.get(ends=event).reason == "It was another member"
    with pytest.raises(TierNotGivable):
        tier_events.ask_end(event, "Once more", lin)
    assert proven() and list(recount.walk()) == []


@pytest.mark.parametrize(
    ("tier", "days", "reason", "refusal"),
    [
        ("platinum", 9, "A good neighbour", TierUnknown),
        ("basic", 9, "A good neighbour", TierNotGivable),
        ("gold", -1, "A good neighbour", TimeInvalid),
        ("gold", None, "A good neighbour", TimeInvalid),  # gold is not by invitation
        ("gold", 9, "yes", ReasonMissing),
    ],
)
def test_what_makes_no_sense_is_refused_when_it_is_asked_for(
    mei: Member, lin: User, tier: str, days: int | None, reason: str, refusal: type[Exception]
) -> None:
    until = None if days is None else clock.read().now + timedelta(days=days)
    with pytest.raises(refusal):
        tier_events.ask(mei, tier, until, reason, lin)
    assert not Approval.objects.exists() and not TierEvent.objects.exists()


def test_a_clerk_cannot_ask_for_a_tier(mei: Member) -> None:
    clerk, _password = roles.make_staff("clerk", "clerk")
    with pytest.raises(NotAllowed):
        tier_events.ask(mei, "gold", clock.read().now + timedelta(days=9), "A good neighbour", clerk)


# --- by a rule --------------------------------------------------------------------------------------


def test_a_gift_raises_once_however_often_it_is_told(trade: Trade, mei: Member) -> None:
    cause = granted(trade.programme.pk, mei.pk, "tier", "gold", at=trade.now)
    first = tier_events.give([gift(trade, mei.pk, cause=cause)])
    assert set(first) == {cause}
    assert tier_events.give([gift(trade, mei.pk, cause=cause)]) == {}
    assert path() == [("basic", "gold", "given")]
    assert proven() and list(recount.walk()) == []


def test_a_tier_that_the_programme_does_not_have_is_not_given(trade: Trade, mei: Member) -> None:
    assert tier_events.give([gift(trade, mei.pk, "platinum")]) == {}
    assert (path(), TierEvent.objects.count()) == ([], 0)


def test_a_hundred_gifts_cost_as_many_statements_as_two(
    trade: Trade,
) -> None:
    members = [trade.buy(f"M{n}", "1", buyer(f"m{n}")).member_id or 0 for n in range(22)]
    counts = []
    for group in (members[:2], members[2:]):
        with CaptureQueriesContext(connection) as asked:
            tier_events.give([gift(trade, member, cause=f"g{member}") for member in group])
        counts.append(len(asked))
    assert counts[0] == counts[1]


# --- growth value -----------------------------------------------------------------------------------


def growing(trade: Trade) -> None:
    """A version in which silver is reached by growth value."""
    # It holds for orders of this minute, even when the next one begins meanwhile.
    document = {**trade.programme.document, "effective_from": trade.ago(1).isoformat()}
    document["growth"] = {"per_yuan": "1"}
    document["tiers"] = [
        document["tiers"][0],
        {**document["tiers"][1], "qualify": {"window": {"months": 12}, "growth": 500}},
    ]
    trade.programme = publishing.load(document, environment="demo").version


def test_an_order_brings_growth_value_and_its_refund_takes_it(trade: Trade) -> None:
    growing(trade)
    mei = trade.buy("T1", "499.90", buyer("mei")).member_id
    assert mei is not None
    trade.spend(mei, 100)
    assert list(GrowthEntry.objects.values_list("growth", flat=True)) == [499]
    trade.refund("T1", "R1", "100")
    trade.refund("T1", "R2", "399.90")
    assert list(GrowthEntry.objects.order_by("id").values_list("growth", flat=True)) == [499, -100, -399]
    assert {entry.happened_at for entry in GrowthEntry.objects.all()} == {trade.now}
    assert proven() and list(recount.walk()) == []


def test_spending_points_never_moves_growth_or_tier(trade: Trade) -> None:
    growing(trade)
    mei = trade.buy("T1", "600", buyer("mei")).member_id
    assert mei is not None and tier_of(mei) == "silver"
    trade.spend(mei, 600)
    assert (tier_of(mei), GrowthEntry.objects.count()) == ("silver", 1)


def test_growth_value_that_is_given_may_raise_at_once(trade: Trade) -> None:
    growing(trade)
    mei = trade.buy("T1", "300", buyer("mei")).member_id
    assert mei is not None and tier_of(mei) == "basic"
    cause = granted(trade.programme.pk, mei, "growth", "200", at=trade.now)
    given = GrowthGift(
        member_id=mei, growth=200, cause=cause, programme_id=trade.programme.pk, happened_at=trade.now
    )
    tier_events.give_growth([given])
    assert (tier_of(mei), path()[-1]) == ("silver", ("basic", "silver", "qualified"))
    assert TierChange.objects.get().why["growth"] == 500
    assert proven() and list(recount.walk()) == []


def test_an_order_that_turns_out_to_be_anothers_takes_its_growth_value_along(trade: Trade) -> None:
    growing(trade)
    mei = trade.buy("T1", "600", buyer("mei")).member_id
    bo = trade.buy("T1", "600", buyer("bo")).member_id
    totals = {
        member: sum(GrowthEntry.objects.filter(wallet__member=member).values_list("growth", flat=True))
        for member in (mei, bo)
    }
    assert totals == {mei: 0, bo: 600}
    assert Wallet.objects.get(member=bo).tier == "silver"
    assert proven() and list(recount.walk()) == []
