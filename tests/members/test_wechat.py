"""One-tap enrolment against a WeChat of our own that speaks as the real one does (A8)."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from members import channels, credentials
from members.models import Channel, Enrolment, Identifier, Member, PlatformToken
from members.stand_ins.wechat import Server, User, Wechat
from tests.api import Answer, Api
from tests.trade import Trade, buyer, phone

LIN = User(openid="o-lin", phone="13700137001", unionid="u-lin")


@pytest.fixture
def wechat() -> Iterator[Wechat]:
    with Server(Wechat()) as server:
        server.wechat.address = server.address  # type: ignore[attr-defined]
        yield server.wechat


@pytest.fixture
def trade(db: None) -> Trade:
    return Trade(sections={"activities": {"enrolment": {"points": 100}}})


@pytest.fixture
def shop(trade: Trade, wechat: Any) -> Channel:
    channel = channels.make("mini", "wechat")
    known = {"app_id": wechat.app_id, "app_secret": wechat.secret, "address": wechat.address}
    credentials.keep(channel, known)
    return channel


def tap(shop: Channel, wechat: Wechat, user: User = LIN, **codes: str) -> Answer:
    given = {"login_code": wechat.login(user), "phone_code": wechat.phone(user)} | codes
    return Api(shop).post("/enrolments/", {"wechat": given, "notices": {"agreement": "1.0"}})


def test_one_tap_is_a_member_in_one_step(shop: Channel, wechat: Wechat) -> None:
    answer = tap(shop, wechat)
    assert (answer.status, answer.body["points"]["available"]) == (201, 100)
    keys = Identifier.objects.order_by("kind").values_list("kind", "verified", "leads")
    assert list(keys) == [("openid", False, True), ("phone", True, True), ("unionid", False, True)]
    assert Member.objects.get().phone == "+8613700137001"
    enrolment = Enrolment.objects.get()
    assert (enrolment.origin, enrolment.state, enrolment.phone) == ("wechat", "confirmed", None)
    again = tap(shop, wechat)
    assert (again.status, again.body["member_no"]) == (200, answer.body["member_no"])
    assert wechat.asked.count("/cgi-bin/stable_token") == 1


def test_without_a_unionid_the_phone_leads(trade: Trade, shop: Channel, wechat: Wechat) -> None:
    mei = trade.buy("T1", "500", buyer("mei", phone("+8613800138001"))).member_id
    answer = tap(shop, wechat, User(openid="o-mei", phone="13800138001"))
    assert (answer.status, answer.body["matched_by"]) == (200, "phone_verified")
    assert Member.objects.get().pk == mei


@pytest.mark.parametrize("numeric", [True, False])
def test_the_country_is_a_number_or_a_text(shop: Channel, wechat: Wechat, numeric: bool) -> None:
    wechat.numeric_country = numeric
    assert tap(shop, wechat, User(openid="o-abroad", phone="91234567", country="65")).status == 201
    assert Member.objects.get().phone == "+6591234567"


def test_codes_are_good_once_and_for_five_minutes(shop: Channel, wechat: Wechat) -> None:
    login = wechat.login(LIN)
    assert tap(shop, wechat, login_code=login).status == 201
    assert tap(shop, wechat, login_code=login).code == "members.wechat_code_invalid"
    late, at = wechat.phone(LIN), wechat.now()
    wechat.now = lambda: at + 301
    assert tap(shop, wechat, phone_code=late).code == "members.wechat_code_invalid"


def test_two_codes_of_two_people_are_refused(shop: Channel, wechat: Wechat) -> None:
    other = wechat.phone(User(openid="o-other", phone="13800138001"))
    assert tap(shop, wechat, phone_code=other).code == "members.wechat_code_invalid"
    assert not Member.objects.exists() and not Enrolment.objects.exists()


def test_a_blocked_user_and_too_many_requests(shop: Channel, wechat: Wechat) -> None:
    blocked = tap(shop, wechat, User(openid="o-bad", phone="13700137001", is_blocked=True))
    assert (blocked.status, blocked.code) == (403, "members.wechat_blocked")
    wechat.per_minute = 0
    busy = tap(shop, wechat)
    assert (busy.status, busy.code, busy.headers["Retry-After"]) == (429, "members.wechat_busy", "60")


def test_a_token_that_ended_early_is_fetched_again(shop: Channel, wechat: Wechat) -> None:
    assert tap(shop, wechat).status == 201
    wechat.end_tokens()
    assert tap(shop, wechat).status == 200
    PlatformToken.objects.update(expires_at=timezone.now())
    assert tap(shop, wechat).status == 200
    assert wechat.asked.count("/cgi-bin/stable_token") == 3


def test_a_wrong_secret_is_the_channel_s_fault(shop: Channel, wechat: Wechat) -> None:
    credentials.keep(shop, {"app_secret": "another"})
    refused = tap(shop, wechat)
    assert (refused.status, refused.code) == (409, "members.wechat_refused")
    assert "40125" in refused.body["detail"]


def test_a_phone_of_another_app_is_not_taken(shop: Channel, wechat: Wechat) -> None:
    real = wechat.answer

    def another(method: str, path: str, query: dict[str, str], body: dict[str, Any]) -> Any:
        told = real(method, path, query, body)
        if told and "phone_info" in told:
            told["phone_info"]["watermark"]["appid"] = "wx-of-somebody-else"
        return told

    wechat.answer = another  # type: ignore[method-assign]
    assert tap(shop, wechat).code == "members.wechat_refused"


def test_a_wechat_that_is_away_is_told_and_changes_nothing(shop: Channel, wechat: Wechat) -> None:
    credentials.keep(shop, {"address": "http://127.0.0.1:9"})
    away = tap(shop, wechat)
    assert (away.status, away.code) == (503, "members.wechat_away")
    assert not Enrolment.objects.exists()


def test_secrets_are_in_no_log_and_lie_sealed(shop: Channel, wechat: Wechat, caplog: Any) -> None:
    caplog.set_level("INFO", logger="members")
    tap(shop, wechat)
    token = next(iter(wechat.tokens))
    said = " ".join(record.getMessage() for record in caplog.records)
    assert wechat.secret not in said and token not in said and LIN.phone not in said
    with connection.cursor() as cursor:
        cursor.execute("SELECT value FROM members_platformtoken")
        assert token.encode() not in bytes(cursor.fetchone()[0])
    assert PlatformToken.objects.get().value == token
