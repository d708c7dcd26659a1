"""Staff who are members too: noted by one person, freed again only by two (D6)."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from members import staff
from members.errors import MemberNotFound, MembershipTaken
from members.models import Member
from members.numbers import number_of
from privacy import approvals, roles
from privacy.errors import NotAllowed, OwnBenefit, ReasonMissing
from privacy.models import Approval, StaffProfile


def member(number: int) -> Member:
    return Member.objects.create(pk=number, number=number_of(number), joined_at=timezone.now())


def person(role: str, name: str) -> User:
    return roles.make_staff(name, role)[0]


@pytest.fixture
def mei(db: None) -> Member:
    return member(1)


@pytest.fixture
def bo(db: None) -> Member:
    return member(2)


@pytest.fixture
def boss(db: None) -> User:
    return person("admin", "boss")


@pytest.fixture
def lin(db: None) -> User:
    return person("service", "lin")


def noted(user: User) -> Member | None:
    return StaffProfile.objects.get(user=user).member


def test_a_membership_is_noted_by_one_person(lin, boss, mei):
    assert staff.set_membership(lin, mei.number, boss) is None
    assert noted(lin) == mei
    assert staff.set_membership(lin, mei.number, boss) is None
    assert not Approval.objects.exists()


@pytest.mark.parametrize("now", ["bo", ""])
def test_changing_or_removing_it_takes_two_and_not_its_holder(lin, boss, mei, bo, now):
    staff.set_membership(lin, mei.number, boss)
    number = bo.number if now else ""
    with pytest.raises(ReasonMissing):
        staff.set_membership(lin, number, boss)
    asked = staff.set_membership(lin, number, boss, reason="Wrong number noted")
    assert asked is not None and noted(lin) == mei
    words = approvals.kind_of(asked.kind).sentence(asked.change)
    assert words == (
        f"lin is the member {bo.number} (was {mei.number})."
        if now
        else f"lin is no member any more (was {mei.number})."
    )
    StaffProfile.objects.filter(user=lin).update(role="admin")
    with pytest.raises(OwnBenefit):
        approvals.approve(asked.pk, User.objects.get(pk=lin.pk))
    approvals.approve(asked.pk, person("admin", "ann"))
    assert noted(lin) == (bo if now else None)


def test_one_membership_is_one_person_s(lin, boss, mei):
    staff.set_membership(lin, mei.number, boss)
    with pytest.raises(MembershipTaken):
        staff.set_membership(boss, mei.number, boss)
    with pytest.raises(MemberNotFound):
        staff.set_membership(boss, "SK-NOBODY00", boss)
    with pytest.raises(NotAllowed):
        staff.set_membership(boss, "", lin)


def test_it_is_noted_in_the_list_of_staff(lin, boss, mei):
    client = Client(headers={"accept-language": "en"})
    client.force_login(boss)
    address = reverse("admin:auth_user_change", args=[lin.pk])
    digest = lin.password
    page = client.get(address).content.decode()
    assert "Own member number" in page and digest not in page
    wrong = client.post(address, {"own_member": "SK-NOBODY00", "why": ""})
    assert "No member was found" in wrong.content.decode()
    answer = client.post(address, {"own_member": mei.number, "why": "", "username": "root", "is_staff": "1"})
    assert answer.status_code == 302 and noted(lin) == mei
    client.post(address, {"own_member": "", "why": "Left the programme"})
    assert noted(lin) == mei and Approval.objects.get().kind == staff.KIND
    lin.refresh_from_db()
    assert (lin.username, lin.password, lin.is_staff) == ("lin", digest, True)


def test_who_may_only_look_changes_nothing(lin, mei):
    client = Client()
    client.force_login(person("auditor", "ada"))
    address = reverse("admin:auth_user_change", args=[lin.pk])
    assert client.get(address).status_code == 200
    assert client.post(address, {"own_member": mei.number, "why": ""}).status_code == 403
    assert noted(lin) is None
