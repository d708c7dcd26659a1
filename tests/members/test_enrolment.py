"""Enrolment at the counter: one phone, one member, and proof of what was agreed to (A8, E1)."""

from typing import Any

import pytest

from members import enrolment, seeing
from members.enrolment import Enrolled
from members.errors import PhoneInvalid
from members.models import Account, Channel, Identifier, Member
from privacy.consent import ConsentWord
from privacy.models import ConsentEvent
from tests import make
from tests.make import MEI_PHONE, NOW, buyer, known, phone

pytestmark = pytest.mark.django_db

SHOWN = {"agreement": "2026-01", "privacy": "2026-02", "tips": "2026-01"}


def enrol(pos: Channel, typed: str = "138 0013 8001", **told: Any) -> Enrolled:
    store = pos.stores.get()
    values: dict[str, Any] = {"notice_versions": SHOWN, "actor_id": make.clerk().pk, "now": NOW}
    return enrolment.enrol(pos, store, typed, **(values | told))


def test_it_works(pos: Channel):
    yes = ConsentWord(purpose="marketing", channel="sms", granted=True)
    enrolled = enrol(pos, name="梅花", consents=[yes])
    member = Member.objects.get()
    assert enrolled == Enrolled(
        member_id=member.pk,
        account_id=Account.objects.get().pk,
        member_no=member.number,
        was_known=False,
    )
    assert (member.name, member.phone, member.joined_at) == ("梅花", MEI_PHONE, NOW)
    assert (member.recruited_channel, member.recruited_store, member.recruited_by) == (
        pos,
        pos.stores.get(),
        make.clerk(),
    )
    assert not Identifier.objects.get().verified  # a clerk who types a phone has not checked it
    events = ConsentEvent.objects.order_by("purpose").values_list(
        "purpose", "channel", "granted", "notice_version", "method", "source"
    )
    assert list(events) == [
        ("marketing", "sms", True, "2026-02", "spoken", "jingan"),
        ("membership", "any", True, "2026-01", "spoken", "jingan"),
    ]


def test_the_same_phone_again_is_the_same_member(pos: Channel):
    first = enrol(pos, name="梅花")
    again = enrol(pos, "+8613800138001", name="李白")
    assert (again.member_id, again.was_known) == (first.member_id, True)
    assert Member.objects.get().name == "梅花"


def test_a_member_of_another_channel_is_known(pos: Channel, tmall: Channel):
    mei = known(tmall, buyer("mei", phone(), name="梅花"))
    enrolled = enrol(pos)
    assert (enrolled.member_id, enrolled.was_known) == (mei.member_id, True)
    assert Account.objects.get(pk=enrolled.account_id).channel == pos
    assert Member.objects.get().recruited_store is None


def test_a_masked_name_is_not_taken(pos: Channel):
    enrol(pos, name="梅*")
    assert Member.objects.get().name is None


@pytest.mark.parametrize("typed", ["", "123", "11111111111", "138****8001", "梅花"])
def test_what_is_no_phone_is_refused(pos: Channel, typed: str):
    with pytest.raises(PhoneInvalid):
        enrol(pos, typed)
    assert not Member.objects.exists() and not ConsentEvent.objects.exists()


def test_who_was_enrolled_is_found(pos: Channel):
    enrolled = enrol(pos)
    assert seeing.find(phone="13800138001").pk == enrolled.member_id
    assert seeing.find(member_no=enrolled.member_no.lower()).pk == enrolled.member_id
