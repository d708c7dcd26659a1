"""Finding one member by what a person can name (E1)."""

from itertools import pairwise
from typing import Any

import pytest

from members import seeing
from members.errors import MemberNotFound
from members.models import Channel, Member
from members.numbers import number_of
from tests.make import MEI_EMAIL, buyer, key, known, phone

pytestmark = pytest.mark.django_db


@pytest.fixture
def mei(tmall: Channel) -> Member:
    fact = buyer("mei", phone(), key("email", MEI_EMAIL), name="梅花")
    return Member.objects.get(pk=known(tmall, fact).member_id)


def test_it_works(mei: Member, tmall: Channel):
    for asked in (
        {"phone": "138-0013-8001"},
        {"phone": "+86 13800138001"},
        {"email": "MEI@Example.com"},
        {"member_no": mei.number.lower().replace("-", "")},
        {"channel": tmall, "external_id": "mei"},
    ):
        assert seeing.find(**asked) == mei


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"phone": "13900139000"},
        {"phone": "8001"},
        {"email": "mei"},
        {"member_no": "SK-00000000"},
        {"external_id": "mei"},
    ],
)
def test_nobody_is_found_by_part_of_a_thing(mei: Member, asked: dict[str, Any]):
    with pytest.raises(MemberNotFound):
        seeing.find(**asked)


def test_a_number_that_nobody_has_is_not_found(mei: Member):
    with pytest.raises(MemberNotFound):
        seeing.find(member_no=number_of(mei.pk + 1))


def test_an_id_belongs_to_its_channel(mei: Member, wechat: Channel):
    with pytest.raises(MemberNotFound):
        seeing.find(channel=wechat, external_id="mei")


def test_who_was_merged_is_who_they_were_merged_into(mei: Member, tmall: Channel):
    chain = [mei.pk, *(known(tmall, buyer(name)).member_id for name in ("a", "b"))]
    for gone, stays in pairwise(chain):
        Member.objects.filter(pk=gone).update(status="merged", merged_into=stays)
    assert seeing.find(phone="13800138001").pk == chain[-1]
    assert seeing.find(member_no=mei.number).pk == chain[-1]


def test_who_was_erased_is_not_found(mei: Member):
    Member.objects.filter(pk=mei.pk).update(status="erased")
    with pytest.raises(MemberNotFound):
        seeing.find(member_no=mei.number)
