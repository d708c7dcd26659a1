"""Whoever saves what nothing has is told; what is not there is shown as not there (B2, B6, B8)."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.utils import translation

from loyalty import catalogue, publishing, tier_paths
from loyalty.models import ProgrammeVersion
from members import channels
from tests.boutique import TOTE
from tests.coupon_shop import WELCOME
from tests.trade import PROGRAMME, Trade, buyer


@pytest.fixture
def trade(db: None) -> Iterator[Trade]:
    with translation.override("en"):
        yield Trade()


def offering(**sections: Any) -> dict[str, Any]:
    return {**PROGRAMME, **sections}


def slips(document: dict[str, Any]) -> list[str]:
    """What whoever saves the document is told of names that nothing has; it is saved all the same."""
    return [said for said in publishing.draft(document).warnings if "which does not exist" in said]


GOLD = {"field": "member.tier", "op": "in", "value": ["gold", "ruby"]}


@pytest.mark.parametrize(
    ("sections", "named"),
    [
        ({"coupons": [{**WELCOME, "tiers": ["ruby"]}]}, ["coupons[0].tiers names the tier ruby"]),
        (
            {"coupons": [{**WELCOME, "channels": ["tmall", "moon"]}]},
            ["coupons[0].channels names the channel moon"],
        ),
        ({"coupons": [{**WELCOME, "stores": ["moon"]}]}, ["coupons[0].stores names the store moon"]),
        ({"rewards": [{**TOTE, "tiers": ["gold", "ruby"]}]}, ["rewards[0].tiers names the tier ruby"]),
        (
            {"milestones": [{"code": "m1", "when": GOLD, "then": {"tier": "jade"}}]},
            ["milestones[0].then names the tier jade", "milestones[0].when names the tier ruby"],
        ),
        (
            {"referral": {"ladder": {5: {"referrer": {"tier": "ruby"}}}}},
            ["referral.ladder.5 names the tier ruby"],
        ),
        ({"rewards": [{**TOTE, "tiers": ["gold"]}]}, []),
    ],
)
def test_whoever_saves_a_name_that_nothing_has_is_told_where_it_stands(
    trade: Trade, sections: dict[str, Any], named: list[str]
) -> None:
    assert slips(offering(**sections)) == [f"{each}, which does not exist." for each in named]


def test_it_is_said_in_the_readers_language_until_the_thing_is_there(trade: Trade) -> None:
    document = offering(coupons=[{**WELCOME, "channels": ["moon"]}])
    with translation.override("zh-hans"):
        (said,) = [each for each in publishing.draft(document).warnings if "moon" in each]
        assert "渠道" in said
    channels.make("moon", "other")
    assert slips(document) == []


def test_a_programme_is_loaded_before_the_channels_that_it_names_are_made(db: None) -> None:
    document = offering(coupons=[{**WELCOME, "channels": ["moon"], "tiers": ["ruby"]}])
    assert publishing.load(document, environment="demo").version.state == ProgrammeVersion.State.PUBLISHED


def test_a_tier_that_is_gone_is_shown_as_gone(trade: Trade) -> None:
    mei = trade.buy("T1", "100", buyer("mei")).member_id
    assert mei is not None
    old = offering(rewards=[{**TOTE, "tiers": ["ruby"]}])
    trade.publish(old)
    (tote,) = catalogue.of(mei)
    assert (tote.refusal, tote.sentence) == ("other_tiers", "For ruby (no longer a tier).")
    assert tier_paths.stand(mei).tier.code == "basic"
