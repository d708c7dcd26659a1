"""Channel health and dead letters in the console: who sees them, what they show, what they do."""

from datetime import timedelta

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from members import channels, sending
from members.models import Channel, WebhookDelivery, WebhookEndpoint
from privacy import roles
from tests.receiver import Receiver, listen, receiving, states, tell

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("everything_is_final")]

SEES = {"service", "marketing", "privacy", "admin", "auditor"}


def signed_in(role: str) -> Client:
    user, _password = roles.make_staff(role, role)
    client = Client(headers={"accept-language": "en"})
    client.force_login(user)
    return client


@pytest.fixture
def admin(db: None) -> Client:
    return signed_in("admin")


@pytest.fixture
def given_up(tmall: Channel, receiver: Receiver) -> WebhookEndpoint:
    """An endpoint with six messages: three were delivered, three are dead letters."""
    endpoint = listen(tmall, receiver).endpoint
    tell(tmall, 6)
    sending.round_()
    dead = WebhookDelivery.objects.order_by("id")[:3].values("id")
    WebhookDelivery.objects.filter(id__in=dead).update(state="dead", problem="status", status=503)
    receiver.got.clear()
    return endpoint


@pytest.mark.parametrize("role", ["service", "marketing", "finance", "privacy", "admin", "auditor"])
def test_who_may_see_does_and_only_an_admin_changes_anything(role: str, given_up: WebhookEndpoint) -> None:
    client, one = signed_in(role), [given_up.pk]
    for page in (
        reverse("channels:health"),
        reverse("channels:endpoint", args=one),
        reverse("channels:dead-letters"),
    ):
        assert client.get(page).status_code == (200 if role in SEES else 403), page
    if role == "admin":
        return
    before = WebhookEndpoint.objects.values().get()
    assert client.get(reverse("channels:make")).status_code == 403
    for action in ("enable", "disable", "rotate", "remove", "endpoint"):
        assert client.post(reverse(f"channels:{action}", args=one), {"url": "x"}).status_code == 403
    answer = client.post(reverse("channels:replay"), {"endpoint": given_up.pk})
    assert answer.status_code == 403
    assert WebhookEndpoint.objects.values().get() == before and states().count("dead") == 3
    health = client.get(reverse("channels:health")).content.decode()
    assert reverse("channels:make") not in health


def test_strangers_and_clerks_are_sent_away(client: Client) -> None:
    assert client.get(reverse("channels:health")).status_code == 302
    assert signed_in("clerk").get(reverse("channels:health")).status_code != 200


def test_an_admin_makes_an_endpoint_and_sees_its_secret_once(
    admin: Client, tmall: Channel, receiver: Receiver
) -> None:
    assert "No channel is told by webhook yet" in admin.get(reverse("channels:health")).content.decode()
    page = reverse("channels:make")
    refused = admin.post(page, {"channel": tmall.code, "url": "https://10.0.0.1/"})
    assert refused.status_code == 400 and "inner network" in refused.content.decode()
    answer = admin.post(page, {"channel": tmall.code, "url": receiver.url, "topics": ["points.changed"]})
    endpoint = WebhookEndpoint.objects.get()
    assert endpoint.secret is not None and endpoint.secret in answer.content.decode()
    assert answer.headers["Cache-Control"] == "no-store, private" or "no-store" in answer["Cache-Control"]
    assert endpoint.topics == ["points.changed"]
    for path in (reverse("channels:endpoint", args=[endpoint.pk]), reverse("channels:health")):
        shown = admin.get(path).content.decode()
        assert endpoint.secret not in shown and receiver.url in shown


def test_an_admin_edits_switches_rotates_and_removes_it_and_history_says_who(
    admin: Client, given_up: WebhookEndpoint, receiver: Receiver
) -> None:
    one = [given_up.pk]
    admin.post(
        reverse("channels:endpoint", args=one), {"url": f"{receiver.url}/2", "topics": ["order.changed"]}
    )
    row = WebhookEndpoint.objects.get()
    assert (row.url, row.topics) == (f"{receiver.url}/2", ["order.changed"])
    bad = admin.post(reverse("channels:endpoint", args=one), {"url": "ftp://x"})
    assert bad.status_code == 400 and WebhookEndpoint.objects.get().url == row.url
    admin.post(reverse("channels:disable", args=one))
    assert WebhookEndpoint.objects.get().disabled_why == "asked"
    admin.post(reverse("channels:enable", args=one))
    assert WebhookEndpoint.objects.get().disabled_at is None
    old = row.secret
    new = admin.post(reverse("channels:rotate", args=one)).content.decode()
    row = WebhookEndpoint.objects.get()
    assert row.secret is not None and row.secret in new and row.previous_secret == old
    admin.post(reverse("channels:remove", args=one))
    assert WebhookEndpoint.objects.get().removed_at is not None
    assert admin.get(reverse("channels:endpoint", args=one)).status_code == 404
    trace = row.events.order_by("pgh_id").values_list("pgh_context__metadata__user", flat=True)  # type: ignore[attr-defined]
    assert len(trace) == 5 and trace[0] is None and set(trace[1:]) == {roles.User.objects.get().pk}


def test_health_shows_backlog_lag_state_and_the_last_day(
    admin: Client, given_up: WebhookEndpoint, tmall: Channel, receiver: Receiver
) -> None:
    receiver.always = 500
    tell(tmall, 20, name="later")
    sending.round_()
    page = admin.get(reverse("channels:health"))
    ((_channel, (each,)),) = page.context["told"]
    assert (each["word"], each["tone"]) == ("failing", "bad")
    assert (each["backlog"].waiting, each["backlog"].dead) == (20, 3)
    assert each["backlog"].oldest_at <= timezone.now()
    assert each["delivered"] == 6 and each["failed"] >= 5
    assert len(each["bars"]) == 24
    assert "The answer was not 2xx (500)" in page.content.decode()


def test_the_page_costs_the_same_however_many_endpoints_there_are(
    admin: Client, given_up: WebhookEndpoint
) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            admin.get(reverse("channels:health"))
        return len(asked)

    queries()
    few = queries()
    for number in range(5):
        listen(channels.make(f"c{number}", "web"), Receiver(port=number + 1))
    assert queries() == few


def test_dead_letters_are_filtered_and_sent_again_one_or_all(
    admin: Client, given_up: WebhookEndpoint, tmall: Channel, receiver: Receiver
) -> None:
    page, replay = reverse("channels:dead-letters"), reverse("channels:replay")
    one = WebhookDelivery.objects.filter(state="dead").earliest("id")

    def shown(**query: str | int) -> int:
        found = admin.get(page, query)
        assert found.status_code == 200
        count: int = found.context["total"]
        return count

    assert shown() == shown(endpoint=given_up.pk) == shown(topic="order.changed", problem="status") == 3
    assert shown(topic="points.changed") == shown(problem="timeout") == 0
    later = timezone.localtime() + timedelta(hours=1)
    assert shown(since=later.strftime("%Y-%m-%dT%H:%M")) == 0
    assert shown(until=later.strftime("%Y-%m-%dT%H:%M")) == 3
    kept = admin.get(page, {"until": later.strftime("%Y-%m-%dT%H:%M")}).context["kept"]
    assert kept == {"until": later.strftime("%Y-%m-%dT%H:%M")}, "in the reader's own time"
    assert shown(topic="nonsense", since="yesterday") == 3
    assert admin.get(page, {"endpoint": 999}).status_code == 404
    admin.post(replay, {"topic": "order.changed"})
    assert states().count("dead") == 3, "all of every endpoint at once is no button"
    admin.post(replay, {"endpoint": given_up.pk, "change": one.event_id})
    assert states().count("dead") == 2
    admin.post(replay, {"endpoint": given_up.pk, "topic": "points.changed"})
    assert states().count("dead") == 2
    answer = admin.post(replay, {"endpoint": given_up.pk, "topic": "order.changed"}, follow=True)
    assert "2 dead letters are sent again." in answer.content.decode()
    sending.round_()
    assert states() == ["delivered"] * 6 and len(receiver.got) == 3


def test_home_says_what_needs_a_person_for_one_statement(
    admin: Client, given_up: WebhookEndpoint, tmall: Channel
) -> None:
    cache.clear()
    with receiving() as gone:
        listen(tmall, gone)
    WebhookEndpoint.objects.filter(pk=given_up.pk).update(disabled_at=timezone.now(), disabled_why="gone")
    home = admin.get(reverse("admin:index"))
    needs = {need.words: need.count for need in home.context["needs"]}
    assert needs["dead letters"] == 3 and needs["channel that changes do not reach"] == 1
    assert [each["row"].state for each in home.context["endpoints"]] == ["given up", "working"]
    finance = signed_in("finance").get(reverse("admin:index"))
    assert finance.context["endpoints"] is None and not finance.context["needs"]
