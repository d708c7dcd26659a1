"""Senders of one-time codes: mail, an SMS gateway, and one that is down (A8)."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any
from uuid import UUID

import pytest
from django.core import mail
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.utils import timezone

from config import checks
from members import joining
from members.code_senders import the_sender
from members.errors import CodeNotSendable, CodeNotSent, CodeSenderMissing
from members.models import Channel, Enrolment, EnrolmentStep
from tests import joiners
from tests.joiners import LIN, code_of, deliver

pytestmark = pytest.mark.django_db


class Gateway:
    """An SMS gateway on this machine: what it was sent, and what it answers."""

    def __init__(self) -> None:
        self.got: list[tuple[str, dict[str, str], Any]] = []
        self.status = 200
        gateway = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                gateway.got.append((self.path, dict(self.headers), json.loads(body)))
                self.send_response(gateway.status)
                self.send_header("Location", "/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self.http = HTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.http.server_address[1]}/sms"


@pytest.fixture
def gateway(settings: Any) -> Iterator[Gateway]:
    gateway = Gateway()
    thread = Thread(target=gateway.http.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    settings.CODE_SENDER = "members.code_senders.HttpSender"
    settings.CODE_HTTP_URL = gateway.address
    settings.CODE_HTTP_AUTHORIZATION = "Bearer of-the-gateway"
    settings.CODE_HTTP_BODY = '{"to": ["{phone}"], "template": {"id": 7, "code": "{code}", "m": "{minutes}"}}'
    yield gateway
    gateway.http.shutdown()
    gateway.http.server_close()
    thread.join()


@pytest.fixture
def asked(pos: Channel, settings: Any) -> UUID:
    settings.ENROLMENT_LIMITS = joiners.FREELY
    return joining.begin(pos, LIN, origin="api").id


def test_the_gateway_gets_the_template_filled_in(gateway: Gateway, asked: UUID) -> None:
    deliver()
    ((path, headers, body),) = gateway.got
    assert (path, headers["Authorization"]) == ("/sms", "Bearer of-the-gateway")
    assert body == {
        "to": [f"+86{LIN}"],
        "template": {"id": 7, "code": code_of(asked), "m": "5"},
    }
    deliver()  # a job that runs again finds it sent
    assert len(gateway.got) == 1


def test_a_gateway_that_is_down_loses_nothing(gateway: Gateway, asked: UUID) -> None:
    gateway.status = 503
    with pytest.raises(CodeNotSent):
        deliver()
    assert Enrolment.objects.get().sent_at is None
    gateway.status = 200
    deliver()
    assert EnrolmentStep.objects.filter(step="sent").count() == 1
    assert len(gateway.got) == 2


@pytest.mark.parametrize(
    ("status", "refusal"), [(302, CodeNotSendable), (400, CodeNotSendable), (429, CodeNotSent)]
)
def test_a_redirect_or_a_no_carries_the_code_nowhere_else(
    gateway: Gateway, asked: UUID, status: int, refusal: type[Exception]
) -> None:
    gateway.status = status
    with pytest.raises(refusal) as refused:
        deliver()
    assert len(gateway.got) == 1
    assert refused.value.__cause__ is None and code_of(asked) not in str(refused.value)


def test_no_answer_is_worth_another_try(gateway: Gateway, asked: UUID, settings: Any) -> None:
    settings.CODE_HTTP_URL = "http://127.0.0.1:9/"
    with pytest.raises(CodeNotSent):
        deliver()


def test_what_is_late_or_replaced_is_not_sent(gateway: Gateway, asked: UUID, pos: Channel) -> None:
    joining.resend(asked, pos)
    deliver()
    ((_path, _headers, body),) = gateway.got  # of the second round alone
    assert body["template"]["code"] == code_of(asked)
    joining.resend(asked, pos)
    Enrolment.objects.update(expires_at=timezone.now())
    deliver()
    assert len(gateway.got) == 1


def test_mail_goes_to_the_gateway_of_the_settings(asked: UUID, settings: Any) -> None:
    settings.CODE_SENDER = "members.code_senders.MailSender"
    settings.CODE_MAIL_TO = "{digits}@sms.example.com"
    deliver()
    (sent,) = mail.outbox
    assert sent.to == [f"86{LIN}@sms.example.com"]
    assert code_of(asked) in str(sent.body)


def test_the_demo_shows_the_last_code(asked: UUID, capsys: Any, settings: Any) -> None:
    with pytest.raises(CommandError, match="none was sent"):
        call_command("last_code", LIN, wait=0)
    deliver()
    call_command("last_code", "+86 137 0013 7001")
    assert capsys.readouterr().out.strip() == code_of(asked)
    settings.ENVIRONMENT = "production"
    with pytest.raises(CommandError, match="demo only"):
        call_command("last_code", LIN)


def test_production_has_no_console_sender(settings: Any) -> None:
    settings.IS_DEMO = False
    with pytest.raises(ImproperlyConfigured):
        the_sender().send("+8613700137001", "123456", minutes=5)
    assert [each.id for each in checks.settings_are_safe(None) if "CODE" in each.msg] == ["shuke.E007"]
    settings.CODE_SENDER = "members.code_senders.HttpSender"
    settings.CODE_HTTP_URL = "http://sms.example.com"
    assert [each.id for each in checks.settings_are_safe(None) if "CODE" in each.msg] == ["shuke.E008"]


def test_without_a_sender_nobody_is_asked_for_a_phone_in_vain(pos: Channel, settings: Any) -> None:
    settings.CODE_SENDER = ""
    with pytest.raises(CodeSenderMissing):
        joining.begin(pos, LIN, origin="api")
    assert not Enrolment.objects.exists()


def test_who_never_confirmed_is_forgotten_after_a_day(asked: UUID) -> None:
    assert joining.lapse(timezone.now()) == 0
    Enrolment.objects.update(created_at="2026-01-01T00:00:00Z")
    assert joining.lapse(timezone.now()) == 1
    enrolment = Enrolment.objects.get()
    assert (enrolment.state, enrolment.phone, enrolment.phone_index, enrolment.words) == (
        "lapsed",
        None,
        None,
        {},
    )
