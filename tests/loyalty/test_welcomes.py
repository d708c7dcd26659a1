"""The joining gift once a person, and a step once it is first known (B4, A8)."""

from datetime import date
from typing import Any

import pytest

from loyalty import accounts
from loyalty.models import Grant
from members import channels
from members.accounts import AccountReceipt
from members.facts import AccountFact
from members.models import Channel
from tests.trade import Trade, buyer, phone, proven

JOINING: dict[str, Any] = {
    "enrolment": {"points": 100},
    "profile_step": {"points": 20, "steps": ["birthday", "email", "city"]},
}
MEI_PHONE = phone("+8613800138001")


@pytest.fixture
def trade(db: None) -> Trade:
    return Trade(sections={"activities": JOINING})


def told(channel: Channel, *facts: AccountFact) -> list[AccountReceipt]:
    return accounts.receive(channel, facts)


def given() -> list[tuple[str, str]]:
    rows = Grant.objects.filter(state="given").order_by("id")
    return [(grant.code, grant.why.get("step", "")) for grant in rows]


def test_the_first_account_of_a_person_is_their_enrolment(trade: Trade) -> None:
    (first,) = told(trade.tmall, buyer("mei", MEI_PHONE))
    assert trade.available(first.member_id) == 100
    told(trade.tmall, buyer("mei", MEI_PHONE))
    told(trade.app, buyer("mei-app", MEI_PHONE))
    assert given() == [("enrolment", "")]
    assert proven()


def test_what_is_told_with_the_enrolment_counts_as_steps_and_later_news_do_too(trade: Trade) -> None:
    (first,) = told(trade.tmall, buyer("mei", MEI_PHONE, birthday=date(1990, 3, 15)))
    assert given() == [("enrolment", ""), ("profile_step", "birthday")]
    told(trade.app, buyer("mei-app", MEI_PHONE, birthday=date(1990, 3, 15), city="上海"))
    assert given()[2:] == [("profile_step", "city")]
    told(trade.app, buyer("mei-app", MEI_PHONE, city="北京"))
    assert trade.available(first.member_id) == 140


def test_a_buyer_known_by_an_order_only_is_welcomed_when_an_account_is_told(trade: Trade) -> None:
    member = trade.buy("T1", "10", buyer("mei", MEI_PHONE)).member_id
    assert given() == []
    told(trade.app, buyer("mei-app", MEI_PHONE))
    assert given() == [("enrolment", "")]
    assert trade.available(member or 0) == 110


def test_who_joined_long_ago_is_given_nothing(trade: Trade) -> None:
    old = trade.ago(400)
    told(trade.tmall, buyer("mei", MEI_PHONE, joined_at=old, birthday=date(1990, 3, 15)))
    assert given() == []
    told(trade.tmall, buyer("bo", joined_at=trade.ago(3)))
    assert given() == [("enrolment", "")]
    assert Grant.objects.get().happened_at == trade.ago(3)


def test_a_batch_gives_each_once(trade: Trade) -> None:
    told(trade.tmall, buyer("mei", MEI_PHONE), buyer("mei-2", MEI_PHONE), buyer("bo"))
    assert given() == [("enrolment", "")] * 2


def test_the_counter_welcomes_too_and_only_once(trade: Trade) -> None:
    store = channels.make_store(channels.make("jingan", "pos"), "jingan")

    def enrol() -> int:
        return accounts.enrol(store.channel, store, "13800138001", notice_versions={}).member_id

    member = enrol()
    assert enrol() == member
    told(trade.app, buyer("mei-app", MEI_PHONE))
    assert given() == [("enrolment", "")]
    assert trade.available(member) == 100


def test_without_a_promise_nothing_is_given(db: None) -> None:
    trade = Trade()
    told(trade.tmall, buyer("mei", MEI_PHONE))
    assert Grant.objects.count() == 0
