"""Tmall's member link: its signature, questions, joins by a phone's hash, exchanges, balances."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from members import accounts, credentials, member_link, phone_hashes, platform_calls, telling
from members.connectors import signing, tmall
from members.connectors.connector import Call
from members.models import Account, Channel, Identifier, InboxDelivery, Member, PlatformCall
from members.stand_ins import tmall as stand_in
from privacy import consent
from tests import make
from tests.platforms import channel, send, tell
from tests.trade import Trade, buyer, phone, proven

SECRET = stand_in.STAND_IN.credentials
MIX = SECRET["mix_key"]
MEI = stand_in.buyer(1, MIX)
MEI_PHONE = "+8613800138001"
BIND_QUERY, BIND = "tmall.mei.crm.member.bind.query", "tmall.mei.crm.bind"
REGISTER, QUERY = "tmall.mei.crm.member.register", "tmall.mei.crm.query"

# Computed by hand from the documented rules, with made-up secrets.
PARAMS = {
    "method": "tmall.mei.crm.member.sync.privy",
    "app_key": "12345678",
    "session": "test",
    "timestamp": "2026-01-01 12:00:00",
    "format": "json",
    "v": "2.0",
    "sign_method": "md5",
    "mobile": "13829028011",
    "point": "2000",
    "level": "1",
    "ouid": "AAG2Aa1nAAAYIPoAAVyriDOu",
    "version": "1767225600000",
}


def test_the_vector_of_a_signed_call():
    assert signing.top_sign(PARAMS, "top_secret_test") == "247BC1156EFB1D9AFB4D19DC7A5BC9EB"


def test_the_vector_of_a_hashed_phone():
    assert phone_hashes.mix_mobile("+8613829028011", "F4rgLk") == "161ee2a144c29f4286c339bdd2075147"
    assert phone_hashes.mix_mobile("+15550100", "F4rgLk") is None, "only mainland phones are hashed"


@pytest.mark.parametrize(
    ("minutes", "is_believed"), [(0, True), (-9, True), (9, True), (-11, False), (11, False)]
)
def test_a_call_is_believed_for_ten_minutes(minutes: int, is_believed: bool):
    now = timezone.now()
    parcel = stand_in.question(SECRET, QUERY, MEI, at=now + timedelta(minutes=minutes))
    call = Call(headers={}, raw=parcel.raw, query=parcel.query, at=now)
    assert tmall.verify(call, SECRET) == is_believed


@pytest.mark.parametrize(
    "change", [{"sign": ""}, {"app_key": "87654321"}, {"method": BIND}, {"timestamp": ""}, {"more": "x"}]
)
def test_every_parameter_is_signed(change: dict[str, str]):
    parcel = stand_in.question(SECRET, QUERY, MEI)
    call = Call(headers={}, raw=parcel.raw, query={**parcel.query, **change}, at=timezone.now())
    assert not tmall.verify(call, SECRET)
    assert not tmall.verify(Call(headers={}, raw=b"{}", query=parcel.query, at=timezone.now()), SECRET)


# --- questions and joins ----------------------------------------------------------------------------


@pytest.fixture
def trade(db: None) -> Trade:
    trade = Trade()
    credentials.keep(trade.tmall, SECRET)
    return trade


def ask(method: str, payload: Any) -> Any:
    answer = send(stand_in.question(SECRET, method, payload), to="tmall")
    assert answer.status_code == 200, answer.content
    return json.loads(answer.content)


def test_a_stranger_is_asked_for_joins_and_is_told_their_points(trade: Trade) -> None:
    assert ask(BIND_QUERY, MEI) == {"bind_code": "E01", "bindable": False}
    assert ask(QUERY, MEI) == {"query_code": "E01"}
    assert not Member.objects.exists(), "a question makes nobody"
    assert ask(REGISTER, MEI) == {"register_code": "SUC"}
    mei = Member.objects.get()
    assert consent.allowed(mei, "membership")
    trade.give(mei.pk, 2000)
    member = {"point": "2000", "level": "1", "nick": "", "mobile": "", "extend": "{}"}
    assert ask(QUERY, MEI) == {"query_code": "SUC", "member": member}


def test_a_join_by_hash_finds_who_enrolled_with_the_phone(trade: Trade) -> None:
    """Tmall tells the hash alone; the member is known in a store by the phone alone."""
    store = make.pos()
    (mei,) = accounts.receive(store, [buyer("mei", phone(MEI_PHONE), name="梅晓雨")], now=trade.now)
    assert ask(BIND_QUERY, MEI)["bind_code"] == "SUC"
    assert ask(BIND, MEI) == {"bind_code": "SUC"}
    account = Account.objects.get(channel=trade.tmall)
    assert (account.member_id, account.linked_by) == (mei.member_id, "mix_mobile")


def test_who_joined_by_hash_is_found_when_they_enrol_with_the_phone(trade: Trade) -> None:
    ask(REGISTER, MEI)
    (receipt,) = accounts.receive(make.pos(), [buyer("mei", phone(MEI_PHONE))], now=trade.now)
    assert not receipt.is_new_member and Member.objects.count() == 1


def test_a_phone_shared_by_another_name_is_not_joined_by_its_hash_either(trade: Trade) -> None:
    pos = make.pos()
    accounts.receive(pos, [buyer("mei", phone(MEI_PHONE), name="梅晓雨")], now=trade.now)
    (bo,) = accounts.receive(pos, [buyer("bo", phone(MEI_PHONE), name="李白")], now=trade.now)
    assert bo.is_new_member and Member.objects.count() == 2


def test_phones_that_were_known_before_the_key_are_hashed_once(db: None) -> None:
    trade = Trade()
    pos = make.pos()
    told = [buyer(f"b{n}", phone(f"+86138001380{n:02d}")) for n in range(5)]
    accounts.receive(pos, told, now=trade.now)
    assert not Identifier.objects.filter(kind="mix_mobile").exists()
    credentials.keep(trade.tmall, SECRET)
    assert phone_hashes.back_fill("main") == 5
    assert phone_hashes.back_fill("main") == 0
    assert Identifier.objects.filter(kind="mix_mobile", leads=True, scope="main").count() == 5
    ask(BIND, MEI)
    assert Account.objects.get(channel=trade.tmall).member.phone == MEI_PHONE


def test_a_brand_without_a_key_hashes_nothing(trade: Trade) -> None:
    other = channel("tmall", {**SECRET, "mix_key": ""}, code="other", brand="other")
    accounts.receive(other, [buyer("mei", phone(MEI_PHONE))], now=trade.now)
    assert list(Identifier.objects.filter(kind="mix_mobile").values_list("scope", flat=True)) == ["main"]


def test_a_join_told_again_changes_nothing(trade: Trade) -> None:
    for _ in range(10):
        assert ask(REGISTER, MEI) == {"register_code": "SUC"}
    assert (Member.objects.count(), Account.objects.count()) == (1, 1)
    assert consent.standing([Member.objects.get().pk])


def test_a_join_of_the_flight_counts_from_when_it_happened(trade: Trade) -> None:
    """11.11: Tmall takes joins by itself and tells them up to a day later, up to ten times."""
    joined = (trade.now - timedelta(hours=20)).replace(microsecond=0)
    ask(REGISTER, MEI)
    for _ in range(2):
        ask(REGISTER, stand_in.buyer(1, MIX, joined=joined))
    ask(REGISTER, stand_in.buyer(1, MIX, joined=joined + timedelta(hours=1)))
    assert Account.objects.get().joined_at == joined
    assert Member.objects.get().joined_at == joined


def test_who_leaves_is_unbound_and_may_come_back(trade: Trade) -> None:
    ask(REGISTER, MEI)
    assert ask(BIND, {**MEI, "type": 2}) == {"bind_code": "SUC"}
    assert ask(QUERY, MEI) == {"query_code": "E02"}
    ask(BIND, {**MEI, "type": "1"})
    assert ask(QUERY, MEI)["query_code"] == "SUC"
    assert ask(BIND, {**stand_in.buyer(2, MIX), "type": 2}) == {"bind_code": "E01"}


def test_the_older_contract_tells_the_phone_itself(trade: Trade) -> None:
    told = {"nick": "mei", "mobile": "13800138001", "type": 1, "ouid": "ouid1"}
    ask(BIND, told)
    assert Member.objects.get().phone == MEI_PHONE
    member = ask(QUERY, told)["member"]
    assert (member["nick"], member["mobile"]) == ("mei", "13800138001")


def test_members_of_the_brand_are_one_over_its_shops(trade: Trade) -> None:
    channel("tmall", SECRET, code="outlet")
    ask(REGISTER, MEI)
    in_outlet = stand_in.question(SECRET, BIND, {**MEI, "ouid": "another"})
    send(in_outlet, to="outlet")
    assert Member.objects.count() == 1 and Account.objects.count() == 2


@pytest.mark.parametrize("payload", [{"ouid": None, "mix_mobile": None}, {"seller_name": "another shop"}])
def test_what_names_nobody_or_another_shop_is_refused(trade: Trade, payload: Any) -> None:
    told = {**MEI, "open_id": None, "omid": None, **payload} if "ouid" in payload else {**MEI, **payload}
    assert ask(REGISTER, told) == {"register_code": "E05"}
    assert not Member.objects.exists()


def test_what_is_wrong_with_us_is_said_to_be_passing(trade: Trade, monkeypatch: Any) -> None:
    monkeypatch.setattr(member_link, "join", lambda *args, **more: 1 / 0)
    assert ask(REGISTER, MEI) == {"register_code": "E04"}


def test_a_query_costs_a_few_looks_along_an_index(trade: Trade) -> None:
    ask(REGISTER, MEI)
    ask(QUERY, MEI)
    with CaptureQueriesContext(connection) as asked:
        ask(QUERY, MEI)
    statements = [query["sql"] for query in asked if "SAVEPOINT" not in query["sql"]]
    assert len(statements) <= 8, "\n".join(statements)


def test_an_old_member_is_activated(trade: Trade) -> None:
    answer = ask("qimen.alibaba.member.activate", MEI)
    assert answer["response"] == {"flag": "success", "code": "SUC", "message": ""}
    assert Account.objects.count() == 1


# --- exchanges of points ----------------------------------------------------------------------------


@pytest.fixture
def gateway(trade: Trade) -> Iterator[stand_in.Gateway]:
    gateway = stand_in.Gateway(SECRET)
    server = gateway.serve()
    credentials.keep(trade.tmall, {"address": f"http://127.0.0.1:{server.server_port}/router/rest"})
    yield gateway
    server.shutdown()
    server.server_close()


def exchange(record: int, points: int, who: Any = MEI) -> list[tuple[str, str]]:
    told = stand_in.message(SECRET, "tmall_mei_PointChange", stand_in.point_change(record, who, points))
    return tell(told, to="tmall")


def call() -> list[str]:
    """Make the calls that are due; their states."""
    for pk in PlatformCall.objects.order_by("pk").values_list("pk", flat=True):
        platform_calls.send(pk)
    return list(PlatformCall.objects.order_by("pk").values_list("state", flat=True))


def test_an_exchange_moves_points_once_and_is_answered_once(trade: Trade, gateway: stand_in.Gateway) -> None:
    ask(REGISTER, MEI)
    mei = Member.objects.get().pk
    trade.give(mei, 300)
    assert exchange(90000001, -200) == [("done", "changed")]
    assert exchange(90000001, -200) == [], "the queue repeats until it is confirmed"
    assert InboxDelivery.objects.get().repeats == 1
    assert trade.available(mei) == 100
    assert call() == ["sent"] and call() == ["sent"]
    (answer,) = gateway.taken
    assert (answer["record_id"], answer["result"], answer["mix_mobile"]) == (
        "90000001",
        "0",
        MEI["mix_mobile"],
    )
    assert gateway.answers == {"90000001": 1} and gateway.forged == 0
    assert exchange(90000002, 200) == [("done", "changed")]
    assert trade.available(mei) == 300
    assert proven()


def test_an_exchange_that_is_worked_on_again_moves_nothing(trade: Trade, gateway: stand_in.Gateway) -> None:
    ask(REGISTER, MEI)
    mei = Member.objects.get().pk
    trade.give(mei, 300)
    exchange(1, -200)
    InboxDelivery.objects.update(state="waiting", processed_at=None)
    assert tell(stand_in.message(SECRET, "other", {}), to="tmall") == [
        ("done", "same"),
        ("ignored", "topic_not_used"),
    ]
    assert trade.available(mei) == 100 and PlatformCall.objects.count() == 1


@pytest.mark.parametrize(
    ("who", "error"), [(MEI, "POINT_NOT_ENOUGH"), (stand_in.buyer(2, MIX), "MEMBER_NOT_EXIST")]
)
def test_an_exchange_that_cannot_be_is_answered_so(
    trade: Trade, gateway: stand_in.Gateway, who: Any, error: str
) -> None:
    ask(REGISTER, MEI)
    mei = Member.objects.get().pk
    trade.give(mei, 100)
    assert exchange(1, -200, who) == [("done", "refused")]
    assert call() == ["sent"]
    (answer,) = gateway.taken
    assert (answer["result"], answer["error_code"]) == ("1", error)
    assert trade.available(mei) == 100
    trade.give(mei, 200, cause="later")
    assert exchange(1, -200, who) == [], "what was answered stays so"
    assert trade.available(mei) == 300


def test_an_answer_that_is_not_taken_is_sent_again_until_it_is(
    trade: Trade, gateway: stand_in.Gateway
) -> None:
    ask(REGISTER, MEI)
    trade.give(Member.objects.get().pk, 300)
    exchange(1, -200)
    gateway.refuse = 2
    assert [call(), call(), call()] == [["waiting"], ["waiting"], ["sent"]]
    row = PlatformCall.objects.get()
    assert (row.attempts, row.error_code, row.arguments) == (3, "", None)
    assert gateway.answers == {"1": 1}


def test_an_answer_that_will_never_be_taken_waits_for_a_person(
    trade: Trade, gateway: stand_in.Gateway
) -> None:
    credentials.keep(trade.tmall, {"app_secret": "not what Tmall knows", "address": _address(trade.tmall)})
    platform_calls.ask(trade.tmall, tmall.CALL_BACK, "1", {"record_id": "1"})
    assert call() == ["failed"] and gateway.forged == 1
    assert PlatformCall.objects.get().error_code == "isv.invalid-signature"
    credentials.keep(trade.tmall, {"app_secret": SECRET["app_secret"]})
    platform_calls.again(PlatformCall.objects.get().pk)
    assert call() == ["sent"]


def _address(channel: Channel) -> str:
    return credentials.of(channel)["address"]


# --- balances ---------------------------------------------------------------------------------------


def test_balances_are_told_when_they_change_and_the_later_holds(
    trade: Trade, gateway: stand_in.Gateway
) -> None:
    ask(REGISTER, MEI)
    mei = Member.objects.get().pk
    assert telling.tell(trade.tmall) == 0, "it begins with the present"
    told = [member_link.tell_balances(trade.tmall, {mei: f"points:{n}"}) for n in range(2)]
    trade.give(mei, 500)
    member_link.tell_balances(trade.tmall, {mei: "points:3"})
    assert told == [1, 1]
    calls = PlatformCall.objects.order_by("-pk")  # the last is heard first
    for pk in calls.values_list("pk", flat=True):
        platform_calls.send(pk)
    assert gateway.balances == {"ouid1": {"point": "500", "level": "1"}}
    assert len(gateway.taken) == 3
    assert member_link.tell_balances(trade.tmall, {mei: "points:3"}) == 1
    assert PlatformCall.objects.count() == 3, "one call for each change"


def test_a_late_join_that_names_nobody_is_noted_and_no_more(trade: Trade) -> None:
    told = stand_in.message(SECRET, "tmall_mei_MemberRegister", {"record_id": 5, "seller_id": 1})
    assert tell(told, to="tmall") == [("ignored", "nobody_named")]
    joined = datetime(2026, 6, 1, tzinfo=UTC)
    named = {"record_id": 6, **stand_in.buyer(1, MIX, joined=joined)}
    assert tell(stand_in.message(SECRET, "tmall_mei_MemberRegister", named), to="tmall") == [("done", "new")]
    assert Member.objects.get().joined_at == joined
