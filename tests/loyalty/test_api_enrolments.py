"""Enrolment by API: the same answer for every phone, one code, one member, and no oracle (A8)."""

import json
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from loyalty import referral_codes
from loyalty.models import Grant
from members import channels
from members.models import Enrolment, EnrolmentStep, Identifier, KeptAnswer, Member
from privacy import consent, notices, roles
from privacy.models import ConsentEvent
from tests import joiners
from tests.api import Answer, Api
from tests.joiners import LIN, SHOWN, code_of, deliver, wrong
from tests.trade import Trade, buyer, phone

MEI = "13800138001"
GIFTS: dict[str, Any] = {"enrolment": {"points": 100}, "profile_step": {"points": 20}}


@pytest.fixture
def trade(db: None, settings: Any) -> Trade:
    settings.ENROLMENT_LIMITS = joiners.FREELY
    return Trade(sections={"activities": GIFTS})


@pytest.fixture
def app(trade: Trade) -> Api:
    return Api(trade.app)


def ask(api: Api, number: str = LIN, **more: Any) -> Answer:
    return api.post("/enrolments/", {"phone": number, "notices": SHOWN, **more})


def confirm(api: Api, id: str, code: str) -> Answer:
    return api.post(f"/enrolments/{id}/confirm/", {"code": code})


def test_from_a_phone_to_a_member(trade: Trade, app: Api) -> None:
    yes = {"purpose": "marketing", "channel": "sms", "granted": True}
    notices.publish_defaults()
    asked = ask(app, consents=[yes])
    assert (asked.status, asked.body["expires_in"]) == (202, 300)
    assert not Member.objects.exists()
    deliver()
    answer = confirm(app, asked.body["id"], code_of(asked.body["id"]))
    member = Member.objects.get()
    assert answer.status == 201
    assert answer.body == {
        "member_no": member.number,
        "is_new_member": True,
        "matched_by": "new",
        "tier": "basic",
        "points": answer.body["points"],
        "referral": None,
    }
    assert answer.body["points"]["available"] == 120  # for joining, and for the step "phone"
    assert (member.phone, member.recruited_channel) == (f"+86{LIN}", trade.app)
    assert Identifier.objects.get().verified
    said = ConsentEvent.objects.order_by("purpose").values_list(
        "purpose", "channel", "granted", "notice_version", "method", "source"
    )
    assert list(said) == [
        ("marketing", "sms", True, "1.0", "tick", "app"),
        ("membership", "any", True, "1.0", "tick", "app"),
    ]
    steps = EnrolmentStep.objects.order_by("id").values_list("step", flat=True)
    assert list(steps) == ["phone", "sent", "confirmed"]


def test_a_known_phone_and_a_stranger_are_answered_alike_and_cost_the_same(trade: Trade, app: Api) -> None:
    trade.buy("T1", "500", buyer("mei", phone(f"+86{MEI}")))
    costs, answers = [], []
    ask(app, "13500135000")  # what is read once for all is read now
    for number in (LIN, MEI):
        with CaptureQueriesContext(connection) as asked:
            answers.append(ask(app, number))
        statements = [query["sql"] for query in asked.captured_queries]
        costs.append(len(statements))
        assert not any("members_member" in sql or "members_identifier" in sql for sql in statements)
    stranger, known = answers
    assert (stranger.status, stranger.body.keys()) == (known.status, known.body.keys())
    assert stranger.body["expires_in"] == known.body["expires_in"]
    assert {name for name in stranger.headers if name != "X-Request-ID"} == {
        name for name in known.headers if name != "X-Request-ID"
    }
    assert costs[0] == costs[1]


def test_a_known_phone_leads_to_its_member_and_gives_nothing_twice(trade: Trade, app: Api) -> None:
    mei = trade.buy("T1", "500", buyer("mei", phone(f"+86{MEI}"))).member_id
    for status in (200, 200):
        asked = ask(app, MEI)
        answer = confirm(app, asked.body["id"], code_of(asked.body["id"]))
        assert (answer.status, answer.body["is_new_member"]) == (status, False)
    assert Member.objects.get().pk == mei
    assert Grant.objects.filter(code="enrolment").count() == 1  # the first account that is told


def test_a_yes_that_was_withdrawn_counts_when_it_is_given_again(trade: Trade, app: Api) -> None:
    yes = {"purpose": "marketing", "channel": "sms", "granted": True}
    for _time in range(2):
        id = ask(app, consents=[yes]).body["id"]
        assert confirm(app, id, code_of(id)).status in (200, 201)
        lin = Member.objects.get()
        assert consent.allowed(lin, "marketing", "sms")
        consent.withdraw(lin, "marketing", channel="sms")
        assert not consent.allowed(lin, "marketing", "sms")


def test_marketing_may_be_refused(app: Api) -> None:
    no = {"purpose": "marketing", "channel": "any", "granted": False}
    asked = ask(app, consents=[no])
    assert confirm(app, asked.body["id"], code_of(asked.body["id"])).status == 201
    assert not ConsentEvent.objects.get(purpose="marketing").granted


def test_wrong_late_used_and_unknown_are_one_answer(app: Api) -> None:
    asked = ask(app)
    id, code = asked.body["id"], code_of(asked.body["id"])
    refused = [confirm(app, id, wrong(code)), confirm(app, str(uuid4()), code), confirm(app, id, "梅花")]
    Enrolment.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    refused.append(confirm(app, id, code))
    Enrolment.objects.update(expires_at=timezone.now() + timedelta(seconds=60))
    assert confirm(app, id, code).status == 201
    refused.append(confirm(app, id, code))
    told = {json.dumps({**each.body, "instance": ""}) for each in refused}
    assert len(told) == 1
    assert {(each.status, each.code) for each in refused} == {(400, "members.code_wrong")}


def test_five_tries_and_the_right_code_comes_too_late(app: Api) -> None:
    id = ask(app).body["id"]
    code = code_of(id)
    for _try in range(5):
        assert confirm(app, id, wrong(code)).status == 400
    assert confirm(app, id, code).status == 400
    assert not Member.objects.exists()
    again = app.post(f"/enrolments/{id}/resend/")
    assert (again.status, again.body) == (202, {"id": id, "expires_in": 300})
    assert confirm(app, id, code).status == 400  # of the round before
    assert confirm(app, id, code_of(id)).status == 201


def test_another_channel_cannot_confirm(trade: Trade, app: Api) -> None:
    id = ask(app).body["id"]
    assert confirm(Api(trade.tmall), id, code_of(id)).code == "members.code_wrong"
    assert confirm(app, id, code_of(id)).status == 201


def test_an_unknown_enrolment_is_sent_again_as_if_it_were_one(app: Api) -> None:
    id = str(uuid4())
    again = app.post(f"/enrolments/{id}/resend/", {"client_ip": "203.0.113.9"})
    assert (again.status, again.body) == (202, {"id": id, "expires_in": 300})
    assert not ProcrastinateJob.objects.filter(args__enrolment_id=id).exists()


def test_the_friend_who_brought_them_is_told(trade: Trade, app: Api) -> None:
    mei = trade.buy("T1", "500", buyer("mei", phone(f"+86{MEI}"))).member_id
    assert mei is not None
    assert ask(app, referred_by="NOBODYS").code == "loyalty.referral_code_unknown"
    id = ask(app, referred_by=referral_codes.code_of(mei)).body["id"]
    answer = confirm(app, id, code_of(id))
    assert answer.status == 201
    assert Member.objects.get(number=answer.body["member_no"]).referrer_id == mei


def test_a_clerk_s_key_enrols_in_their_store(trade: Trade) -> None:
    jingan = channels.make("jingan", "pos")
    store = channels.make_store(jingan, "jingan")
    clerk, _password = roles.make_staff("clerk", "clerk", store="jingan/jingan")
    desk = Api(clerk)
    id = ask(desk).body["id"]
    assert confirm(desk, id, code_of(id)).status == 201
    member = Member.objects.get()
    assert (member.recruited_channel, member.recruited_store, member.recruited_by) == (jingan, store, clerk)
    assert ConsentEvent.objects.get(purpose="membership").method == "spoken"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "api.invalid"),
        ({"phone": LIN, "wechat": {"login_code": "a", "phone_code": "b"}}, "api.invalid"),
        ({"phone": "138****8001"}, "members.phone_invalid"),
        ({"phone": LIN, "client_ip": "here"}, "api.invalid"),
        ({"phone": LIN, "consents": [{"purpose": "third_party", "granted": True}]}, "api.invalid"),
        ({"phone": LIN, "store": "nowhere"}, "members.store_unknown"),
        ({"wechat": {"login_code": "a", "phone_code": "b"}}, "members.credential_missing"),
    ],
)
def test_what_cannot_be_begun_is_refused(app: Api, body: dict[str, Any], code: str) -> None:
    assert app.post("/enrolments/", body).code == code
    assert not Enrolment.objects.exists()


def test_a_key_without_the_scope_is_refused(trade: Trade) -> None:
    assert ask(Api(trade.app, scopes=["points"])).status == 403


def test_asking_too_often_is_refused_with_the_time_to_wait(trade: Trade, app: Api, settings: Any) -> None:
    settings.ENROLMENT_LIMITS = {**joiners.FREELY, "phone_per_hour": (2, 3600)}
    assert [ask(app).status for _ in range(3)] == [202, 202, 429]
    assert ask(app, MEI).status == 202
    refused = ask(app)
    assert (refused.status, refused.code) == (429, "members.too_often")
    assert 3500 < int(refused.headers["Retry-After"]) <= 3600
    settings.ENROLMENT_LIMITS = {**joiners.FREELY, "address_per_hour": (1, 3600)}
    assert ask(app, client_ip="203.0.113.9").status == 202
    assert ask(app, "13500135000", client_ip="203.0.113.9").status == 429
    assert ask(app, "13500135000", client_ip="203.0.113.10").status == 202


def test_neither_phone_nor_code_is_left_lying_about(trade: Trade, app: Api, caplog: Any) -> None:
    caplog.set_level("DEBUG")
    id = ask(app).body["id"]
    code = code_of(id)
    deliver()
    confirm(app, id, wrong(code))
    assert joiners.jobs() == [{"enrolment_id": id, "round": 1}]
    kept = str(list(ProcrastinateJob.objects.values()))
    assert LIN not in kept and code not in kept
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_jsonb(e) FROM members_enrolment e")
        row = str(cursor.fetchall())
    assert LIN not in row and code not in row
    assert confirm(app, id, code).status == 201
    enrolment = Enrolment.objects.get()
    assert (enrolment.phone, enrolment.phone_index) == (None, None)
    assert not KeptAnswer.objects.exists()
    said = " ".join(record.getMessage() for record in caplog.records if record.name != "django.db.backends")
    assert LIN not in said and code not in said


def test_misspelt_fields_of_an_enrolment_do_not_go_unnoticed(app: Api) -> None:
    yes = {"purpose": "marketing", "channel": "sms", "granted": True, "when": "now"}
    asked = ask(app, consents=[yes], referred="X", notices={**SHOWN, "tip": "1"})
    assert (asked.status, asked.body["ignored"]) == (202, ["consents.0.when", "notices.tip", "referred"])
    again = app.post(f"/enrolments/{asked.body['id']}/resend/", {"ip": "1.1.1.1"})
    assert (again.status, again.body["ignored"]) == (202, ["ip"])
    deliver()
    right = {"code": code_of(asked.body["id"]), "kode": 1}
    done = app.post(f"/enrolments/{asked.body['id']}/confirm/", right)
    assert (done.status, done.body["ignored"]) == (201, ["kode"])
