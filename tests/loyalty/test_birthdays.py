"""Birthday treats and member days: each once, also late, also twice, also merged (B11)."""

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from loyalty import accounts, birthday_index, birthdays, clock
from loyalty.models import BirthdayIndex, Entry, Grant
from members.models import Member
from privacy import register
from tests.trade import PROGRAMME, Trade, buyer, proven

SHANGHAI = ZoneInfo("Asia/Shanghai")


def today() -> date:
    return clock.read().now.astimezone(SHANGHAI).date()


def tiers(**treats: dict[str, Any]) -> list[dict[str, Any]]:
    """The tiers of the programme, with birthday treats."""
    return [
        {**tier, "benefits": {**tier["benefits"], "birthday": treats.get(tier["code"], {})}}
        for tier in PROGRAMME["tiers"]
    ]


def treating(**treat: Any) -> Trade:
    return Trade(sections={"activities": {"birthday": treat}})


def born(trade: Trade, name: str, day: date, joined_days_ago: int = 400) -> int:
    fact = buyer(name, birthday=day.replace(year=1992), joined_at=trade.ago(joined_days_ago))
    (receipt,) = accounts.receive(trade.tmall, [fact])
    return receipt.member_id


def given() -> list[tuple[int, str, str]]:
    rows = Grant.objects.filter(source="birthday").order_by("member_id", "id")
    return list(rows.values_list("member_id", "value", "state"))


# --- birthdays ----------------------------------------------------------------------------------------


def test_a_birthday_is_treated_once_a_year_however_often_the_run_comes(db: None) -> None:
    trade = treating(points=50)
    mei = born(trade, "mei", today())
    born(trade, "bo", today() + timedelta(days=1))
    assert (birthdays.treat_birthdays().given, birthdays.treat_birthdays().given) == (1, 0)
    assert given() == [(mei, "50", "given")]
    assert trade.available(mei) == 50
    assert proven()


def test_what_explains_a_treat_does_not_say_the_day_of_birth(db: None) -> None:
    trade = treating(points=50)
    born(trade, "mei", today())
    birthdays.treat_birthdays()
    why = Grant.objects.get().why
    assert {key: why[key] for key in ("tier", "year", "within")} == {
        "tier": "basic",
        "year": today().year,
        "within": "day",
    }
    assert Entry.objects.get().why == why


@pytest.mark.parametrize(("days", "treated"), [(0, 1), (7, 1), (8, 0), (-1, 0)])
def test_a_run_that_is_late_catches_up_for_seven_days(db: None, days: int, treated: int) -> None:
    trade = treating(points=50)
    born(trade, "mei", today() - timedelta(days=days))
    assert birthdays.treat_birthdays().given == treated


def test_how_long_it_catches_up_is_the_programmes_word(db: None) -> None:
    trade = Trade(sections={"activities": {"birthday": {"points": 50}, "catch_up_days": 0}})
    born(trade, "mei", today() - timedelta(days=1))
    assert birthdays.treat_birthdays().given == 0


def test_who_joined_after_their_birthday_waits_for_the_next(db: None) -> None:
    trade = treating(points=50)
    born(trade, "mei", today() - timedelta(days=3), joined_days_ago=1)
    bo = born(trade, "bo", today(), joined_days_ago=0)
    birthdays.treat_birthdays()
    assert given() == [(bo, "50", "given")]


def test_one_person_under_two_numbers_is_treated_once(db: None) -> None:
    trade = treating(points=50)
    mei, double = born(trade, "mei", today()), born(trade, "double", today())
    Member.objects.filter(pk=mei).update(status=Member.Status.MERGED, merged_into_id=double)
    birthdays.treat_birthdays()
    Member.objects.filter(pk=mei).update(status=Member.Status.ACTIVE, merged_into=None)
    Member.objects.filter(pk=double).update(status=Member.Status.MERGED, merged_into_id=mei)
    birthdays.treat_birthdays()
    assert given() == [(double, "50", "given")]


def test_a_tiers_own_treat_stands_in_place_of_the_general_one(db: None) -> None:
    activities = {"birthday": {"points": 10}}
    trade = Trade(sections={"tiers": tiers(silver={"points": 80}), "activities": activities})
    mei, bo = born(trade, "mei", today()), born(trade, "bo", today())
    Member.objects.get(pk=bo)
    trade.give(mei, 1)
    wallet = Member.objects.get(pk=mei).wallet
    type(wallet).objects.filter(pk=wallet.pk).update(tier="silver")
    birthdays.treat_birthdays()
    assert given() == [(mei, "80", "given"), (bo, "10", "given")]


def test_within_a_month_it_is_given_from_the_first_of_the_month(db: None) -> None:
    trade = treating(points=50, within="month")
    last = (today().replace(day=1) + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    mei = born(trade, "mei", last)
    born(trade, "bo", last + timedelta(days=1))
    birthdays.treat_birthdays()
    assert given() == [(mei, "50", "given")]


def test_within_a_week_it_is_given_from_its_monday(db: None) -> None:
    trade = treating(points=50, within="week")
    sunday = today() + timedelta(days=6 - today().weekday())
    mei = born(trade, "mei", sunday)
    born(trade, "bo", sunday + timedelta(days=1))
    birthdays.treat_birthdays()
    assert given() == [(mei, "50", "given")]


@pytest.mark.parametrize(("year", "day"), [(2027, date(2027, 2, 28)), (2028, date(2028, 2, 29))])
def test_born_on_29_february_they_celebrate_on_the_28th_in_between(db: None, year: int, day: date) -> None:
    trade = treating(points=50)
    mei = born(trade, "mei", date(2000, 2, 29))
    noon = datetime(year, day.month, day.day, 12, tzinfo=SHANGHAI)
    clock.move(noon - clock.read().recorded)
    birthdays.treat_birthdays()
    assert given() == [(mei, "50", "given")]


def test_who_asked_to_be_left_alone_is_not_treated(db: None) -> None:
    trade = treating(points=50)
    mei = born(trade, "mei", today())
    Member.objects.filter(pk=mei).update(status=Member.Status.RESTRICTED)
    assert birthdays.treat_birthdays().given == 0


# --- how they are found -------------------------------------------------------------------------------


def test_a_birthday_is_opened_once_and_again_when_it_was_sealed_anew(db: None) -> None:
    trade = treating(points=50)
    mei = Member.objects.get(pk=born(trade, "mei", today()))
    assert [birthday_index.refresh(), birthday_index.refresh()] == [1, 0]
    row = BirthdayIndex.objects.get()
    assert row.index == birthday_index.index_of(f"--{today():%m-%d}")
    mei.birthday = today().replace(year=1991) - timedelta(days=40)
    mei.save()
    assert birthday_index.refresh() == 1
    row.refresh_from_db()
    assert row.index == birthday_index.index_of(f"--{mei.birthday:%m-%d}")


def test_the_index_goes_when_the_birthday_does(db: None) -> None:
    trade = treating(points=50)
    mei = born(trade, "mei", today())
    birthday_index.refresh()
    Member.objects.filter(pk=mei).update(birthday=None)
    birthday_index.refresh()
    assert BirthdayIndex.objects.count() == 0


def test_the_index_is_on_the_register_of_personal_data() -> None:
    assert register.find(BirthdayIndex, "index") is not None


# --- member days --------------------------------------------------------------------------------------


def member_day(**promised: Any) -> Trade:
    return Trade(sections={"activities": {"member_day": promised}})


def test_a_member_day_is_everybodys_once(db: None) -> None:
    trade = member_day(days=[today().day], points=8)
    people = [born(trade, name, today()) for name in ("mei", "bo")]
    assert [birthdays.hold_member_days().given for _ in range(2)] == [2, 0]
    assert [trade.available(member) for member in people] == [8, 8]
    assert Grant.objects.filter(source="member_day").first().why["day"] == today().isoformat()  # type: ignore[union-attr]
    assert proven()


def test_a_missed_member_day_is_caught_up_with_by_weekday_too(db: None) -> None:
    yesterday = today() - timedelta(days=1)
    trade = member_day(weekday=f"{yesterday:%A}".lower(), points=8)
    born(trade, "mei", today(), joined_days_ago=0)
    bo = born(trade, "bo", today(), joined_days_ago=2)
    birthdays.hold_member_days()
    assert list(Grant.objects.values_list("member_id", "why__day")) == [(bo, yesterday.isoformat())]


def test_on_other_days_nothing_is_given(db: None) -> None:
    trade = Trade(
        sections={
            "activities": {
                "member_day": {"days": [(today() + timedelta(days=2)).day], "points": 8},
                "catch_up_days": 1,
            }
        }
    )
    born(trade, "mei", today())
    assert birthdays.hold_member_days().given == 0
