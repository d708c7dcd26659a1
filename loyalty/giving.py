"""How each kind of prize is given: points by the ledger, coupons, gifts, tiers and growth by their rooms."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime

from loyalty import coupons, fulfilment, gifts, ledger, tier_events
from loyalty.ledger import Purses
from loyalty.models import Grant, TierEvent
from loyalty.purse import Origin, Posting, Purse
from loyalty.tellings import points_changed
from loyalty.tier_events import GrowthGift
from loyalty.wishes import Given


def hand_out(fresh: Sequence[Given], purses: Purses, now: datetime) -> None:
    """Give what was claimed, and note on each what it became: an entry, a coupon, a claim, or a refusal."""
    by_kind: dict[str, list[Given]] = defaultdict(list)
    for each in fresh:
        by_kind[each.wish.prize.kind].append(each)
    _points(by_kind["points"], purses)
    _coupons(by_kind["coupon"], now)
    _gifts(by_kind["gift"], now)
    _growth(by_kind["growth"], purses)
    _tiers(by_kind["tier"], purses)


def _points(wanted: Sequence[Given], purses: Purses) -> None:
    """Each a lot of its own, spendable at once. It expires as points earned in the member's tier do."""
    if not wanted:
        return
    postings = [_earn(each, purses[each.wish.member_id], purses.now) for each in wanted]
    write_points(purses)
    for each, posting in zip(wanted, postings, strict=True):
        each.entry_id = posting.id


def _earn(each: Given, purse: Purse, now: datetime) -> Posting:
    wish, programme = each.wish, each.wish.programme.programme
    expiry = programme.expiry_of(programme.tier(purse.tier))
    origin = Origin(
        cause=each.cause,
        happened_at=wish.happened_at,
        why=wish.explanation,
        channel_id=wish.channel_id,
        store_id=wish.store_id,
        # Not of its order: an order's own points are in proportion to what of it is kept (law 4).
        actor_id=wish.actor_id,
        programme_id=wish.programme.id,
    )
    return purse.earn(
        int(wish.prize.value),
        origin,
        available_from=wish.happened_at,
        expires_at=expiry.expires_at(wish.happened_at, programme.time_zone),
        now=now,
    )


def write_points(purses: Purses) -> None:
    """Write what moved in these purses, and tell it to the channels."""
    told = [
        points_changed(purse, purse.postings[:], purse.postings[-1].origin.channel_id)
        for purse in purses.values()
        if purse.postings
    ]
    ledger.append(purses, told)


def _coupons(wanted: Sequence[Given], now: datetime) -> None:
    """Issued within the campaign's quota and the member's limit; what does not fit says why."""
    issued = coupons.issue(
        [
            coupons.Wish(
                campaign=each.wish.prize.value,
                member_id=each.wish.member_id,
                cause=f"grant:{each.cause}",
                why=each.wish.explanation,
                programme_id=each.wish.programme.id,
                order_id=each.wish.order_id,
                actor_id=each.wish.actor_id,
            )
            for each in wanted
        ],
        now=now,
    )
    for each, answer in zip(wanted, issued, strict=True):
        each.coupon_id = answer.coupon_id
        if answer.refusal:
            each.refuse(answer.refusal)


def _gifts(wanted: Sequence[Given], now: datetime) -> None:
    """Claims that cost nothing; one that finds the shelf empty waits for the next piece."""
    owed = gifts.owe(
        [
            gifts.Wish(
                reward=each.wish.prize.value,
                member_id=each.wish.member_id,
                cause=f"grant:{each.cause}",
                programme_id=each.wish.programme.id,
                why=each.wish.explanation,
                channel_id=each.wish.channel_id,
                store_id=each.wish.store_id,
                order_id=each.wish.order_id,
            )
            for each in wanted
        ],
        now=now,
    )
    for each, answer in zip(wanted, owed, strict=True):
        each.claim_id = answer.claim_id
        if answer.refusal:
            each.refuse(answer.refusal)


def _growth(wanted: Sequence[Given], purses: Purses) -> None:
    """Entries of growth value, which may raise the tier at once."""
    if not wanted:
        return
    tier_events.give_growth(
        [
            GrowthGift(
                member_id=each.wish.member_id,
                growth=int(each.wish.prize.value),
                cause=f"grant:{each.cause}",
                programme_id=each.wish.programme.id,
                happened_at=each.wish.happened_at,
                why=each.wish.explanation,
                channel_id=each.wish.channel_id,
            )
            for each in wanted
        ],
        purses=purses,
    )


def _tiers(wanted: Sequence[Given], purses: Purses) -> None:
    """Raised at once, for as long as the tier lasts; a tier that the programme lost is said so."""
    if not wanted:
        return
    gifts = [
        tier_events.Gift(
            member_id=each.wish.member_id,
            tier=each.wish.prize.value,
            cause=f"grant:{each.cause}",
            programme_id=each.wish.programme.id,
            why=each.wish.explanation,
        )
        for each in wanted
    ]
    made = tier_events.give(gifts, purses=purses)
    for each, gift in zip(wanted, gifts, strict=True):
        if gift.cause not in made:
            each.refuse("no_such_tier")


# --- taking back -------------------------------------------------------------------------------------


def take_things_back(by_prize: Mapping[str, Sequence[Grant]], purses: Purses, now: datetime) -> list[Grant]:
    """Take back coupons, gifts, tiers and growth value where that is still possible; answers those."""
    return [
        *_take_coupons(by_prize.get("coupon", ()), now),
        *_take_gifts(by_prize.get("gift", ()), now),
        *_take_growth(by_prize.get("growth", ()), purses),
        *_end_tiers(by_prize.get("tier", ()), purses),
    ]


def _take_coupons(grants: Sequence[Grant], now: datetime) -> list[Grant]:
    """Those that nobody has used, or has locked for an order."""
    ids = [grant.coupon_id for grant in grants if grant.coupon_id is not None]
    if not ids:
        return []
    answers = coupons.withdraw(ids, why={"undone": True}, now=now)
    return [grant for grant in grants if answers.get(grant.coupon_id or 0) == ""]


def _take_gifts(grants: Sequence[Grant], now: datetime) -> list[Grant]:
    """Those that were not handed over or sent."""
    ids = [grant.claim_id for grant in grants if grant.claim_id is not None]
    if not ids:
        return []
    # Kept with the claim for whoever fulfils it; not translated, as it is read in more languages than one.
    gone = fulfilment.withdraw_gifts(ids, reason="order undone", now=now)
    return [grant for grant in grants if grant.claim_id in gone]


def _take_growth(grants: Sequence[Grant], purses: Purses) -> list[Grant]:
    """Reversed by an entry of its own, which counts when the first did."""
    if not grants:
        return []
    tier_events.give_growth(
        [
            GrowthGift(
                member_id=grant.member_id,
                growth=-int(grant.value),
                cause=f"grant:{grant.cause}:undone",
                programme_id=grant.programme_id,
                happened_at=grant.happened_at,
                why={**grant.why, "undone": True},
                channel_id=grant.channel_id,
            )
            for grant in grants
        ],
        purses=purses,
    )
    return list(grants)


def _end_tiers(grants: Sequence[Grant], purses: Purses) -> list[Grant]:
    """End what still runs; one by one, as an order that comes to nothing has seldom given a tier."""
    if not grants:
        return []
    events = dict(
        TierEvent.objects.filter(
            cause__in=[f"grant:{grant.cause}" for grant in grants], ended_by=None
        ).values_list("cause", "pk")
    )
    ended = []
    for grant in grants:
        event_id = events.get(f"grant:{grant.cause}")
        if event_id is not None:
            why = {**grant.why, "undone": True}
            tier_events.end(event_id, f"grant:{grant.cause}", why, purses=purses)
            ended.append(grant)
    return ended
