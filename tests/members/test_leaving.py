"""Accounts that we end ourselves: once, on record, and told to the platform until it has done the same."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from members import changes, columns, credentials, leaving, member_link, merging, platform_calls, telling
from members.connectors import tmall
from members.errors import AccountNotFound
from members.models import Account, Member, OutboxEvent, PlatformCall, Unbinding
from members.stand_ins import tmall as stand_in
from privacy import roles
from privacy.errors import ReasonMissing
from tests.api import Api
from tests.trade import Trade, buyer, phone, proven

SECRET = stand_in.STAND_IN.credentials
MEI = stand_in.buyer(1, SECRET["mix_key"])
WHY = "She asked for it by phone"


@pytest.fixture
def trade(db: None) -> Trade:
    return Trade()


@pytest.fixture
def gateway(trade: Trade) -> Iterator[stand_in.Gateway]:
    gateway = stand_in.Gateway(SECRET)
    server = gateway.serve()
    credentials.keep(trade.tmall, {**SECRET, "address": f"http://127.0.0.1:{server.server_port}/"})
    yield gateway
    server.shutdown()
    server.server_close()


@pytest.fixture
def mei(trade: Trade) -> Member:
    """Mei, who joined at Tmall, has an account of the app too, and 300 points."""
    join(trade)
    member = Member.objects.get()
    trade.give(member.pk, 300)
    return member


def join(trade: Trade) -> None:
    member_link.join(trade.tmall, tmall.read_buyer(tmall.Document(MEI)), now=timezone.now())


def staff(role: str = "service") -> Any:
    return roles.User.objects.filter(username=role).first() or roles.make_staff(role, role)[0]


def end(member: Member, **more: Any) -> leaving.Left:
    account = Account.objects.get(member=member)
    asked = {"actor_id": staff().pk, "reason": WHY, "now": timezone.now(), **more}
    return leaving.end(member.pk, account.pk, **asked)


def call() -> list[tuple[str, str]]:
    for pk in PlatformCall.objects.order_by("pk").values_list("pk", flat=True):
        platform_calls.send(pk)
    return list(PlatformCall.objects.order_by("pk").values_list("state", "error_code"))


def test_an_account_is_ended_once_says_who_and_why_and_keeps_all_that_is_the_members(
    trade: Trade, gateway: stand_in.Gateway, mei: Member
) -> None:
    (first, again) = (end(mei), end(mei, reason="And once more"))
    assert (first.ended, first.told, again.ended, again.told) == (1, 1, 0, 0)
    row = Unbinding.objects.get()
    assert (row.actor.username, row.reason, row.member) == ("service", WHY, mei)
    assert Account.objects.get().unbound_at and trade.available(mei.pk) == 300
    assert call() == [("sent", "")] and call() == [("sent", "")]
    assert gateway.taken_out == {"ouid1": 1} and gateway.forged == 0
    (told,) = gateway.taken
    assert told["method"] == "tmall.crm.member.front.unbind.privy" and "ouid" in told and "mobile" not in told
    assert proven()


def test_a_platform_that_is_away_is_told_until_it_takes_it(
    trade: Trade, gateway: stand_in.Gateway, mei: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    end(mei)
    gateway.refuse = 1
    assert call() == [("waiting", "isp.busy")]
    unsuccessful = {"tmall_crm_member_front_unbind_privy_response": {"result_success": False}}
    with monkeypatch.context() as patch:
        patch.setattr(gateway, "hear", lambda params: unsuccessful)
        assert call() == [("waiting", "not_successful")]
    assert call() == [("sent", "")] and gateway.taken_out == {"ouid1": 1}


def test_who_joins_again_meanwhile_is_not_thrown_out(
    trade: Trade, gateway: stand_in.Gateway, mei: Member
) -> None:
    end(mei)
    gateway.refuse = 1
    call()
    join(trade)
    assert Account.objects.get().unbound_at is None
    assert call() == [("failed", "members.bound_again")] and not gateway.taken_out
    end(mei, reason="Left a second time")
    assert call()[1] == ("sent", "") and gateway.taken_out == {"ouid1": 1}
    assert Unbinding.objects.count() == 2


def test_the_balance_of_who_was_ended_is_told_no_more_and_tmalls_own_word_is_not_told_back(
    trade: Trade, gateway: stand_in.Gateway, mei: Member
) -> None:
    telling.tell(trade.tmall)
    end(mei)
    trade.give(mei.pk, 5, cause="later")
    assert telling.tell(trade.tmall) == 0
    join(trade)
    bound = PlatformCall.objects.count()
    member_link._unbind(trade.tmall, tmall.read_buyer(tmall.Document(MEI)), timezone.now())
    assert Account.objects.get().unbound_at and PlatformCall.objects.count() == bound
    assert Unbinding.objects.count() == 1


def test_where_no_platform_is_called_it_is_ended_all_the_same_and_its_channel_alone_is_told(
    trade: Trade, mei: Member
) -> None:
    assert end(mei).told == 0 and not PlatformCall.objects.exists()
    told = OutboxEvent.objects.get(topic="member.updated", payload__unbound=True)
    assert told.payload == {"member_no": mei.number, "unbound": True}
    for channel, count in ((trade.tmall, 1), (trade.app, 0)):
        heard = "SELECT s.id FROM members_outboxevent s WHERE s.id = %s AND " + changes.concerns("%s")
        assert len(columns.ask(heard, [told.pk, channel.pk, channel.pk, channel.pk])) == count


def test_a_merged_members_account_is_ended_by_their_one_number_and_no_strangers(
    trade: Trade, mei: Member
) -> None:
    account = Account.objects.get()
    bo_id = trade.buy("T1", "10", buyer("bo", phone("+8613900139002"))).member_id or 0
    bo = Member.objects.get(pk=bo_id)
    with pytest.raises(AccountNotFound):
        leaving.account_of(bo.pk, account.pk)
    with pytest.raises(ReasonMissing):
        end(mei, reason="  no  ")
    merging.merge(bo.pk, mei.pk, actor_id=None, reason="Same person")
    bo_account = Account.objects.exclude(pk=account.pk).get()
    left = leaving.end_all(bo.pk, account.channel, actor_id=staff().pk, reason=WHY, now=timezone.now())
    assert left.ended == (2 if bo_account.channel_id == account.channel_id else 1)


# --- by API and at the page -------------------------------------------------------------------------


@pytest.mark.parametrize(("role", "status"), [("service", 200), ("privacy", 200), ("marketing", 403)])
def test_staff_whose_role_may_end_all_accounts_of_a_channel_by_api(
    trade: Trade, gateway: stand_in.Gateway, mei: Member, role: str, status: int
) -> None:
    path = f"/members/{mei.number}/unbind/"
    asked = {"channel": "tmall", "reason": WHY, "more": 1}
    answer = Api(staff(role)).post(path, asked)
    assert answer.status == status
    assert bool(Account.objects.get().unbound_at) == (status == 200)
    if status == 200:
        assert answer.body == {
            "member_no": mei.number,
            "channel": "tmall",
            "unbound": 1,
            "told": 1,
            "ignored": ["more"],
        }
        assert Api(staff(role)).post(path, asked).body["unbound"] == 0
        assert Api(staff(role)).post(path, asked | {"channel": "app"}).status == 404
        assert Api(staff(role)).post(path, {"channel": "tmall"}).code == "api.invalid"
    assert Api(trade.tmall).post(path, asked).status == 403, "a channel's key speaks for its own buyers alone"


def test_the_page_says_what_will_be_asks_why_and_the_time_line_keeps_it(
    trade: Trade, gateway: stand_in.Gateway, mei: Member
) -> None:
    client = Client(headers={"accept-language": "en"})
    client.force_login(staff())
    account = Account.objects.get()
    page = reverse("member:unbind", args=[mei.number, account.pk])
    shown = client.get(reverse("member:show", args=[mei.number])).content.decode()
    assert page in shown
    asked = client.get(page).content.decode()
    assert "The platform is told" in asked and "ouid1" not in asked
    assert client.post(page, {"reason": "no"}).status_code == 422
    assert Account.objects.get().unbound_at is None
    client.post(page, {"reason": WHY})
    shown = client.get(reverse("member:show", args=[mei.number])).content.decode()
    assert "The platform is being told" in shown and "Unbound by us" in shown and WHY in shown
    assert page not in shown
    assert "unbound already" in client.get(page).content.decode()
    assert client.get(reverse("member:unbind", args=[mei.number, account.pk + 1])).status_code == 404
    client.force_login(staff("marketing"))
    assert client.get(page).status_code == 403
    shown = client.get(reverse("member:show", args=[mei.number])).content.decode()
    assert "Unbound by us" in shown and page not in shown


def test_of_two_who_end_it_at_once_one_did(
    trade: Trade, mei: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second has looked before the first has written."""
    looked = Account.objects.select_related("channel").get()
    assert end(mei).ended == 1
    monkeypatch.setattr(leaving, "account_of", lambda member_id, account_id: looked)
    later = timezone.now() + timedelta(hours=1)
    assert end(mei, now=later).ended == 0 and Unbinding.objects.count() == 1
