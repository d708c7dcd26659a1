"""Points of an old system: each lot comes in with its own days, by an entry that says so, and can go back.

Opening points count for no rule, no limit and no tier: they are neither earned here nor given. They enter by
entries of a kind of their own, a thousand wallets in a fixed number of statements.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from loyalty import giving, ledger, publishing
from loyalty.ledger import Purses
from loyalty.models import Entry
from loyalty.publishing import Held
from loyalty.purse import Origin, Purse
from members import columns
from members.legacy.errors import PackageUsed
from members.legacy.takers import Made, Offer, Returned, Taken, Use, instant
from members.models import Channel, LegacyRun

Spent = LegacyRun.Spent


class Openings:
    """Takes lots, and balances that no lots are told of."""

    def judge(self, documents: Sequence[Mapping[str, Any]]) -> list[str]:
        """Whatever a lot needs was told with it. Raises ProgrammeMissing."""
        publishing.current()
        return [""] * len(documents)

    def take(
        self, channel: Channel, offers: Sequence[Offer], *, run_id: int, actor_id: int | None
    ) -> list[Taken]:
        """Each a lot of its own, spendable at once; one whose time is over lapses at once."""
        held = publishing.current()
        members = {offer.member_id for offer in offers}
        purses = ledger.lock(members, first_tier=publishing.first_tier, earning_only=members)
        postings = []
        for offer in offers:
            purse, said = purses[offer.member_id], offer.document
            earned_at = instant(said, "earned_at")
            origin = Origin(
                cause=offer.cause,
                happened_at=purses.now,
                why={
                    "legacy": run_id,
                    "channel": channel.code,
                    **({"earned_at": said["earned_at"]} if "earned_at" in said else {}),
                },
                channel_id=channel.pk,
                actor_id=actor_id,
                programme_id=held.id,
            )
            postings.append(
                purse.earn(
                    offer.amount,
                    origin,
                    available_from=purses.now,
                    expires_at=_expiry(offer, held, purse, purses),
                    now=purses.now,
                    kind=Entry.Kind.OPEN.value,
                    earned_at=earned_at,
                )
            )
        giving.write_points(purses)
        return [Taken(posting.id) for posting in postings]

    def used(self, run_id: int) -> list[Use]:
        """Points of the package's lots that went elsewhere than to their expiry, or are set aside."""
        rows = columns.ask(
            "SELECT r.id, w.member_id, l.earned - l.remaining - l.expired + l.held"
            "  FROM members_legacyrow r JOIN loyalty_lotmove m ON m.entry_id = r.made AND m.points > 0"
            "  JOIN loyalty_lot l ON l.id = m.lot_id JOIN loyalty_wallet w ON w.id = l.wallet_id"
            " WHERE r.run_id = %s AND r.kind IN ('lots', 'balances') AND r.state = 'new'"
            "   AND l.earned - l.remaining - l.expired + l.held > 0 ORDER BY r.id",
            [run_id],
        )
        return [Use(*row) for row in rows]

    def take_back(
        self, channel: Channel, made: Sequence[Made], *, spent: str, run_id: int, actor_id: int | None
    ) -> list[Returned]:
        """Take back what is left of each lot; what was used is refused, becomes debt, or stays given.

        What of a lot has lapsed is gone already and not taken twice.
        """
        entries = [each.made for each in made]
        wallets = columns.ask(
            "SELECT w.member_id FROM loyalty_entry e JOIN loyalty_wallet w ON w.id = e.wallet_id"
            " WHERE e.id = ANY(%s)",
            [entries],
        )
        purses = ledger.lock({member_id for (member_id,) in wallets}, first_tier=publishing.first_tier)
        lots = _lots_of(entries)
        returned = []
        for each in made:
            returned.append(_take_back(each, lots[each.made], purses, channel, spent, run_id, actor_id))
        giving.write_points(purses)
        return returned


def _expiry(offer: Offer, held: Held, purse: Purse, purses: Purses) -> Any:
    """As the old system told it; where it told nothing of an end, as points of the member's tier expire."""
    if "by_rule" not in offer.document:
        return instant(offer.document, "expires_at")
    programme = held.programme
    at = instant(offer.document, "earned_at") or purses.now
    return programme.expiry_of(programme.tier(purse.tier)).expires_at(at, programme.time_zone)


class _Lot(NamedTuple):
    """The lot that an entry made; of one that is used up, the purse holds nothing."""

    member_id: int
    lot_id: int
    expired: int


def _lots_of(entries: Sequence[int]) -> dict[int, _Lot]:
    rows = columns.ask(
        "SELECT m.entry_id, w.member_id, l.id, l.expired FROM loyalty_lotmove m"
        " JOIN loyalty_lot l ON l.id = m.lot_id JOIN loyalty_wallet w ON w.id = l.wallet_id"
        " WHERE m.entry_id = ANY(%s) AND m.points > 0",
        [list(entries)],
    )
    return {row[0]: _Lot(*row[1:]) for row in rows}


def _take_back(
    each: Made, lot: _Lot, purses: Purses, channel: Channel, spent: str, run_id: int, actor_id: int | None
) -> Returned:
    purse = purses[lot.member_id]
    own = [state for state in purse.lots if state.id == lot.lot_id]
    lapsed = own[0].expired if own else lot.expired
    left = own[0].free if own else 0
    used = each.amount - lapsed - left
    if used and spent == Spent.REFUSE:
        raise PackageUsed(points=used, coupons=0)
    kept = used if spent == Spent.KEEP else 0
    points = each.amount - lapsed - kept
    if points:
        why: dict[str, Any] = {
            "legacy": run_id,
            "channel": channel.code,
            "undone": True,
            "brought": each.amount,
        }
        why |= {name: figure for name, figure in (("lapsed", lapsed), ("used", used)) if figure}
        origin = Origin(
            cause=each.cause,
            happened_at=purses.now,
            why=why,
            channel_id=channel.pk,
            actor_id=actor_id,
            programme_id=None,
        )
        purse.take_back(points, origin, own=own, now=purses.now)
    return Returned(points, kept)
