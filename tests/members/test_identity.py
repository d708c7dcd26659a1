"""Who is who: the surest key decides, and doubt waits for a person (A2, A5)."""

from datetime import date
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from members import channels, identity
from members.agreement import names_agree
from members.facts import AccountFact
from members.models import Account, Channel, Identifier, MatchReview, Member, OutboxEvent
from members.numbers import number_of
from tests import make
from tests.make import MEI_BIRTHDAY, MEI_EMAIL, MEI_PHONE, MEI_UNIONID, buyer, key, known, phone

pytestmark = pytest.mark.django_db


def reviews() -> list[tuple[set[int], str, list[str]]]:
    return [
        ({review.member_id, review.other_id}, review.reason, review.evidence["same"])
        for review in MatchReview.objects.order_by("id")
    ]


def test_it_works(tmall: Channel):
    mei = known(tmall, buyer("mei", phone(), name="梅花", birthday=MEI_BIRTHDAY, city="上海"))
    assert (mei.is_new_account, mei.is_new_member, mei.linked_by) == (True, True, "new")
    member = Member.objects.get(pk=mei.member_id)
    assert member.number == number_of(member.pk)
    assert (member.name, member.phone, member.birthday) == ("梅花", MEI_PHONE, MEI_BIRTHDAY)
    assert (member.city, member.recruited_channel, member.joined_at) == ("上海", tmall, make.NOW)
    account = Account.objects.get(pk=mei.account_id)
    assert (account.external_id, account.name, account.linked_by) == ("mei", "梅花", "new")
    (identifier,) = Identifier.objects.all()
    assert (identifier.value, identifier.leads, identifier.verified) == (MEI_PHONE, True, False)
    assert not MatchReview.objects.exists()


def test_the_same_buyer_again_is_the_same_account(tmall: Channel):
    first = known(tmall, buyer("mei", phone()))
    again = known(tmall, buyer("mei", phone()))
    assert again == first._replace(is_new_account=False, is_new_member=False, account_outcome="same")
    assert (Account.objects.count(), Identifier.objects.count()) == (1, 1)


def test_nobody_stays_nobody(tmall: Channel):
    assert make.resolved(tmall, None, AccountFact(name="梅花")) == [None, None]
    assert not Member.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_it_refuses_to_run_outside_of_a_transaction(tmall: Channel):
    with pytest.raises(AssertionError):
        identity.resolve(tmall, [buyer("mei")], now=make.NOW)


@pytest.mark.parametrize("kind", ["ouid", "omid", "openid", "mix_mobile", "unionid"])
def test_a_platform_key_leads_to_the_member_whatever_the_name(tmall: Channel, kind: str):
    mei = known(tmall, buyer("one", key(kind, "k"), name="梅花"))
    other = known(tmall, buyer("two", key(kind, "k"), name="李白"))
    assert (other.member_id, other.linked_by) == (mei.member_id, kind)
    assert not other.is_new_member
    assert reviews() == []


@pytest.mark.parametrize(
    ("kind", "same_channel", "same_brand", "other_brand"),
    [
        ("ouid", True, False, False),
        ("openid", True, False, False),
        ("omid", True, True, False),
        ("mix_mobile", True, True, False),
        ("unionid", True, True, True),
    ],
)
def test_a_key_means_something_within_its_scope(
    tmall: Channel, kind: str, same_channel: bool, same_brand: bool, other_brand: bool
):
    mei = known(tmall, buyer("one", key(kind, "k")))
    outlet = channels.make("tmall-outlet", "tmall")
    other = channels.make("tmall-other", "tmall", brand="other")
    found = [known(channel, buyer("two", key(kind, "k"))).member_id for channel in (tmall, outlet, other)]
    assert [member == mei.member_id for member in found] == [same_channel, same_brand, other_brand]


@pytest.mark.parametrize(
    ("kind", "value", "reason"), [("phone", MEI_PHONE, "phone"), ("email", MEI_EMAIL, "email")]
)
@pytest.mark.parametrize("name", ["梅花", None, " 梅 花 ", "梅*", "梅**"])
def test_a_shared_key_leads_where_the_names_agree(
    tmall: Channel, wechat: Channel, kind: str, value: str, reason: str, name: str | None
):
    mei = known(tmall, buyer("one", key(kind, value, verified=False), name="梅花"))
    again = known(wechat, buyer("two", key(kind, value, verified=False), name=name))
    if name == "梅**":
        assert again.member_id != mei.member_id
    else:
        assert (again.member_id, again.linked_by) == (mei.member_id, reason)


@pytest.mark.parametrize("verified", [True, False])
@pytest.mark.parametrize(
    ("told", "reason"),
    [({"name": "李白"}, "name_differs"), ({"birthday": date(1980, 1, 1)}, "birthday_differs")],
)
def test_a_shared_phone_of_somebody_else_waits_for_a_person(
    tmall: Channel, wechat: Channel, verified: bool, told: dict[str, Any], reason: str
):
    mei = known(tmall, buyer("mei", phone(verified=verified), name="梅花", birthday=MEI_BIRTHDAY))
    other = known(wechat, buyer("other", phone(verified=verified), **told))
    assert other.is_new_member
    assert reviews() == [({mei.member_id, other.member_id}, reason, ["phone"])]
    leading = Identifier.objects.get(leads=True)
    assert leading.member_id == mei.member_id
    assert Identifier.objects.get(leads=False).member_id == other.member_id


def test_who_shares_a_phone_is_found_again_by_name(tmall: Channel, wechat: Channel):
    known(tmall, buyer("mei", phone(), name="梅花"))
    bo = known(tmall, buyer("bo", phone(), name="李白"))
    again = known(wechat, buyer("bo-wx", phone(verified=False), name="李白"))
    assert (again.member_id, again.is_new_member) == (bo.member_id, False)
    assert len(reviews()) == 1


def test_a_nick_is_not_a_name(tmall: Channel, wechat: Channel):
    mei = known(tmall, buyer("mei", phone(), name="梅花"))
    assert known(wechat, buyer("wx", phone(), nick="小李")).member_id == mei.member_id


def test_a_verified_phone_is_surer_than_an_e_mail_and_that_than_an_unverified_phone(wechat: Channel):
    by_phone = known(wechat, buyer("one", phone(MEI_PHONE, verified=True)))
    by_mail = known(wechat, buyer("two", key("email", MEI_EMAIL)))
    verified = known(wechat, buyer("a", phone(MEI_PHONE, verified=True), key("email", MEI_EMAIL)))
    unverified = known(wechat, buyer("b", phone(MEI_PHONE, verified=False), key("email", MEI_EMAIL)))
    assert (verified.member_id, verified.linked_by) == (by_phone.member_id, "phone_verified")
    assert (unverified.member_id, unverified.linked_by) == (by_mail.member_id, "email")
    assert reviews() == [({by_phone.member_id, by_mail.member_id}, "keys_disagree", ["email"])]


def test_two_keys_to_two_members_go_by_the_surest_and_are_reviewed(tmall: Channel, wechat: Channel):
    by_union = known(wechat, buyer("one", key("unionid", MEI_UNIONID)))
    by_phone = known(tmall, buyer("two", phone()))
    both = known(wechat, buyer("three", phone(), key("unionid", MEI_UNIONID)))
    assert (both.member_id, both.linked_by) == (by_union.member_id, "unionid")
    assert reviews() == [({by_union.member_id, by_phone.member_id}, "keys_disagree", ["phone"])]


def test_a_known_account_with_a_key_of_another_stays_and_is_reviewed(tmall: Channel, wechat: Channel):
    mei = known(tmall, buyer("mei", phone()))
    other = known(wechat, buyer("other"))
    again = known(wechat, buyer("other", phone(verified=False)))
    assert (again.member_id, again.account_outcome) == (other.member_id, "changed")
    assert reviews() == [({mei.member_id, other.member_id}, "keys_disagree", ["phone"])]


def test_a_pair_that_was_decided_is_not_asked_about_again(tmall: Channel, wechat: Channel):
    known(tmall, buyer("mei", phone(), name="梅花"))
    known(wechat, buyer("bo", phone(), name="李白"))
    MatchReview.objects.update(state="different")
    known(tmall, buyer("bo", phone(), name="李白"))
    assert list(MatchReview.objects.values_list("state", flat=True)) == ["different"]


def test_a_verified_key_outranks(tmall: Channel, wechat: Channel):
    first = known(tmall, buyer("one", phone(verified=False), name="梅花"))
    second = known(wechat, buyer("two", phone(), name="李白"))
    assert Identifier.objects.get(leads=True).member_id == second.member_id
    assert Identifier.objects.get(leads=False).member_id == first.member_id


def test_a_phone_that_is_verified_later_becomes_verified(tmall: Channel, wechat: Channel):
    mei = known(tmall, buyer("mei", phone(verified=False)))
    known(wechat, buyer("mei-wx", phone()))
    identifier = Identifier.objects.get()
    assert (identifier.member_id, identifier.verified) == (mei.member_id, True)


def test_the_channel_vouches_unless_the_fact_says_otherwise(wechat: Channel, tmall: Channel):
    known(wechat, buyer("a", phone("+8613700000001")))
    known(wechat, buyer("b", phone("+8613700000002", verified=False)))
    known(tmall, buyer("c", phone("+8613700000003")))
    assert list(Identifier.objects.order_by("id").values_list("verified", flat=True)) == [True, False, False]


def test_without_an_id_the_surest_key_is_the_account(tmall: Channel):
    first = known(tmall, buyer(None, phone(), key("email", MEI_EMAIL)))
    again = known(tmall, buyer(None, key("email", MEI_EMAIL), phone()))
    assert again.account_id == first.account_id
    assert Account.objects.get().external_id == f"email:{MEI_EMAIL}"


def test_one_buyer_several_times_in_a_batch_is_one(tmall: Channel):
    answers = make.resolved(
        tmall, buyer("mei", name="梅花"), None, buyer("mei", phone()), buyer("two", phone(), name="梅花")
    )
    one, nobody, again, two = answers
    assert nobody is None
    assert one and again and two
    assert (one.is_new_member, again.is_new_account, two.is_new_member) == (True, False, False)
    assert {one.member_id, again.member_id, two.member_id} == {one.member_id}
    assert Member.objects.get().phone == MEI_PHONE


def test_strangers_with_one_phone_in_a_batch_are_two_and_reviewed(tmall: Channel):
    one, two = make.resolved(tmall, buyer("a", phone(), name="梅花"), buyer("b", phone(), name="李白"))
    assert one and two and one.member_id != two.member_id
    assert reviews() == [({one.member_id, two.member_id}, "name_differs", ["phone"])]


def test_accounts_fill_what_their_member_lacks_and_the_channels_hear_of_it(tmall: Channel, wechat: Channel):
    mei = known(tmall, buyer("mei", phone()))
    known(wechat, buyer("wx", phone(), key("email", MEI_EMAIL), name="梅花", occupation="律师"))
    member = Member.objects.get(pk=mei.member_id)
    assert (member.name, member.email, member.revision) == ("梅花", MEI_EMAIL, 2)
    assert member.profile == {"occupation": "律师"}
    event = OutboxEvent.objects.get()
    assert (event.topic, event.change) == ("member.updated", f"member:{member.pk}:2")
    assert event.payload == {
        "member_no": member.number,
        "revision": 2,
        "fields": ["email", "name", "profile"],
    }
    known(tmall, buyer("other", phone(), name="梅花", city="北京"))
    assert Member.objects.get(pk=mei.member_id).city == "北京"


def test_a_masked_name_is_not_a_members_name(tmall: Channel):
    mei = known(tmall, buyer("mei", name="梅*"))
    assert Member.objects.get(pk=mei.member_id).name is None
    assert Account.objects.get().name == "梅*"


def test_a_key_of_a_merged_member_leads_to_the_survivor(tmall: Channel, wechat: Channel):
    gone, middle, stays = (known(tmall, buyer(name)).member_id for name in ("a", "b", "c"))
    merged = known(tmall, buyer("d", phone())).member_id
    for member_id, into in ((merged, gone), (gone, middle), (middle, stays)):
        Member.objects.filter(pk=member_id).update(status="merged", merged_into=into)
    found = known(wechat, buyer("wx", phone()))
    assert found.member_id == stays
    assert known(tmall, buyer("d", phone())).member_id == merged  # an account stays with its own wallet


def test_no_clear_value_is_stored(tmall: Channel):
    known(tmall, buyer("mei-id", phone(), key("email", MEI_EMAIL), name="梅花"))
    with connection.cursor() as cursor:
        for table in ("members_member", "members_account", "members_identifier", "members_matchreview"):
            cursor.execute(f"SELECT {table}::text FROM {table}")
            text = str(cursor.fetchall())
            for clear in (MEI_PHONE, MEI_EMAIL, "梅花", "mei-id"):
                assert clear not in text
                assert clear.encode().hex() not in text


def statements(channel: Channel, buyers: list[AccountFact]) -> int:
    with CaptureQueriesContext(connection) as captured, transaction.atomic():
        identity.resolve(channel, buyers, now=make.NOW)
    return len([query for query in captured if "SAVEPOINT" not in query["sql"]])


def test_a_batch_costs_no_more_statements_than_one_buyer(tmall: Channel):
    def crowd(start: int, size: int) -> list[AccountFact]:
        return [
            buyer(f"b{n}", phone(f"+86138{n:08d}"), key("unionid", f"u{n}"))
            for n in range(start, start + size)
        ]

    one, many = statements(tmall, crowd(0, 1)), statements(tmall, crowd(1, 300))
    assert one == many == 8
    assert statements(tmall, crowd(0, 1)) == statements(tmall, crowd(0, 301)) == 2
    assert statements(tmall, [buyer(f"b{n}") for n in range(300)]) == 1


@pytest.mark.parametrize(
    ("one", "other", "agree"),
    [
        ("张三", "张三", True),
        ("张三", " 张 三", True),
        ("Ｍｅｉ", "mei", True),
        ("张三", "李四", False),
        ("张*", "张三", True),
        ("张*", "张三丰", True),
        ("张**", "张三丰", True),
        ("张**", "张三", False),
        ("张*", "李四", False),
        ("张＊丰", "张三丰", True),
        ("*三", "张三", True),
        ("*三", "张四", False),
        ("张*", "张*", True),
        (None, "张三", True),
        ("", "张三", True),
        ("阿凡提·买买提", "阿凡提", False),
    ],
)
def test_names_side_by_side(one: str | None, other: str | None, agree: bool):
    assert names_agree(one, other) is agree
    assert names_agree(other, one) is agree
