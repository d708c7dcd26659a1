"""Webhook endpoints by API: made, shown without their secret, edited, rotated, replayed, removed."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from members import addresses, sending
from members.models import Channel, Topic, WebhookDelivery, WebhookEndpoint
from tests.api import Api
from tests.receiver import Receiver, listen, states, tell

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("everything_is_final")]

PATH = "/webhook-endpoints/"


@pytest.fixture
def api(tmall: Channel) -> Api:
    return Api(tmall)


def made(api: Api, receiver: Receiver, *topics: str) -> dict[str, Any]:
    answer = api.post(PATH, {"url": receiver.url, "topics": list(topics)})
    assert answer.status == 201, answer.body
    body: dict[str, Any] = answer.body
    return body


def test_an_endpoint_is_made_and_its_secret_shown_once(api: Api, receiver: Receiver) -> None:
    body = made(api, receiver, "tier.changed", "points.changed")
    assert body["secret"].startswith("whsec_") and body["state"] == "working"
    assert body["topics"] == ["points.changed", "tier.changed"]
    one = api.get(f"{PATH}{body['id']}/").body
    assert (one["waiting"], one["dead"], one["oldest_at"]) == (0, 0, None)
    for answer in (one, api.get(PATH).body["webhook_endpoints"][0]):
        assert body["secret"] not in str(answer) and "secret" not in answer
    row = WebhookEndpoint.objects.get()
    assert row.secret == body["secret"]
    assert made(api, Receiver(port=1), *Topic.values)["topics"] == [], "all of them is none in particular"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "api.invalid"),
        ({"url": 5}, "api.invalid"),
        ({"url": "http://127.0.0.1/", "topics": ["points"]}, "api.invalid"),
        ({"url": "http://127.0.0.1/", "topics": "points.changed"}, "api.invalid"),
        ({"url": "http://10.0.0.1/"}, "members.webhook_address_refused"),
        ({"url": "https://169.254.169.254/"}, "members.webhook_address_refused"),
        ({"url": "https://shop.example.com/hook"}, "members.webhook_address_unresolved"),
    ],
)
def test_what_cannot_be_an_endpoint_is_refused_when_it_is_made_and_when_it_is_edited(
    api: Api,
    receiver: Receiver,
    body: dict[str, Any],
    code: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def nobody_knows(*asked: object, **how: object) -> list[Any]:
        raise OSError

    monkeypatch.setattr(addresses.socket, "getaddrinfo", nobody_knows)
    assert api.post(PATH, body).code == code
    assert not WebhookEndpoint.objects.exists()
    if body:
        one = made(api, receiver)
        assert api.call("PATCH", f"{PATH}{one['id']}/", body).code == code
        assert WebhookEndpoint.objects.get().url == receiver.url


def test_production_wants_https(api: Api, receiver: Receiver, settings: Any) -> None:
    settings.IS_DEMO = False
    assert api.post(PATH, {"url": receiver.url}).code == "members.webhook_address_refused"


def test_one_url_is_one_endpoint_and_twenty_are_enough(api: Api, receiver: Receiver) -> None:
    first = made(api, receiver)
    assert api.post(PATH, {"url": receiver.url}).code == "members.webhook_endpoint_taken"
    for number in range(19):
        made(api, Receiver(port=number + 1))
    assert api.post(PATH, {"url": f"{receiver.url}/20"}).code == "members.webhook_endpoints_too_many"
    assert api.delete(f"{PATH}{first['id']}/").status == 204
    assert made(api, receiver)["id"] != first["id"]


def test_a_channel_has_only_its_own_and_a_key_needs_the_scope(
    api: Api,
    receiver: Receiver,
    wechat: Channel,
) -> None:
    one = made(api, receiver)
    for method, path in (
        ("GET", ""),
        ("PATCH", ""),
        ("DELETE", ""),
        ("POST", "enable/"),
        ("POST", "rotate/"),
        ("POST", "replay/"),
        ("GET", "deliveries/"),
    ):
        body = {"id": 1} if method in ("PATCH", "POST") else None
        stranger = Api(wechat).call(method, f"{PATH}{one['id']}/{path}", body)
        assert stranger.code == "members.webhook_endpoint_unknown"
        assert Api(wechat, scopes=["points"]).call(method, f"{PATH}1/{path}", body).code == "api.forbidden"
    assert Api(wechat).get(PATH).body == {"webhook_endpoints": []}


def test_it_is_switched_off_and_on(api: Api, receiver: Receiver, tmall: Channel) -> None:
    one = made(api, receiver)
    WebhookEndpoint.objects.update(read_xid=0, read_id=0)
    off = api.call("PATCH", f"{PATH}{one['id']}/", {"enabled": False}).body
    assert (off["state"], off["disabled_why"]) == ("disabled", "asked")
    tell(tmall, 2)
    assert sending.round_() == 0
    assert api.get(f"{PATH}{one['id']}/").body["waiting"] == 2
    assert api.post(f"{PATH}{one['id']}/enable/").body["state"] == "working"
    assert sending.round_() == 2


def test_a_rotation_shows_a_new_secret(api: Api, receiver: Receiver) -> None:
    one = made(api, receiver)
    new = api.post(f"{PATH}{one['id']}/rotate/").body
    assert new["secret"] != one["secret"] and new["previous_secret_until"] is not None


# --- dead letters and replays ----------------------------------------------------------------------------


@pytest.fixture
def given_up(api: Api, receiver: Receiver, tmall: Channel) -> WebhookEndpoint:
    """An endpoint with ten messages, the first five of them dead letters."""
    endpoint = listen(tmall, receiver).endpoint
    tell(tmall, 10)
    sending.round_()
    dead = WebhookDelivery.objects.order_by("id")[:5].values("id")
    WebhookDelivery.objects.filter(id__in=dead).update(state="dead", tries=10, problem="status", status=500)
    receiver.got.clear()
    return endpoint


def test_dead_letters_are_listed_page_by_page(api: Api, given_up: WebhookEndpoint) -> None:
    path, found = f"{PATH}{given_up.pk}/deliveries/?limit=2", []
    while path:
        page = api.get(path).body
        found += page["deliveries"]
        path = (page["next"] or "").partition("/api/v1")[2]
    assert [letter["change"] for letter in found] == ["o:4", "o:3", "o:2", "o:1", "o:0"]
    assert (found[0]["problem"], found[0]["status"], found[0]["failed_tries"]) == ("status", 500, 10)
    assert len(api.get(f"{PATH}{given_up.pk}/deliveries/?state=delivered").body["deliveries"]) == 5
    assert api.get(f"{PATH}{given_up.pk}/deliveries/?state=lost").code == "api.invalid"


def test_one_or_a_range_is_sent_again_under_the_id_that_it_had(
    api: Api,
    given_up: WebhookEndpoint,
    receiver: Receiver,
) -> None:
    ids = list(given_up.deliveries.order_by("id").values_list("event_id", flat=True))
    path = f"{PATH}{given_up.pk}/replay/"
    assert api.post(path, {"id": ids[0]}).body == {"replayed": 1}
    assert api.post(path, {"id": ids[0]}).body == {"replayed": 0}, "it is on its way already"
    assert api.post(path, {"id": ids[9]}).body == {"replayed": 0}, "it was delivered"
    assert api.post(path, {"from": ids[1], "to": ids[2]}).body == {"replayed": 2}
    hour = timedelta(hours=1)
    since, until = (timezone.now() - hour).isoformat(), (timezone.now() + hour).isoformat()
    assert api.post(path, {"since": since, "until": since[:-6] + "+00:00"}).code == "api.invalid"
    assert api.post(path, {"since": since, "until": until}).body == {"replayed": 2}
    assert api.post(path, {"from": ids[8], "delivered": True}).body == {"replayed": 2}
    sending.round_()
    again = [f"evt_{id_}" for id_ in (*ids[:5], *ids[8:])]
    assert sorted(receiver.ids) == sorted(again)
    assert set(states()) == {"delivered"}


@pytest.mark.parametrize(
    "body", [{}, {"to": 5}, {"id": 1, "from": 2}, {"from": 5, "to": 4}, {"id": "1"}, {"until": "now"}]
)
def test_a_replay_says_what(api: Api, given_up: WebhookEndpoint, body: dict[str, Any]) -> None:
    assert api.post(f"{PATH}{given_up.pk}/replay/", body).code == "api.invalid"
    assert states().count("waiting") == 0


def test_misspelt_fields_of_an_endpoint_do_not_go_unnoticed(api: Api, receiver: Receiver) -> None:
    asked = api.post(PATH, {"url": receiver.url, "topic": ["points.changed"]})
    assert (asked.status, asked.body["ignored"], asked.body["topics"]) == (201, ["topic"], [])
    path = f"{PATH}{asked.body['id']}/"
    edited = api.call("PATCH", path, {"enable": False})
    assert (edited.status, edited.body["ignored"], edited.body["state"]) == (200, ["enable"], "working")
    replayed = api.post(f"{path}replay/", {"id": 1, "only_dead": True})
    assert replayed.body == {"replayed": 0, "ignored": ["only_dead"]}
    assert "ignored" not in api.call("PATCH", path, {"enabled": True}).body
