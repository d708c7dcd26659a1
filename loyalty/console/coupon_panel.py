"""The coupons on a member's page: what they hold, and one given by hand (B6, A12)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser

from loyalty import coupon_codes, coupon_stories, coupon_terms, coupon_words, coupons, publishing
from loyalty.card import in_words
from loyalty.coupon_stories import Story
from loyalty.coupon_terms import Terms
from loyalty.coupons import Held
from privacy import roles
from privacy.errors import ReasonMissing

SHOWN = 12
REASON_LENGTH = 5
_TONES = {"usable": "sk-good", "locked": "sk-warn", "withdrawn": "sk-bad"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """What a page shows: the latest coupons as rows, and the campaigns that may be given; '' is no nonce."""

    rows: list[dict[str, Any]]
    has_more: bool
    campaigns: list[tuple[str, str]]
    nonce: str


def of(member_id: int, user: AbstractBaseUser | AnonymousUser) -> Panel | None:
    """The panel as this person may see it; None when they may not."""
    if not roles.can(user, "coupons.view"):
        return None
    held = coupons.of_member(member_id, limit=SHOWN + 1)
    may_give = roles.can(user, "coupons.give")
    stories = coupon_stories.of([each.coupon_id for each in held[:SHOWN] if each.coupon_id is not None])
    return Panel(
        rows=[_row(each, stories[each.coupon_id or 0]) for each in held[:SHOWN]],
        has_more=len(held) > SHOWN,
        campaigns=_campaigns() if may_give else [],
        nonce=str(uuid4()) if may_give else "",
    )


def give(member_id: int, asked: Mapping[str, str], *, actor_id: int | None) -> str:
    """Give what a form asks for; the coupon's name. Raises ReasonMissing, CouponNotUsable."""
    reason = asked.get("reason", "").strip()[:300]
    if len(reason) < REASON_LENGTH:
        raise ReasonMissing
    given = coupons.give(
        member_id,
        asked.get("campaign", "")[:50],
        reason=reason,
        nonce=asked.get("nonce", "")[:40] or str(uuid4()),
        actor_id=actor_id,
    )
    return _name(given.terms)


def _campaigns() -> list[tuple[str, str]]:
    found = coupon_terms.of(publishing.current().programme).values()
    return [(terms.code, f"{_name(terms)} · {coupon_words.worth(terms)}") for terms in found]


def _row(held: Held, story: Story) -> dict[str, Any]:
    return {
        "id": held.coupon_id,
        "name": _name(held.terms),
        "worth": coupon_words.worth(held.terms),
        "code": coupon_codes.shown(held.code),
        "standing": coupon_words.standing(held.standing),
        "tone": _TONES.get(held.standing, ""),
        "is_over": held.standing in ("expired", "used", "withdrawn"),
        "valid_until": held.valid_until,
        "why": story.sentence,
        "version": story.version,
    }


def _name(terms: Terms) -> str:
    return in_words(dict(terms.name)) or terms.code
