from datetime import timedelta

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import connection, transaction

from privacy import access, register
from privacy.errors import FieldNotRegistered, NotAllowed, ReasonMissing, SealBroken, TooManyReveals
from privacy.models import AccessRecord
from privacy.register import Basis, Category, PersonalField, Register, Retention


def personal(field: str, mask: str) -> PersonalField:
    return PersonalField(
        model="members.Member",
        field=field,
        category=Category.CONTACT,
        purpose="To reach the member.",
        basis=Basis.CONTRACT,
        retention=Retention.MEMBERSHIP,
        mask=mask,
    )


@pytest.fixture(autouse=True)
def registered(monkeypatch):
    """The phone and name of members, whatever else the register of this installation holds."""
    own = Register(fields={}, exempt={})
    own.add(personal("phone", "phone"))
    own.add(personal("name", "name"))
    monkeypatch.setattr(register, "current", lambda: own)


REASON = "Ticket 4711: parcel returned"


def test_a_reveal_shows_the_value_and_leaves_a_record(mei, staff):
    service = staff("service")
    occasion = access.Occasion(request_id="req-1", ip="203.0.113.77")
    shown = access.reveal(service, mei, mei, ["phone", "phone", "name"], f"  {REASON} ", occasion=occasion)
    assert shown == {"phone": "+8613800138000", "name": "欧阳梅"}
    record = AccessRecord.objects.get()
    assert (record.actor, record.actor_label, record.action) == (service, service.username, "reveal")
    assert (record.member, record.model, record.subjects) == (mei, "members.Member", [mei.pk])
    assert (record.fields, record.reason) == (["phone", "name"], REASON)
    assert (record.request_id, record.ip, record.channel) == ("req-1", "203.0.113.0/24", None)
    assert record.recorded_at is not None


@pytest.mark.parametrize("role", ["clerk", "marketing", "finance", "admin", "auditor"])
def test_other_roles_see_no_clear_value_and_leave_no_record(mei, staff, role):
    person = staff(role)
    assert not access.may_see_clear(person)
    with pytest.raises(NotAllowed):
        access.reveal(person, mei, mei, ["phone"], REASON)
    assert AccessRecord.objects.count() == 0


@pytest.mark.parametrize("who", ["anonymous", "left"])
def test_nobody_without_a_desk_sees_a_clear_value(mei, staff, who):
    person = AnonymousUser()
    if who == "left":
        person = staff("privacy")
        person.is_active = False
    with pytest.raises(NotAllowed):
        access.reveal(person, mei, mei, ["phone"], REASON)


@pytest.mark.parametrize("reason", ["", "    ", "why ", "  a  b "])
def test_a_reason_under_five_characters_is_none(mei, staff, reason):
    with pytest.raises(ReasonMissing):
        access.reveal(staff("privacy"), mei, mei, ["phone"], reason)
    assert AccessRecord.objects.count() == 0


def test_only_registered_fields_can_be_revealed(mei, staff):
    with pytest.raises(FieldNotRegistered) as refusal:
        access.reveal(staff("service"), mei, mei, ["phone", "seal"], REASON)
    assert refusal.value.details == {"field": "seal"}
    assert AccessRecord.objects.count() == 0


def test_a_value_that_does_not_open_leaves_no_record(mei, staff):
    with connection.cursor() as cursor:
        cursor.execute("UPDATE members_member SET phone = %s WHERE id = %s", [b"garbage", mei.pk])
    broken = type(mei).objects.get(pk=mei.pk)
    with pytest.raises(SealBroken), transaction.atomic():
        access.reveal(staff("service"), broken, broken, ["phone"], REASON)
    assert AccessRecord.objects.count() == 0


def test_a_flood_of_reveals_is_stopped(mei, bo, staff, monkeypatch):
    monkeypatch.setattr(access, "REVEALS_PER_HOUR", 3)
    service, other = staff("service"), staff("service")
    for _ in range(3):
        access.reveal(service, mei, mei, ["phone"], REASON)
    with pytest.raises(TooManyReveals):
        access.reveal(service, bo, bo, ["phone"], REASON)
    access.reveal(other, bo, bo, ["phone"], REASON)
    assert AccessRecord.objects.filter(actor=service).count() == 3


def test_old_reveals_do_not_count_against_today(mei, staff, monkeypatch):
    monkeypatch.setattr(access, "REVEALS_PER_HOUR", 1)
    service = staff("service")
    record = access.note(service, "reveal", model="members.Member", member=mei, reason=REASON)
    AccessRecord.objects.bulk_create(
        [
            AccessRecord(
                actor=service,
                actor_label=service.username,
                action="reveal",
                model="members.Member",
                reason=REASON,
                recorded_at=record.recorded_at - timedelta(hours=2),
            )
        ]
    )
    with pytest.raises(TooManyReveals):
        access.reveal(service, mei, mei, ["phone"], REASON)
    monkeypatch.setattr(access, "REVEALS_PER_HOUR", 2)
    assert access.reveal(service, mei, mei, ["phone"], REASON)


def test_a_masked_value_needs_no_record(mei):
    assert access.masked(mei, "phone") == "138****8000"
    assert access.masked(mei, "name") == "欧阳*"
    with pytest.raises(FieldNotRegistered):
        access.masked(mei, "email")
    assert AccessRecord.objects.count() == 0


def test_a_list_notes_every_row_and_the_member_can_see_who_looked(mei, bo, staff):
    auditor = staff("auditor")
    access.note(auditor, "list", model="members.Member", subjects=[mei.pk, bo.pk], fields=["phone"])
    access.note(None, "export", model="members.Member", subjects=[bo.pk], label="nightly export")
    assert [record.action for record in access.looks_at(mei)] == ["list"]
    assert [record.actor_label for record in access.looks_at(bo)] == ["nightly export", auditor.username]


def test_a_key_is_named_by_its_channel(mei):
    record = access.note(
        None, "view", model="members.Member", member=mei, occasion=access.Occasion(channel="tmall")
    )
    assert (record.actor, record.actor_label, record.channel) == (None, "tmall", "tmall")
