"""Migrations: an old system comes in whole or not at all, and goes back as exactly as it came."""

import pytest

from tests.old_shop import OldShop, outcomes, violations, world


@pytest.fixture(autouse=True)
def uploads(settings, tmp_path):
    settings.UPLOADS = tmp_path / "uploads"
    settings.VAR = tmp_path


@pytest.fixture
def shop(db, tmp_path):
    return OldShop(tmp_path / "old")


def test_a_package_comes_in(shop):
    shop.write_all()

    run = shop.bring()

    assert run.state == "done", run.problem
    assert outcomes(run) == {
        "members": {"new": 3},
        "tiers": {"new": 1, "same": 1},
        "lots": {"new": 3},
        "balances": {"same": 3},
        "growth": {"new": 1},
        "coupons": {"new": 2},
    }
    assert violations() == []
