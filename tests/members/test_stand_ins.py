"""The stand-ins over real HTTP: what they do badly changes nothing, and what they are owed they get."""

from collections.abc import Callable
from io import StringIO
from random import Random
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from members import channels, credentials, platform_calls, telling
from members.models import InboxDelivery, Member, Order, PlatformCall
from members.stand_ins import courier, tmall
from members.stand_ins.courier import Errand, Mischief
from members.stand_ins.parcel import Parcel
from members.stand_ins.registry import STAND_INS
from tests.platforms import channel, send, work
from tests.trade import Trade

WELL = Mischief(twice=0, overtaken=0, stale=0, forged=0)
BADLY = Mischief(twice=0.4, overtaken=0.4, stale=0.3, forged=0.3)


def straight(url: str, parcel: Parcel) -> tuple[int, bytes]:
    """Through the door without a network."""
    answer = send(parcel, to=url)
    return answer.status_code, answer.content


@pytest.mark.parametrize("platform", ["shopify", "woocommerce", "youzan", "douyin"])
def test_told_badly_a_story_ends_as_told_well(db: None, platform: str) -> None:
    Trade()
    stand_in = STAND_INS[platform]
    found = []
    for code, mischief in (("well", WELL), ("badly", BADLY)):
        shop = channel(platform, stand_in.credentials, code=code, brand=code)
        errands = courier.plan(stand_in.story(stand_in.credentials, 5, 0), mischief, Random(1))
        tally = courier.deliver(stand_in, errands, code, post=straight)
        assert (tally.given_up, tally.forged_taken) == (0, 0)
        work()
        InboxDelivery.objects.filter(state="failed", error_code="members.order_unknown").update(
            state="waiting", processed_at=None, attempts=0
        )
        work()
        assert not InboxDelivery.objects.filter(state__in=["failed", "parked", "waiting"]).exists()
        rows = Order.objects.filter(channel=shop).order_by("number")
        refunded = rows.values_list("number", "status", "goods", "refunded_goods", "member__phone")
        found.append(list(refunded))
    assert found[0] and found[0] == found[1]
    assert tally.forged_refused and InboxDelivery.objects.filter(repeats__gt=0).exists()


def test_what_is_not_acknowledged_is_sent_again_as_often_as_the_platform_does() -> None:
    stand_in = STAND_INS["youzan"]
    answers = iter([(0, b""), (500, b""), (200, b"ok"), (200, b'{"code":0,"msg":"success"}')])
    (parcel, *_) = stand_in.story(stand_in.credentials, 1, 0)
    tally = courier.deliver(stand_in, [Errand(parcel)], "", post=lambda url, parcel: next(answers))
    assert (tally.taken, tally.repeated) == (1, 3)
    tally = courier.deliver(stand_in, [Errand(parcel)], "", post=lambda url, parcel: (503, b""))
    assert (tally.given_up, tally.repeated) == (1, len(stand_in.pauses))


@pytest.mark.django_db(transaction=True)
def test_the_command_tells_a_story_over_http(live_server: Any) -> None:
    Trade()
    written = StringIO()
    options = {"channel": "shop", "to": live_server.url, "count": 3, "prepare": True, "scale": 0.0}
    call_command("stand_in", "shopify", **options, stdout=written)
    assert "given up 0" in written.getvalue()
    assert {state for state, _ in work()} == {"done"}
    assert Order.objects.count() == 3


@pytest.mark.django_db(transaction=True)
def test_tmall_hears_answers_and_balances_over_http(live_server: Any) -> None:
    """The whole round: joins, an exchange, its answer, and then the balance by the outbox."""
    trade = Trade()
    stand_in = STAND_INS["tmall"]
    gateway = tmall.Gateway(stand_in.credentials)
    server = gateway.serve()
    address = f"http://127.0.0.1:{server.server_port}/router/rest"
    credentials.keep(trade.tmall, {**stand_in.credentials, "address": address})
    assert telling.tell_all() == 0
    parcels = stand_in.story(stand_in.credentials, 1, 0)
    url = f"{live_server.url}/api/v1/hooks/tmall/"
    courier.deliver(stand_in, [Errand(parcel) for parcel in parcels[:3]], url)
    trade.give(Member.objects.get().pk, 50)
    courier.deliver(stand_in, [Errand(parcels[3])], url)
    work()
    assert telling.tell_all() == 1
    assert telling.tell_all() == 0
    _each(PlatformCall, platform_calls.send)
    server.shutdown()
    server.server_close()
    assert gateway.answers == {"0": 1} and gateway.forged == 0
    assert gateway.balances == {"ouid0": {"point": "40", "level": "1"}}


def _each(model: Any, act: Callable[[int], None]) -> None:
    for pk in model.objects.order_by("pk").values_list("pk", flat=True):
        act(pk)


def test_made_up_credentials_are_for_the_demo_only(db: None, settings: Any) -> None:
    settings.IS_DEMO = False
    with pytest.raises(CommandError, match="demo"):
        call_command("stand_in", "shopify", channel="shop", prepare=True, count=0)


def test_credentials_come_by_the_standard_input_and_are_never_shown(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = channels.make("shop", "youzan")
    monkeypatch.setattr("sys.stdin", StringIO("# from the console of the platform\nclient_id = yz-1\n\n"))
    written = StringIO()
    call_command("channel_credentials", "shop", stdout=written)
    assert credentials.of(shop) == {"client_id": "yz-1"}
    assert "client_id: since" in written.getvalue() and "client_secret: not set" in written.getvalue()
    assert "yz-1" not in written.getvalue()
    for wrong in ("client_id", "mix_key=1"):
        monkeypatch.setattr("sys.stdin", StringIO(wrong))
        with pytest.raises(CommandError):
            call_command("channel_credentials", "shop", stdout=StringIO())
