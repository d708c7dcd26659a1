"""The auditor finds what a package does not say, and what was taken back otherwise than it says (law 18)."""

import pytest
from django.db import transaction

from tests.old_shop import OldShop, violations
from tests.planting import Planting, broken, damage

PLANTINGS = [
    Planting(
        "brought_points_are_what_their_package_says",
        ("UPDATE members_legacyrow SET amount = 99 WHERE kind = 'lots' AND amount = 100",),
    ),
    Planting(
        "brought_points_are_what_their_package_says",
        ("DELETE FROM members_legacyrow WHERE kind = 'lots' AND amount = 300",),
    ),
    Planting(
        "brought_lots_last_as_they_were_told",
        ("UPDATE loyalty_lot SET expires_at = expires_at + interval '1 day' WHERE earned = 100",),
    ),
    Planting(
        "points_of_a_package_were_taken_back_once",
        ("UPDATE members_legacyrow SET state = 'undone', taken = 100 WHERE kind = 'lots' AND amount = 100",),
    ),
    Planting(
        "brought_growth_is_what_its_package_says",
        ("UPDATE members_legacyrow SET state = 'undone' WHERE kind = 'growth'",),
    ),
    Planting(
        "brought_tiers_are_what_their_package_says",
        ("UPDATE members_legacyrow SET state = 'undone', taken = 1 WHERE kind = 'tiers' AND state = 'new'",),
    ),
    Planting(
        "brought_coupons_are_what_their_package_says",
        ("UPDATE members_legacyrow SET state = 'undone', taken = 1 WHERE kind = 'coupons'",),
    ),
]


@pytest.fixture
def shop(db, tmp_path, settings):
    settings.UPLOADS = tmp_path / "uploads"
    shop = OldShop(tmp_path / "old")
    shop.write_all()
    return shop


def test_planted_damage_is_named(shop):
    """All in one world, each undone before the next: bringing it takes longer than looking."""
    shop.bring()
    assert violations() == []
    for planting in PLANTINGS:
        with pytest.raises(Undone), transaction.atomic():
            damage(*planting.statements)
            assert broken() == {planting.law, *planting.others}, planting.statements
            raise Undone


class Undone(Exception):
    """The damage is taken back."""
