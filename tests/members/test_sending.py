"""Changes are pushed to every channel: signed, in order, at least once; nobody waits for another (A14)."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Barrier

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from standardwebhooks.webhooks import WebhookVerificationError

from members import changes, columns, deliveries, endpoints, sending
from members.circuits import OPEN_AFTER, Outcome
from members.models import Channel, DeliveryProblem, Topic, WebhookDelivery, WebhookEndpoint, WebhookFailure
from members.webhook_messages import MOST_BYTES, Message, headers_of
from tests import make
from tests.receiver import Receiver, listen, receiving, states, tell
from tests.test_completeness import TOPICS

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("everything_is_final")]


def numbers(receiver: Receiver) -> list[int]:
    return [got.told["data"]["number"] for got in receiver.got]


def test_it_works(tmall: Channel, receiver: Receiver) -> None:
    made = listen(tmall, receiver)
    tell(tmall, 3)
    assert sending.round_() == 3
    assert states() == ["delivered"] * 3
    first = min(receiver.got, key=lambda got: got.told["data"]["id"])  # about nobody: sent beside one another
    told = first.verify(made.secret)
    assert told["type"] == "order.changed"
    assert told["data"]["number"] == 0 and told["data"]["change"] == "o:0"
    assert first.id == f"evt_{told['data']['id']}"
    assert sending.round_() == 0, "nothing is sent twice"


# --- who hears what -----------------------------------------------------------------------------------


def test_an_endpoint_hears_what_its_channel_would_read_and_nothing_else(
    tmall: Channel, wechat: Channel, receiver: Receiver
) -> None:
    mei = make.known(tmall, make.buyer("mei", make.phone())).member_id
    bo = make.known(wechat, make.buyer("bo", make.phone(make.BO_PHONE))).member_id
    listen(tmall, receiver)
    tell(wechat, 1, topic="points.changed", name="mei", member=mei)
    tell(wechat, 1, topic="points.changed", name="bo", member=bo)
    tell(wechat, 1, topic="order.changed", name="order", member=mei)
    tell(tmall, 1, topic="order.changed", name="own")
    while sending.round_():
        pass
    read = changes.after(changes.START, tmall).changes
    told = sorted(got.told["data"]["change"] for got in receiver.got)
    assert sorted(change.change for change in read) == told
    assert {change.change for change in read} >= {"mei:0", "own:0"}
    assert not {change.change for change in read} & {"bo:0", "order:0"}


def test_only_the_topics_that_were_asked_for_are_sent(tmall: Channel, receiver: Receiver) -> None:
    listen(tmall, receiver, "points.changed", "tier.changed")
    for topic in ("order.changed", "points.changed", "coupon.changed", "tier.changed"):
        tell(tmall, 1, topic=topic, name=topic)
    sending.round_()
    assert sorted(got.told["type"] for got in receiver.got) == ["points.changed", "tier.changed"]


def test_what_was_before_an_endpoint_is_not_sent(tmall: Channel, receiver: Receiver) -> None:
    tell(tmall)
    endpoints.make(tmall, receiver.url)
    assert sending.round_() == 0


def test_a_member_s_messages_are_numbered_without_a_gap_and_come_in_order(
    tmall: Channel, receiver: Receiver
) -> None:
    mei = make.known(tmall, make.buyer("mei", make.phone())).member_id
    bo = make.known(tmall, make.buyer("bo", make.phone(make.BO_PHONE))).member_id
    made = listen(tmall, receiver, "points.changed")
    for name in "abc":
        tell(tmall, 10, topic="points.changed", name=f"mei-{name}", member=mei)
        tell(tmall, 2, topic="points.changed", name=f"bo-{name}", member=bo)
        sending.round_()
    assert deliveries.purge(timezone.now() + timedelta(days=99), days=30) == 34
    tell(tmall, 1, topic="points.changed", name="mei-d", member=mei)
    sending.round_()
    told = [got.verify(made.secret)["data"] for got in receiver.got]
    by_member: dict[str, list[int]] = {}
    for data in told:
        by_member.setdefault(data["member_no"], []).append(data["sequence"])
    assert sorted(by_member.values()) == [list(range(1, 7)), list(range(1, 32))]


def test_several_are_under_way_at_once(tmall: Channel, receiver: Receiver) -> None:
    receiver.always = Barrier(5, timeout=10)  # none is answered before five have come
    listen(tmall, receiver)
    tell(tmall, 50)
    sending.round_()
    assert sorted(numbers(receiver)) == list(range(50)) and states() == ["delivered"] * 50


def test_a_body_is_thin_however_much_there_would_be_to_say(tmall: Channel, receiver: Receiver) -> None:
    made = listen(tmall, receiver)
    tell(tmall, 1, words="熟客" * MOST_BYTES)
    sending.round_()
    told = receiver.got[0].verify(made.secret)
    assert told["data"]["is_cut"] and "words" not in told["data"] and len(receiver.got[0].body) < 500


# --- signatures ---------------------------------------------------------------------------------------


def test_while_a_secret_is_rotated_both_sign_and_a_day_later_the_new_one_alone(
    tmall: Channel, receiver: Receiver
) -> None:
    old = listen(tmall, receiver)
    now = timezone.now()
    new = endpoints.rotate(old.endpoint, now)
    tell(tmall, 1, name="during")
    sending.round_(now + timedelta(hours=23))
    during = receiver.got[0]
    assert during.verify(old.secret) == during.verify(new.secret)
    tell(tmall, 1, name="after")
    sending.round_(now + timedelta(hours=25))
    after = receiver.got[1]
    assert after.verify(new.secret)
    with pytest.raises(WebhookVerificationError):
        after.verify(old.secret)
    assert endpoints.forget_secrets(now + timedelta(hours=25)) == 1
    assert WebhookEndpoint.objects.get().previous_secret is None


def test_a_message_that_was_changed_on_its_way_does_not_verify(tmall: Channel, receiver: Receiver) -> None:
    made = listen(tmall, receiver)
    tell(tmall)
    sending.round_()
    got = receiver.got[0]
    forged = type(got)(got.path, got.headers, got.body.replace(b'"number":0', b'"number":9'))
    with pytest.raises(WebhookVerificationError):
        forged.verify(made.secret)


# --- what goes wrong ----------------------------------------------------------------------------------


def test_a_failed_message_is_tried_ten_times_over_three_days_under_one_id_and_then_given_up(
    tmall: Channel, receiver: Receiver
) -> None:
    receiver.always = 500
    listen(tmall, receiver)
    tell(tmall)
    begun = now = timezone.now()
    waits = []
    while "waiting" in states() or not states():
        assert sending.round_(now) == 1
        due = WebhookDelivery.objects.get().due_at
        paused = WebhookEndpoint.objects.get().paused_until
        waits.append((due - now).total_seconds())
        now = max(due, paused or due)
    schedule = [5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400]
    assert len(receiver.got) == 10 and len(set(receiver.ids)) == 1
    assert all(wait <= took <= 1.1 * wait for wait, took in zip(schedule, waits[:-1], strict=True))
    assert timedelta(days=3) < now - begun < timedelta(days=4)
    letter = WebhookDelivery.objects.get()
    assert (letter.state, letter.tries, letter.problem, letter.status) == ("dead", 10, "status", 500)
    assert WebhookFailure.objects.filter(delivery=letter).count() == 10


@pytest.mark.parametrize(
    ("answer", "problem", "status"),
    [
        ((301, {"location": "/elsewhere"}), "redirect", 301),
        ((307, {"location": "http://127.0.0.1:1/"}), "redirect", 307),
        (404, "status", 404),
        (500, "status", 500),
        (502, "throttled", 502),
        ("close", "broken", None),
    ],
)
def test_only_2xx_is_a_success_and_a_redirect_is_never_followed(
    tmall: Channel, receiver: Receiver, answer: object, problem: str, status: int | None
) -> None:
    receiver.answers.append(answer)
    listen(tmall, receiver)
    tell(tmall)
    sending.round_()
    row = WebhookDelivery.objects.get()
    assert (row.state, row.problem, row.status, row.tries) == ("waiting", problem, status, 1)
    assert [got.path for got in receiver.got] == ["/hook"]
    sending.round_(timezone.now() + timedelta(minutes=1))
    assert states() == ["delivered"] and len(set(receiver.ids)) == 1


def test_nobody_who_listens_is_a_failure_too(tmall: Channel) -> None:
    with receiving() as gone:
        listen(tmall, gone)
    tell(tmall)
    sending.round_()
    assert WebhookDelivery.objects.get().problem == "refused"


def test_who_never_answers_costs_one_timeout(
    tmall: Channel, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("members.posting.TIMEOUT", 0.05)
    receiver.always = "hang"
    listen(tmall, receiver)
    tell(tmall)
    sending.round_()
    assert WebhookDelivery.objects.get().problem == "timeout"


def test_410_disables_the_endpoint_and_loses_nothing(tmall: Channel, receiver: Receiver) -> None:
    receiver.always = 410
    made = listen(tmall, receiver)
    tell(tmall, 3)
    sending.round_()
    endpoint = WebhookEndpoint.objects.get()
    assert (endpoint.disabled_why, endpoint.last_problem) == ("gone", "gone")
    assert deliveries.ready(timezone.now() + timedelta(days=1)) == []
    receiver.always = 200
    endpoints.enable(made.endpoint)
    while sending.round_():
        pass
    assert states() == ["delivered"] * 3


def test_retry_after_is_honoured_for_the_whole_endpoint(tmall: Channel, receiver: Receiver) -> None:
    receiver.always = (429, {"retry-after": "120"})
    listen(tmall, receiver)
    tell(tmall)
    now = timezone.now()
    sending.round_(now)
    tell(tmall, 1, name="later")
    assert len(receiver.got) == 1
    receiver.always = 200
    assert sending.round_(now + timedelta(seconds=119)) == 0
    assert sending.round_(now + timedelta(seconds=121)) == 2
    assert states() == ["delivered"] * 2


def test_429_without_a_word_on_when_slows_down_more_and_more(tmall: Channel, receiver: Receiver) -> None:
    receiver.always = 429
    listen(tmall, receiver)
    tell(tmall, 100)
    now, pauses = timezone.now(), []
    for _ in range(4):
        sending.round_(now)
        paused = WebhookEndpoint.objects.get().paused_until
        assert paused is not None
        pauses.append((paused - now).total_seconds())
        now = paused
    assert pauses == sorted(pauses) and pauses[-1] > pauses[0] >= 5
    assert len(receiver.got) < 50, "a batch ends when it is asked to slow down"


def test_a_circuit_opens_after_five_failures_probes_and_closes(tmall: Channel, receiver: Receiver) -> None:
    receiver.always = 500
    listen(tmall, receiver)
    tell(tmall, 200)
    now = timezone.now()
    sending.round_(now)
    tried = len(receiver.got)
    assert OPEN_AFTER <= tried < OPEN_AFTER + 10
    assert sending.round_(now + timedelta(seconds=29)) == 0
    pauses = []
    for _ in range(6):
        paused = WebhookEndpoint.objects.get().paused_until
        assert paused is not None
        pauses.append((paused - now).total_seconds())
        now = paused
        receiver.always = 500 if len(pauses) < 6 else 200
        if len(pauses) < 6:
            assert sending.round_(now) == 1, "one probe"
    assert pauses == [30, 60, 120, 240, 300, 300]
    assert sending.round_(now) == 1
    endpoint = WebhookEndpoint.objects.get()
    assert (endpoint.failures, endpoint.failing_since, endpoint.paused_until) == (0, None, None)
    while sending.round_(now):
        pass
    assert states() == ["delivered"] * 200, "what failed because nobody answered does not wait its hours"


def test_at_a_new_url_nobody_waits_for_the_old_one_s_circuit(tmall: Channel, receiver: Receiver) -> None:
    with receiving() as gone:
        made = listen(tmall, gone)
    tell(tmall, 20)
    sending.round_()
    endpoints.edit(made.endpoint, url=receiver.url)
    assert sending.round_() == 20 and states() == ["delivered"] * 20


def test_after_five_days_of_failures_only_an_endpoint_is_disabled_and_the_log_says_so(
    tmall: Channel, receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    receiver.always = 500
    listen(tmall, receiver)
    tell(tmall, 50)
    now = timezone.now()
    for _ in range(3):
        sending.round_(now)
        now += timedelta(days=2, hours=12)
    assert WebhookEndpoint.objects.get().disabled_why == "failing"
    assert "is disabled: failing" in caplog.text
    assert receiver.url not in caplog.text


def test_a_message_that_alone_fails_does_not_hold_up_those_behind_it(
    tmall: Channel, receiver: Receiver
) -> None:
    mei = make.known(tmall, make.buyer("mei", make.phone())).member_id
    listen(tmall, receiver, "points.changed")
    receiver.answers.append(500)
    tell(tmall, 30, topic="points.changed", member=mei)
    sending.round_()
    assert states() == ["waiting"] + ["delivered"] * 29


# --- nothing is lost ----------------------------------------------------------------------------------


def test_what_a_killed_worker_had_begun_is_sent_by_the_next_under_the_same_id(
    tmall: Channel, receiver: Receiver
) -> None:
    listen(tmall, receiver)
    tell(tmall, 20)
    now = timezone.now()
    batch = deliveries.claim(WebhookEndpoint.objects.get().pk, now)
    assert batch is not None and len(batch.messages) == 20  # and here the worker is killed
    assert sending.round_(now + timedelta(seconds=30)) == 0
    later = now + deliveries.LEASE
    rounds = 0
    while sending.round_(later):
        rounds += 1
    assert rounds == 20, "what was begun and never ended is tried alone"
    assert receiver.ids == [message.id for message in batch.messages]
    assert states() == ["delivered"] * 20


def test_what_kills_the_worker_is_left_alone_after_five_times_and_the_others_flow(
    tmall: Channel, receiver: Receiver
) -> None:
    listen(tmall, receiver)
    tell(tmall, 10)
    endpoint_id, now = WebhookEndpoint.objects.get().pk, timezone.now()
    poison = None
    for _ in range(30):
        for alone in (False, True):
            batch = deliveries.claim(endpoint_id, now, alone=alone)
            if batch is None or not batch.messages:
                continue
            poison = poison or batch.messages[3].delivery_id
            if poison in {message.delivery_id for message in batch.messages}:
                continue  # the worker dies here: nobody settles
            sent = [(message, Outcome(None, 200)) for message in batch.messages]
            deliveries.settle(batch, sent, now)
        now += deliveries.LEASE
    assert poison is not None
    letter = WebhookDelivery.objects.get(pk=poison)
    assert (letter.state, letter.problem) == ("dead", DeliveryProblem.CRASHED)
    assert (letter.started, letter.finished) == (5, 0)
    assert states().count("delivered") == 9


def test_two_senders_never_get_the_same_message(tmall: Channel, receiver: Receiver) -> None:
    listen(tmall, receiver)
    tell(tmall, 150)
    endpoint_id, now = WebhookEndpoint.objects.get().pk, timezone.now()
    one, other = deliveries.claim(endpoint_id, now), deliveries.claim(endpoint_id, now)
    assert one is not None and other is not None
    ids = [message.id for batch in (one, other) for message in batch.messages]
    assert len(ids) == len(set(ids)) == 150


# Ten thousand changes that everybody has been told, as the planner sees them.
FILL = """
INSERT INTO members_outboxevent (topic, change, channel_id, payload)
SELECT 'order.changed', 'old:' || n, %(channel)s, '{}' FROM generate_series(1, 10000) AS n;
INSERT INTO members_webhookdelivery
    (endpoint_id, event_id, state, due_at, settled_at, tries, started, finished, problem)
SELECT %(endpoint)s, id, 'delivered', now(), now(), 0, 1, 1, '' FROM members_outboxevent;
UPDATE members_webhookendpoint SET read_xid = o.xid, read_id = o.id
FROM (SELECT max(xid) AS xid, max(id) AS id FROM members_outboxevent) AS o;
ANALYZE members_outboxevent; ANALYZE members_webhookdelivery
"""


def test_what_is_asked_twice_a_second_reads_no_table_however_long_it_is(
    tmall: Channel, wechat: Channel, receiver: Receiver
) -> None:
    listen(wechat, receiver)
    endpoint = listen(tmall, receiver).endpoint
    with connection.cursor() as cursor:
        for statement in FILL.split(";"):
            cursor.execute(statement, {"channel": tmall.pk, "endpoint": endpoint.pk})
    with CaptureQueriesContext(connection) as asked:
        sending.round_()
        tell(tmall)
        sending.round_()
    assert len(receiver.got) == 1
    explained = 0
    for query in asked.captured_queries:
        if query["sql"].lstrip().startswith(("WITH", "SELECT count", "UPDATE")):
            plan = "\n".join(line for (line,) in columns.ask("EXPLAIN " + query["sql"].replace("%", "%%")))
            assert "Seq Scan on members_outboxevent" not in plan, plan
            assert "Seq Scan on members_webhookdelivery" not in plan, plan
            explained += 1
    assert explained >= 6


# --- keeping ------------------------------------------------------------------------------------------


def test_what_was_delivered_is_forgotten_in_time_and_dead_letters_wait(
    tmall: Channel, receiver: Receiver
) -> None:
    listen(tmall, receiver)
    tell(tmall, 10)
    sending.round_()
    first = WebhookDelivery.objects.earliest("id")
    WebhookDelivery.objects.filter(pk=first.pk).update(state="dead")
    now = timezone.now()
    assert deliveries.purge(now + timedelta(days=29), days=30) == 0
    assert deliveries.purge(now + timedelta(days=31), days=30) == 9
    assert states() == ["dead"]


def test_a_removed_endpoint_keeps_no_secret_and_is_sent_nothing(tmall: Channel, receiver: Receiver) -> None:
    made = listen(tmall, receiver)
    tell(tmall, 2)
    endpoints.remove(made.endpoint)
    assert sending.round_() == 0
    row = WebhookEndpoint.objects.get()
    assert (row.secret, row.previous_secret) == (None, None)
    assert deliveries.purge(timezone.now() + timedelta(days=31), days=30) == 0


def test_a_channel_that_is_switched_off_is_sent_nothing(tmall: Channel, receiver: Receiver) -> None:
    listen(tmall, receiver)
    tell(tmall)
    Channel.objects.update(is_active=False)
    assert sending.round_() == 0
    assert not receiver.got


# --- what integrators are told ------------------------------------------------------------------------


def test_the_message_in_the_documentation_is_signed_as_it_says() -> None:
    text = (Path(__file__).resolve().parents[2] / "docs" / "webhooks.md").read_text(encoding="utf-8")
    (key,) = set(re.findall(r"`(whsec_[\w+/=]{20,})`", text))
    (signature,) = re.findall(r"^webhook-signature: (v1,\S+)$", text.split("To test a receiver")[1], re.M)
    at = datetime.fromtimestamp(1795400000, UTC)
    message = Message(1, 0, 1, "points.changed", "points:1:1", None, None, {}, at, at)
    headers = headers_of(message, b'{"type":"points.changed"}', [key], at)
    assert (headers["webhook-id"], headers["webhook-signature"]) == ("evt_1", signature)


def test_every_topic_is_in_the_documentation() -> None:
    text = (Path(__file__).resolve().parents[2] / "docs" / "webhooks.md").read_text(encoding="utf-8")
    assert all(f"`{topic}`" in text for topic in Topic.values)
    assert set(Topic.values) == TOPICS
