"""What purchases and growth value merit, in each kind of window; and what is missing. No database."""

from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from loyalty.tiers import History, Ladder, Need, Purchase, Standing, explained
from tests.loyalty.ladders import at, bought, grown, ladder, monthly, programme, tier


@pytest.mark.parametrize(
    ("purchases", "code"),
    [
        (bought(*["2000"] * 6), "silver"),  # 12,000 in 6 orders: gold asks for 15 as well
        (bought(*["750"] * 4), "basic"),  # 3,000 in 4 orders
        (bought(*["600"] * 5), "silver"),
        (bought(*["599.99"] * 5), "basic"),
        (bought(*["700"] * 15), "gold"),
        (bought(*["800"] * 4, "0"), "basic"),  # a refunded order counts neither its yuan nor itself
    ],
)
def test_a_tier_asks_for_all_it_asks_for(purchases: list[Purchase], code: str) -> None:
    merited, _standing = ladder().merited(History(bought=purchases), at("2026-03-02"))
    assert merited.code == code


def merited(window: dict[str, Any], day: str, *purchases: Purchase, joined: str | None = None) -> str:
    rungs = Ladder(programme(tier("silver", {"window": window, "any": {"orders": 2}})), 1)
    history = History(bought=sorted(purchases), joined_at=at(joined) if joined else None)
    return rungs.merited(history, at(day))[0].code


def test_rolling_months_look_back_from_the_day_of_the_judgement() -> None:
    twice = monthly("1", "2025-11-20", "2026-02-01")
    assert merited({"months": 12}, "2026-11-19", *twice) == "silver"
    assert merited({"months": 12}, "2026-11-20", *twice) == "basic"
    assert merited({"months": 2}, "2026-02-01", *twice) == "basic"


def test_a_calendar_year_begins_at_its_local_midnight() -> None:
    first = Purchase(datetime.fromisoformat("2026-01-01T00:00:00+08:00"), Decimal(1), 1)
    eve = Purchase(datetime.fromisoformat("2025-12-31T23:59:59+08:00"), Decimal(1), 2)
    again = Purchase(at("2026-12-31"), Decimal(1), 3)
    assert merited({"calendar": "year"}, "2026-12-31", first, again) == "silver"
    assert merited({"calendar": "year"}, "2026-12-31", eve, again) == "basic"
    assert merited({"calendar": "year"}, "2027-01-01", first, again) == "basic"


def test_a_members_year_begins_on_the_day_of_joining() -> None:
    twice = monthly("1", "2026-05-10", "2026-05-12")
    window = {"anniversary": "joined"}
    assert merited(window, "2026-06-01", *twice, joined="2020-05-10") == "silver"
    assert merited(window, "2026-06-01", *twice, joined="2020-05-11") == "basic"
    assert merited(window, "2027-05-09", *twice, joined="2020-05-10") == "silver"
    assert merited(window, "2027-05-10", *twice, joined="2020-05-10") == "basic"


def test_a_member_of_29_february_has_a_year_from_the_28th() -> None:
    twice = monthly("1", "2027-02-28", "2027-03-01")
    assert merited({"anniversary": "joined"}, "2027-06-01", *twice, joined="2024-02-29") == "silver"


def test_growth_value_leads_to_a_tier_and_is_counted_by_when_it_came_about() -> None:
    rungs = Ladder(programme(tier("silver", {"window": {"months": 12}, "growth": 500})), 1)
    history = History(growth=[grown(300, "2025-02-01"), grown(300, "2026-01-01")])
    assert rungs.merited(history, at("2026-01-15"))[0].code == "silver"
    assert rungs.merited(history, at("2026-02-15"))[0].code == "basic"


def test_purchases_lead_to_no_tier_of_the_invited_or_of_the_top() -> None:
    black = {"code": "black", "name": {"en": "Black"}, "qualify": {"by_invitation": True}, "benefits": {}}
    top = tier("top", {"top_percent": 1, "all": {"spend": "1"}})
    rungs = Ladder(programme(tier("silver", {"all": {"orders": 1}}), black, top), 1)
    merited, _standing = rungs.merited(History(bought=bought("99999")), at("2026-03-02"))
    assert merited.code == "silver"
    assert rungs.below(rungs.tier("top")).code == "silver"


def test_a_period_that_has_ended_is_judged_whole_with_its_grace() -> None:
    """The calendar year 2026 is judged on 31 January 2027 by what was bought in 2026 and in the grace."""
    silver = tier("silver", {"window": {"calendar": "year"}, "all": {"orders": 2}}, years=1)
    rungs = Ladder(programme(silver), 1)
    history = History(bought=monthly("1", "2026-06-01", "2027-01-10"))
    end = datetime.fromisoformat("2027-01-01T00:00:00+08:00")
    kept, standing = rungs.is_kept(rungs.tier("silver"), history, at("2027-01-31"), end=end)
    assert (kept, standing.orders) == (True, 2)
    history.bought = history.bought[1:]
    assert not rungs.is_kept(rungs.tier("silver"), history, at("2027-01-31"), end=end)[0]


def test_keeping_may_ask_less_than_reaching() -> None:
    rungs = ladder(needs={"spend": "1000"})
    history, end = History(bought=bought("1200")), at("2026-12-01")
    kept, standing = rungs.is_kept(rungs.tier("silver"), history, at("2026-12-31"), end=end)
    assert (kept, standing.spend) == (True, Decimal(1200))
    history.bought = bought("999")
    assert not rungs.is_kept(rungs.tier("silver"), history, at("2026-12-31"), end=end)[0]


def test_what_is_missing_for_the_next_tier_is_told_figure_by_figure() -> None:
    history = History(bought=bought("600", "600"))
    way = ladder().progress("basic", history, at("2026-04-01"))
    assert way is not None and way.tier.code == "silver"
    assert way.needs_all
    assert way.needs == (
        Need(what="spend", asked=Decimal(3000), have=Decimal(1200)),
        Need(what="orders", asked=Decimal(5), have=Decimal(2)),
    )
    assert [(need.missing, need.percent) for need in way.needs] == [(Decimal(1800), 40), (Decimal(3), 40)]
    assert ladder().progress("gold", History(), at("2026-04-01")) is None


def test_a_tier_of_a_version_before_stands_for_the_lowest() -> None:
    assert ladder().tier("platinum").code == "basic"


def test_the_numbers_of_a_judgement_are_kept_with_what_was_asked() -> None:
    silver = ladder().tier("silver")
    assert explained(silver, Standing(Decimal(4200), 6)) == {
        "spend": "4200",
        "orders": 6,
        "needs": {"months": 12, "mode": "all", "spend": "3000", "orders": 5},
    }
