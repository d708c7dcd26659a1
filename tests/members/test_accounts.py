"""What channels tell of their buyers: versions, profiles, consents, tags, leaving (A2, A3)."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from members import accounts
from members.accounts import AccountReceipt
from members.errors import AccountNotFound
from members.facts import AccountFact, ConsentFact, Gender
from members.models import Account, Channel, Identifier, Member, MemberTag, OutboxEvent, Tag
from privacy.models import ConsentEvent
from tests import make
from tests.make import MEI_BIRTHDAY, MEI_EMAIL, MEI_PHONE, NOW, buyer, key, phone

pytestmark = pytest.mark.django_db


def receive(channel: Channel, *facts: AccountFact, **how: Any) -> list[AccountReceipt]:
    return accounts.receive(channel, facts, now=NOW, **how)


def received(channel: Channel, fact: AccountFact, **how: Any) -> AccountReceipt:
    (receipt,) = receive(channel, fact, **how)
    return receipt


def test_it_works(tmall: Channel):
    joined = NOW - timedelta(days=400)
    receipt = received(
        tmall,
        buyer(
            "mei",
            phone(),
            key("email", MEI_EMAIL),
            name="梅花",
            nick="小梅",
            gender=Gender.FEMALE,
            birthday=MEI_BIRTHDAY,
            phone_masked="138****8001",
            province="上海",
            city="上海",
            occupation="律师",
            buyer_star=5,
            praise_count=12,
            joined_at=joined,
            tags=("老客", "VIP 1"),
            version=3,
        ),
    )
    member = Member.objects.get()
    assert receipt == AccountReceipt("new", receipt.account_id, member.pk, member.number, "new", True)
    account = Account.objects.get(pk=receipt.account_id)
    assert (account.nick, account.name, account.birthday, account.gender) == (
        "小梅",
        "梅花",
        MEI_BIRTHDAY,
        "female",
    )
    assert (account.phone_masked, account.province, account.city) == ("138****8001", "上海", "上海")
    assert (account.buyer_star, account.praise_count, account.joined_at, account.version) == (
        5,
        12,
        joined,
        3,
    )
    assert (member.phone, member.email, member.joined_at) == (MEI_PHONE, MEI_EMAIL, joined)
    assert member.profile == {"occupation": "律师"}
    assert sorted(Tag.objects.values_list("code", "name")) == [("vip-1", "VIP 1"), ("老客", "老客")]
    assert MemberTag.objects.filter(member=member).count() == 2


def test_the_same_again_is_the_same(tmall: Channel):
    first = received(tmall, buyer("mei", phone(), name="梅花", tags=("老客",)))
    again = received(tmall, buyer("mei", phone(), name="梅花", tags=("老客",)))
    assert again == first._replace(outcome="same", is_new_member=False)
    assert not OutboxEvent.objects.exists()


def test_what_is_not_told_is_kept(tmall: Channel):
    received(tmall, buyer("mei", name="梅花", nick="小梅", city="上海", buyer_star=5))
    assert received(tmall, buyer("mei", nick="大梅")).outcome == "changed"
    account = Account.objects.get()
    assert (account.name, account.nick, account.city, account.buyer_star) == ("梅花", "大梅", "上海", 5)


def test_a_masked_name_does_not_replace_a_clear_one(tmall: Channel):
    received(tmall, buyer("mei", name="梅花"))
    received(tmall, buyer("mei", name="梅*"))
    assert Account.objects.get().name == "梅花"
    received(tmall, buyer("mei", name="李*"))
    assert Account.objects.get().name == "李*"


def test_a_member_is_filled_not_overwritten(tmall: Channel, wechat: Channel):
    mei = received(tmall, buyer("mei", phone(), name="梅花"))
    received(tmall, buyer("mei", phone(), name="梅花花", city="上海"))
    member = Member.objects.get(pk=mei.member_id)
    assert (member.name, member.city, member.revision) == ("梅花", "上海", 2)
    assert OutboxEvent.objects.get().payload["fields"] == ["city"]


def test_versions(tmall: Channel):
    received(tmall, buyer("mei", name="梅花", version=5))
    stale = received(tmall, buyer("mei", phone(), name="旧名", version=4))
    conflict = received(tmall, buyer("mei", phone(), name="别名", version=5))
    same = received(tmall, buyer("mei", name="梅花", version=8))
    older = received(tmall, buyer("mei", name="中名", version=7))
    assert [answer.outcome for answer in (stale, conflict, same, older)] == [
        "stale",
        "conflict",
        "same",
        "stale",
    ]
    assert conflict.error is not None and conflict.error.code == "members.version_conflict"
    assert (Account.objects.get().name, Account.objects.get().version) == ("梅花", 8)
    assert not Identifier.objects.exists()  # what is ignored or refused teaches no keys either
    assert received(tmall, buyer("mei", phone(), name="新名", version=9)).outcome == "changed"
    assert (Account.objects.get().name, Identifier.objects.count()) == ("新名", 1)


def test_without_versions_the_latest_arrival_holds(tmall: Channel):
    outcomes = [received(tmall, buyer("mei", nick=nick)).outcome for nick in ("a", "b", "a")]
    assert outcomes == ["new", "changed", "changed"]
    assert Account.objects.get().nick == "a"


def test_one_account_several_times_in_a_batch_is_applied_in_sequence(tmall: Channel):
    receipts = receive(
        tmall,
        buyer("mei", nick="a", version=1),
        buyer("mei", nick="c", version=3),
        buyer("mei", nick="b", version=2),
        buyer("mei", nick="x", version=3),
    )
    assert [receipt.outcome for receipt in receipts] == ["new", "changed", "stale", "conflict"]
    assert [receipt.is_new_member for receipt in receipts] == [True, False, False, False]
    account = Account.objects.get()
    assert (account.nick, account.version) == ("c", 3)


def test_one_bad_item_does_not_stop_the_others(tmall: Channel):
    nameless = AccountFact(name="梅花")
    bad_word = ConsentFact(purpose="third_party", granted=True)
    good_word = ConsentFact(purpose="marketing", granted=True)
    receipts = receive(
        tmall, buyer("a", consents=(good_word,)), nameless, buyer("b", consents=(bad_word,)), buyer("c")
    )
    assert [receipt.outcome for receipt in receipts] == ["new", "conflict", "new", "new"]
    assert [receipt.error and receipt.error.code for receipt in receipts] == [
        None,
        "members.buyer_unknown",
        "privacy.party_missing",
        None,
    ]
    assert list(ConsentEvent.objects.values_list("purpose", "member_id")) == [
        ("marketing", receipts[0].member_id)
    ]


def test_consents_are_recorded_once_with_who_told_them(wechat: Channel):
    word = ConsentFact(purpose="marketing", channel="sms", granted=True, notice="2026-01")
    clerk = make.clerk()
    mei = received(wechat, buyer("mei", consents=(word,)), actor_id=clerk.pk)
    received(wechat, buyer("mei", nick="a", consents=(word,)))
    event = ConsentEvent.objects.get()
    assert (event.member_id, event.purpose, event.channel, event.granted) == (
        mei.member_id,
        "marketing",
        "sms",
        True,
    )
    assert (event.notice_version, event.source, event.method, event.actor_id) == (
        "2026-01",
        "wechat",
        "platform",
        clerk.pk,
    )


def test_leaving_a_channel_and_coming_back(tmall: Channel):
    mei = received(tmall, buyer("mei", nick="a"))
    accounts.unbind(tmall, "mei", now=NOW)
    accounts.unbind(tmall, "mei", now=NOW + timedelta(days=1))
    assert accounts.get(tmall, "mei").unbound_at == NOW
    back = received(tmall, buyer("mei", nick="a"))
    assert (back.outcome, back.account_id) == ("changed", mei.account_id)
    assert accounts.get(tmall, "mei").unbound_at is None


@pytest.mark.parametrize("act", [accounts.get, lambda *names: accounts.unbind(*names, now=NOW)])
def test_a_stranger_cannot_leave(tmall: Channel, wechat: Channel, act: Any):
    received(tmall, buyer("mei"))
    with pytest.raises(AccountNotFound):
        act(wechat, "mei")
    assert Account.objects.get().unbound_at is None


def test_the_account_at_the_counter_is_made_once(tmall: Channel, pos: Channel):
    mei = received(tmall, buyer("mei"))
    first = accounts.at_counter(pos, mei.member_id, now=NOW)
    again = accounts.at_counter(pos, mei.member_id, now=NOW)
    assert (first.member_id, first.is_new_account, first.linked_by) == (mei.member_id, True, "counter")
    assert again == first._replace(is_new_account=False, account_outcome="same")


def test_a_batch_costs_no_more_statements_than_one_account(tmall: Channel):
    def cost(*facts: AccountFact) -> int:
        with CaptureQueriesContext(connection) as captured:
            receive(tmall, *facts)
        return len([query for query in captured if "SAVEPOINT" not in query["sql"]])

    def crowd(prefix: str, size: int, **told: Any) -> list[AccountFact]:
        return [buyer(f"{prefix}{n}", phone(f"+8613{prefix}{n:08d}"), **told) for n in range(size)]

    assert cost(*crowd("7", 1)) == cost(*crowd("8", 300))
    assert cost(*crowd("7", 1)) == cost(*crowd("8", 300)) == 1
    assert cost(*crowd("7", 1, city="上海")) == cost(*crowd("8", 300, city="上海"))


def test_an_account_is_called_by_its_channel_and_its_masked_id(tmall: Channel):
    Channel.objects.update(name="天猫旗舰店")
    received(tmall, buyer("mei-2024-shopper"))
    assert str(Account.objects.get()) == "天猫旗舰店 · mei-****pper"
