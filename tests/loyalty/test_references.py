"""What offers name must be there when it is saved; what is gone since is shown as gone (B2, B6, B8)."""

import copy
from collections.abc import Iterator
from typing import Any

import pytest
from django.utils import translation

from loyalty import catalogue, publishing, tier_paths
from loyalty.errors import ProgrammeInvalid
from loyalty.models import ProgrammeVersion
from members import channels
from privacy import roles
from tests.boutique import TOTE
from tests.coupon_shop import WELCOME
from tests.trade import PROGRAMME, Trade, buyer


@pytest.fixture
def trade(db: None) -> Iterator[Trade]:
    with translation.override("en"):
        yield Trade()


def offering(**sections: Any) -> dict[str, Any]:
    return {**PROGRAMME, **sections}


def refused(document: dict[str, Any]) -> list[tuple[str, str]]:
    """Where and by which code a document is refused; nothing of it is kept."""
    before = list(ProgrammeVersion.objects.values_list("number", "state"))
    with pytest.raises(ProgrammeInvalid) as refusal:
        publishing.draft(document)
    assert list(ProgrammeVersion.objects.values_list("number", "state")) == before
    assert refusal.value.code == "loyalty.programme_invalid"
    return [(problem["path"], problem["code"]) for problem in refusal.value.problems]


GOLD = {"field": "member.tier", "op": "in", "value": ["gold", "ruby"]}


@pytest.mark.parametrize(
    ("sections", "problems"),
    [
        ({"coupons": [{**WELCOME, "tiers": ["ruby"]}]}, [("coupons[0].tiers", "tier_unknown")]),
        (
            {"coupons": [{**WELCOME, "channels": ["tmall", "moon"]}]},
            [("coupons[0].channels", "channel_unknown")],
        ),
        ({"coupons": [{**WELCOME, "stores": ["moon"]}]}, [("coupons[0].stores", "store_unknown")]),
        ({"rewards": [{**TOTE, "tiers": ["gold", "ruby"]}]}, [("rewards[0].tiers", "tier_unknown")]),
        (
            {"milestones": [{"code": "m1", "when": GOLD, "then": {"tier": "jade"}}]},
            [("milestones[0].then", "tier_unknown"), ("milestones[0].when", "tier_unknown")],
        ),
        (
            {"referral": {"ladder": {5: {"referrer": {"tier": "ruby"}}}}},
            [("referral.ladder.5", "tier_unknown")],
        ),
    ],
)
def test_what_is_not_there_is_refused_with_its_place_and_a_code(
    trade: Trade, sections: dict[str, Any], problems: list[tuple[str, str]]
) -> None:
    assert refused(offering(**sections)) == problems


@pytest.mark.parametrize(
    ("language", "words"),
    [("en", "There is no channel moon. Make it first, or name another."), ("zh-hans", "moon")],
)
def test_the_refusal_says_in_the_readers_language_what_to_do(trade: Trade, language: str, words: str) -> None:
    document = offering(coupons=[{**WELCOME, "channels": ["moon"]}])
    with translation.override(language), pytest.raises(ProgrammeInvalid) as refusal:
        publishing.draft(document)
    assert words in refusal.value.problems[0]["message"]
    channels.make("moon", "other")
    assert publishing.draft(document).differences


def test_a_tier_that_something_still_names_is_not_removed(trade: Trade) -> None:
    trade.publish(offering(rewards=[{**TOTE, "tiers": ["gold"]}]))
    tiers = PROGRAMME["tiers"][:2]
    assert refused(offering(tiers=tiers, rewards=[{**TOTE, "tiers": ["gold"]}])) == [
        ("rewards[0].tiers", "tier_unknown")
    ]


def test_what_was_saved_with_a_tier_that_is_gone_is_shown_as_gone_and_can_be_edited(trade: Trade) -> None:
    mei = trade.buy("T1", "100", buyer("mei")).member_id
    assert mei is not None
    old = offering(rewards=[{**TOTE, "tiers": ["ruby"]}])
    version = publishing.newest()
    assert version is not None
    # As an earlier release let it be published.
    ProgrammeVersion.objects.create(
        number=version.number + 1,
        code="main",
        document=old,
        state=ProgrammeVersion.State.PUBLISHED,
        effective_from=version.effective_from,
        published_at=version.published_at,
        break_glass_reason="demo",
    )
    publishing._parsed.clear()
    (tote,) = catalogue.of(mei)
    assert (tote.refusal, tote.sentence) == ("other_tiers", "For ruby (no longer a tier).")
    edited = copy.deepcopy(old)
    edited["points"]["adjust_limit"] = 5
    draft = publishing.draft(edited).version
    assert publishing.publish(draft, actor=roles.make_staff("boss", "admin")[0]).number == version.number + 2
    assert tier_paths.stand(mei).tier.code == "basic"
