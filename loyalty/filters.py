"""What the lists of this app are narrowed by; tiers, campaigns and rewards are chosen by their names.

The API narrows statements by the same rules (`loyalty.api.filters`).
"""

from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import Q
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from loyalty import grant_words, publishing
from loyalty.errors import ProgrammeMissing
from loyalty.models import (
    Activity,
    Claim,
    Coupon,
    CouponBatch,
    CouponMove,
    Entry,
    Grant,
    Hold,
    ProgrammeVersion,
    TierChange,
    TierEvent,
)
from loyalty.names import in_words
from loyalty.programme import Programme
from members import filters as of_members
from members.filters import Channels, stores
from privacy.narrowing import Narrowing, One, Rows, Several, YesNo, days, numbers

ANY = "all"

# --- choices that the programme has -------------------------------------------------------------------


def versions() -> list[Programme]:
    """The programmes of all versions, the newest first: rows name what any of them had."""
    try:
        return publishing.load_all().newest_first
    except ProgrammeMissing:
        return []


class OfProgramme(Narrowing):
    """Filters whose choices stand in the programme. Who has read its versions already hands them over."""

    @cached_property
    def versions(self) -> list[Programme]:
        """The programmes of all versions, the newest first."""
        return versions()


def tiers(versions: Iterable[Programme]) -> dict[str, str]:
    """Every tier there has been: its name by its code."""
    return _named((tier.code, tier.name) for programme in versions for tier in programme.tiers)


def uses(versions: Iterable[Programme]) -> dict[str, str]:
    """Every counted benefit there has been: its name by its code."""
    return _named(
        (use.code, use.name)
        for programme in versions
        for tier in programme.tiers
        for use in tier.benefits.uses
    )


def _items(versions: Iterable[Programme], section: str) -> dict[str, str]:
    return _named(
        (item["code"], item.get("name"))
        for programme in versions
        for item in programme.rest.get(section) or ()
    )


def _named(found: Iterable[tuple[str, Any]]) -> dict[str, str]:
    """Names in the language that is active: the first of each code, or the code itself."""
    names: dict[str, str] = {}
    for code, name in found:
        names.setdefault(code, (in_words(name) if isinstance(name, Mapping) else "") or code)
    return names


def _tiers(narrowing: OfProgramme) -> Iterable[tuple[str, str]]:
    return tiers(narrowing.versions).items()


def _uses(narrowing: OfProgramme) -> Iterable[tuple[str, str]]:
    return uses(narrowing.versions).items()


def _campaigns(narrowing: OfProgramme) -> Iterable[tuple[str, str]]:
    return _items(narrowing.versions, "coupons").items()


def _rewards(narrowing: OfProgramme) -> Iterable[tuple[str, str]]:
    return _items(narrowing.versions, "rewards").items()


# --- members ------------------------------------------------------------------------------------------


class MemberFilter(of_members.MemberFilter, OfProgramme):
    """Members, by their tier too."""

    tier = Several("wallet__tier", choices=_tiers, label=_("tier"))


# --- points -------------------------------------------------------------------------------------------


class EntryFilter(Narrowing):
    """Points entries."""

    kind = Several("kind", choices=Entry.Kind.choices)
    channel = Channels()
    recorded_from, recorded_until = days("recorded_at")
    points_from, points_to = numbers("points")


class WalletFilter(OfProgramme):
    """Wallets."""

    tier = Several("tier", choices=_tiers)
    balance_from, balance_to = numbers("balance")
    in_debt = YesNo(Q(debt__gt=0), label=_("in debt"))
    until_from, until_to = days("tier_until")


class HoldState(One):
    """What is set aside now, unless another state is asked for."""

    def filter(self, rows: Rows, value: Any) -> Rows:
        return rows if value == ANY else super().filter(rows, value or Hold.State.OPEN)


class HoldFilter(Narrowing):
    """Points that are set aside."""

    state = HoldState(
        "state",
        choices=[choice for choice in Hold.State.choices if choice[0] != Hold.State.OPEN] + [(ANY, _("All"))],
        otherwise=Hold.State.OPEN.label,
    )
    channel = Channels()
    expires_from, expires_until = days("expires_at")
    points_from, points_to = numbers("points")


# --- tiers --------------------------------------------------------------------------------------------


class TierChangeFilter(OfProgramme):
    """Tier changes."""

    reason = Several("reason", choices=TierChange.Reason.choices)
    before = Several("before", choices=_tiers)
    after = Several("after", choices=_tiers)
    happened_from, happened_until = days("happened_at")


class TierEventFilter(OfProgramme):
    """Tiers that were given."""

    kind = Several("kind", choices=TierEvent.Kind.choices)
    tier = Several("tier", choices=_tiers)
    starts_from, starts_until = days("starts_at", label=_("begins"))


class TierWarningFilter(OfProgramme):
    """Members who were told that their tier ends."""

    tier = Several("tier", choices=_tiers)
    until_from, until_to = days("until", label=_("ends"))


class BenefitUseFilter(OfProgramme):
    """Counted benefits that were had."""

    code = Several("code", choices=_uses)
    tier = Several("tier", choices=_tiers)
    channel = Channels()
    used_from, used_until = days("used_at")
    given_back = YesNo(Q(given_back_at__isnull=False), label=_("given back"))


# --- coupons ------------------------------------------------------------------------------------------


class CouponFilter(OfProgramme):
    """Coupons."""

    state = Several("state", choices=Coupon.State.choices)
    campaign = Several("campaign", choices=_campaigns)
    issued_from, issued_until = days("issued_at")
    valid_from, valid_until = days("valid_until")
    of_member = YesNo(Q(member__isnull=False), label=_("of a member"))


class CouponBatchFilter(OfProgramme):
    """Batches of codes."""

    state = Several("state", choices=CouponBatch.State.choices)
    source = Several("source", choices=CouponBatch.Source.choices)
    campaign = Several("campaign", choices=_campaigns)
    created_from, created_until = days("created_at")


class CouponMoveFilter(Narrowing):
    """What happened to coupons."""

    kind = Several("kind", choices=CouponMove.Kind.choices)
    channel = Channels()
    happened_from, happened_until = days("happened_at")


# --- what is given, and what for ----------------------------------------------------------------------


class GrantFilter(Narrowing):
    """What was given beside points for purchases, or was not, and why."""

    source = Several("source", choices=Grant.Source.choices)
    prize = Several("prize", choices=Grant.Prize.choices)
    state = Several("state", choices=Grant.State.choices)
    refusal = Several("refusal", choices=grant_words.REFUSALS.items(), label=_("why nothing was given"))
    recorded_from, recorded_until = days("recorded_at")


class ActivityFilter(Narrowing):
    """What members did."""

    kind = Several("kind", choices=Activity.Kind.choices)
    channel = Channels()
    happened_from, happened_until = days("happened_at")
    counted = YesNo(Q(number__isnull=False), label=_("counted"))


class CheckInFilter(Narrowing):
    """Check-ins."""

    channel = Channels()
    day_from, day_until = days("day")
    streak_from, streak_to = numbers("streak")


class ClaimFilter(OfProgramme):
    """Claims."""

    state = Several("state", choices=Claim.State.choices)
    way = Several("way", choices=Claim.Way.choices)
    reward = Several("reward", choices=_rewards)
    channel = Channels()
    store = Several("store", choices=stores)
    claimed_from, claimed_until = days("claimed_at")


class ShelfMoveFilter(OfProgramme):
    """Stock changes."""

    reward = Several("shelf__reward", choices=_rewards, label=_("reward"))
    happened_from, happened_until = days("happened_at")
    pieces_from, pieces_to = numbers("change")


# --- the programme ------------------------------------------------------------------------------------


class VersionFilter(Narrowing):
    """Versions of the programme: the list of the admin, and the page that tells them in words."""

    state = One("state", choices=ProgrammeVersion.State.choices)
    since, until = days("published_at")
