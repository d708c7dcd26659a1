"""A clerk may have the phone proved before they enrol, by a code that the customer reads out (A8, E1)."""

from typing import Any

import pytest
from django.test import Client

from members.models import Enrolment, EnrolmentStep, Identifier, Member
from privacy import roles
from privacy.models import ConsentEvent
from tests import joiners
from tests.counter import PLACE, Shop
from tests.joiners import LIN, code_of, deliver, wrong

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(settings: Any) -> Client:
    settings.ENROLMENT_LIMITS = joiners.FREELY
    Shop()
    clerk, _password = roles.make_staff("clerk", "clerk", store=PLACE)
    desk = Client(headers={"Accept-Language": "en", "X-Desk": "part"})
    desk.force_login(clerk)
    return desk


def send_code(desk: Client) -> Enrolment:
    page = desk.post("/desk/enrol/", {"phone": LIN, "send_code": "yes"})
    assert page.status_code == 200
    deliver()
    enrolment = Enrolment.objects.get()
    assert str(enrolment.pk) in page.content.decode()
    return enrolment


def test_the_code_proves_the_phone(desk: Client) -> None:
    enrolment = send_code(desk)
    told = {"phone": LIN, "name": "林一", "marketing": "on", "enrolment": str(enrolment.pk)}
    refused = desk.post("/desk/enrol/", {**told, "code": wrong(code_of(enrolment.pk))})
    assert refused.status_code == 400 and b"wrong or no longer valid" in refused.content
    done = desk.post("/desk/enrol/", {**told, "code": code_of(enrolment.pk)})
    member = Member.objects.latest("id")
    assert member.number in done.content.decode()
    assert (member.name, member.recruited_by and member.recruited_by.username) == ("林一", "clerk")
    assert Identifier.objects.get(member=member).verified
    said = ConsentEvent.objects.filter(member=member).order_by("purpose").values_list("purpose", "method")
    assert list(said) == [("marketing", "spoken"), ("membership", "spoken")]
    steps = EnrolmentStep.objects.order_by("id").values_list("step", flat=True)
    assert list(steps) == ["phone", "sent", "confirmed", "name"]


def test_another_phone_than_the_code_went_to_is_not_proved_by_it(desk: Client) -> None:
    enrolment = send_code(desk)
    told = {"phone": "13500135000", "enrolment": str(enrolment.pk), "code": code_of(enrolment.pk)}
    assert desk.post("/desk/enrol/", told).status_code == 400
    assert not Enrolment.objects.filter(state="confirmed").exists()


def test_without_the_code_the_clerk_s_word_is_enough(desk: Client) -> None:
    enrolment = send_code(desk)
    desk.post("/desk/enrol/", {"phone": LIN, "enrolment": str(enrolment.pk), "code": ""})
    assert not Identifier.objects.get(member=Member.objects.latest("id")).verified
