"""The time line: one order of everything, paged without gap or double, at the same cost for any life."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from members import cases, events, timeline
from members.facts import AccountFact, CaseFact, CaseKind, CaseState, EventFact, EventKind
from members.models import Account, Channel, Member
from members.timeline import Cursor, Happening
from privacy import consent
from privacy.consent import ConsentWord
from tests import make

KINDS = [*timeline.kinds()]
NOW = timezone.now().replace(microsecond=0)
NOON = NOW.replace(hour=4, minute=0, second=0) - timedelta(days=1)  # of Shanghai


@pytest.fixture
def mei(wechat: Channel) -> Member:
    make.known(wechat, make.buyer("mei", make.phone()))
    return Member.objects.get()


def browse(channel: Channel, *told: tuple[str, datetime, str], who: str = "mei", **more: Any) -> None:
    """Events as (kind, instant, session)."""
    buyer = AccountFact(external_id=who)
    start = len(events.event_rows.columns.ask("SELECT 1 FROM members_eventkey"))
    facts = [
        EventFact(
            event_id=f"{channel.pk}/{start + number}",
            kind=EventKind(kind),
            at=at,
            session=session,
            buyer=buyer,
            **more,
        )
        for number, (kind, at, session) in enumerate(told)
    ]
    assert {each.outcome for each in events.record(channel, facts, now=NOW)} == {"new"}


def open_case(channel: Channel, number: str, at: datetime, **told: Any) -> None:
    given: dict[str, Any] = {"kind": CaseKind.COMPLAINT, "state": CaseState.OPEN, "opened_at": at}
    cases.receive(channel, CaseFact(number=number, buyer=make.buyer("mei"), **(given | told)), now=NOW)


def whole(member: Member, names: list[str], limit: int) -> list[Happening]:
    """The time line as one reads it, page after page."""
    seen: list[Happening] = []
    cursor: Cursor | None = None
    for _page in range(100):
        page = timeline.read(member, names, cursor=cursor, limit=limit)
        seen += page.happenings
        if page.older is None:
            return seen
        cursor = timeline.read_cursor(str(page.older))
        assert cursor == page.older
    raise AssertionError("the time line never ends")


# -- visits --------------------------------------------------------------------------------------------


def test_browsing_is_one_line_for_a_channel_a_day_and_a_session(mei: Member, wechat: Channel) -> None:
    minute = timedelta(minutes=1)
    browse(
        wechat,
        ("view", NOON, "s1"),
        ("view", NOON + 5 * minute, "s1"),
        ("search", NOON + 9 * minute, "s1"),
        ("view", NOON + 60 * minute, "s2"),
        ("view", NOON - timedelta(days=3), ""),
        product="TEA",
        duration=40,
        entrance="search",
    )
    told = timeline.read(mei, ["event"]).happenings
    assert [happening.at for happening in told] == [
        NOON + 60 * minute,
        NOON + 9 * minute,
        NOON - timedelta(days=3),
    ]
    assert told[1].what == "Visit: wechat"
    assert list(told[1].details) == [
        "Viewed × 2 · Searched × 1",
        "12:00 – 12:09 · stayed 2 minutes · by way of search",
        "TEA",
    ]


def test_a_session_over_midnight_is_one_line_on_each_day(mei: Member, wechat: Channel) -> None:
    midnight = NOON + timedelta(hours=12)
    before, after = midnight - timedelta(seconds=1), midnight
    browse(wechat, ("view", before - timedelta(days=1), "s"), ("view", after - timedelta(days=1), "s"))
    assert len(timeline.read(mei, ["event"]).happenings) == 2


def test_a_visit_in_the_midst_of_which_a_page_ends_is_told_once(mei: Member, wechat: Channel) -> None:
    minute = timedelta(minutes=1)
    browse(wechat, *(("view", NOON + number * minute, "s") for number in range(30)))
    open_case(wechat, "C1", NOON + 15 * minute)
    assert [each.kind for each in whole(mei, KINDS, limit=1)] == ["event", "case"]


def test_nobody_elses_visits_are_shown_and_earlier_ones_of_an_account_are(
    mei: Member, wechat: Channel
) -> None:
    make.known(wechat, make.buyer("bo"))
    browse(wechat, ("view", NOON, "s"), who="bo")
    browse(wechat, ("view", NOON, "s"), who="mei-mini")
    assert timeline.read(mei, ["event"]).happenings == []
    make.known(wechat, make.buyer("mei-mini", make.phone()))
    assert Account.objects.filter(member=mei).count() == 2
    assert len(timeline.read(mei, ["event"]).happenings) == 1


def test_who_was_merged_keeps_their_visits_as_the_same_person(mei: Member, wechat: Channel) -> None:
    bo = make.known(wechat, make.buyer("bo"))
    browse(wechat, ("view", NOON, "s"), who="bo")
    Member.objects.filter(pk=bo.member_id).update(status="merged", merged_into=mei)
    assert len(timeline.read(mei, ["event"]).happenings) == 1


# -- cases, consents -----------------------------------------------------------------------------------


def test_a_case_says_how_soon_it_was_answered_and_how_content_the_member_was(
    mei: Member, wechat: Channel
) -> None:
    open_case(
        wechat,
        "C1",
        NOON,
        state=CaseState.RESOLVED,
        first_response_at=NOON + timedelta(minutes=4),
        closed_at=NOON + timedelta(days=3),
        satisfaction=8,
        order_number="T-1",
        words="secret words",
    )
    (told,) = timeline.read(mei, ["case"]).happenings
    assert (told.what, told.badge) == ("Complaint", "Resolved")
    assert list(told.details) == [
        "wechat · Order T-1",
        "Answered after 4 minutes",
        "Closed after 3 days",
        "Satisfaction 8 of 10",
    ]


# -- pages ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("limit", [1, 2, 3, 7])
def test_of_one_instant_nothing_is_passed_over_and_nothing_told_twice(
    mei: Member, wechat: Channel, limit: int
) -> None:
    for number in range(3):
        make.heard(wechat, make.order(f"T-{number}", who=make.buyer("mei"), paid_at=NOON))
        open_case(wechat, f"C{number}", NOON)
        browse(wechat, ("view", NOON, f"s{number}"))
    consent.record(
        mei, [ConsentWord(purpose=each, granted=True, at=NOON) for each in ("marketing", "service")]
    )
    told = whole(mei, KINDS, limit)
    assert [each.kind for each in told] == ["order"] * 3 + ["case"] * 3 + ["event"] * 3 + ["consent"] * 2
    assert len({(each.kind, each.key) for each in told}) == 11


def test_an_instant_alone_is_a_place_too_and_nonsense_is_none(mei: Member) -> None:
    assert timeline.read_cursor("2026-03-01T12:00:00+08:00") == Cursor(
        datetime.fromisoformat("2026-03-01T12:00:00+08:00"), -1, 0
    )
    for nonsense in ("", "yesterday", "2026-03-01", "2026-03-01T12:00:00+08:00,x,1", "2026-99-01T00:00:00Z"):
        assert timeline.read_cursor(nonsense) is None


def test_a_page_costs_as_many_statements_for_a_long_life_as_for_a_short_one(
    mei: Member, wechat: Channel
) -> None:
    def live(days: int, name: str) -> int:
        for day in range(days):
            at = NOON - timedelta(days=day, hours=1)
            browse(wechat, ("view", at, name), ("search", at, name))
            open_case(wechat, f"{name}{day}", at)
            make.heard(wechat, make.order(f"{name}{day}", who=make.buyer("mei"), paid_at=at))
        with CaptureQueriesContext(connection) as queries:
            timeline.read(mei, KINDS, limit=10)
        return len(queries)

    short = live(1, "a")
    assert live(15, "b") == short <= 14
