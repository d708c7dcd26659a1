from types import SimpleNamespace

import pytest
from django.apps import apps
from django.db import models
from django.test.utils import isolate_apps

from members.models import Member
from privacy import register
from privacy.fields import BlindIndexField, SealedModel, SealedTextField
from privacy.masking import MASKS
from privacy.register import Basis, Category, NotPersonal, PersonalField, Register, Retention


def declared(model: str, field: str, mask: str = "text") -> PersonalField:
    return PersonalField(
        model=model,
        field=field,
        category=Category.PROFILE,
        purpose="To know.",
        basis=Basis.CONSENT,
        retention=Retention.CONSENT,
        mask=mask,
    )


def test_every_personal_field_is_in_the_register():
    """Declare the field in <app>/personal.py: as PersonalField, or as NotPersonal with the reason."""
    assert register.undeclared(apps.get_models(), Member, register.current()) == []


def test_every_declaration_is_of_a_field_that_is_there():
    assert register.stale(register.current()) == []


def test_every_declaration_says_why_and_for_how_long():
    assert register.all_fields()
    for field in register.all_fields():
        assert str(field.purpose).endswith("."), field
        assert field.mask in MASKS
        assert field.basis in Basis and field.retention in Retention and field.category in Category
        assert field.sensitive is False or field.basis == Basis.CONSENT, field


@isolate_apps("members")
def test_a_new_personal_field_is_noticed():
    class Diary(SealedModel):
        member = models.ForeignKey(Member, models.PROTECT, related_name="+")
        page = SealedTextField()
        page_index = BlindIndexField(null=True)
        receiver_name = models.CharField(max_length=10)
        note = models.TextField()
        amount = models.IntegerField()
        is_phone = models.BooleanField()

        class Meta:
            app_label = "members"

    class Leaf(models.Model):
        diary = models.ForeignKey(Diary, models.PROTECT, related_name="+")
        email = models.CharField(max_length=10)

        class Meta:
            app_label = "members"

    class Shop(models.Model):
        name = models.CharField(max_length=10)

        class Meta:
            app_label = "members"

    empty = Register(fields={}, exempt={})
    assert register.undeclared([Diary, Leaf, Shop], Member, empty) == [
        "members.Diary.page",
        "members.Diary.page_index",
        "members.Diary.receiver_name",
        "members.Diary.note",
        "members.Leaf.email",
    ]
    empty.add(declared("members.Diary", "note"))
    empty.add(NotPersonal(model="members.Leaf", field="email", why="the shop's own"))
    assert register.undeclared([Diary, Leaf], Member, empty) == [
        "members.Diary.page",
        "members.Diary.page_index",
        "members.Diary.receiver_name",
    ]


def test_a_field_is_declared_once_and_with_a_mask_that_exists():
    book = Register(fields={}, exempt={})
    book.add(declared("members.Member", "name"))
    with pytest.raises(ValueError, match="twice"):
        book.add(NotPersonal(model="members.Member", field="name", why="no"))
    with pytest.raises(ValueError, match="unknown mask"):
        book.add(declared("members.Member", "phone", mask="stars"))


def test_a_declaration_of_what_is_gone_is_found():
    book = Register(fields={}, exempt={})
    for model, field in (("members.Member", "name"), ("members.Member", "fax"), ("members.Ghost", "name")):
        book.add(declared(model, field))
    assert register.stale(book) == ["members.Member.fax", "members.Ghost.name"]


def test_modules_are_read_in_their_order(monkeypatch):
    def fake(name: str) -> SimpleNamespace:
        return SimpleNamespace(PERSONAL_FIELDS=(declared(f"{name}.Model", "name"),))

    monkeypatch.setattr(register, "import_module", fake)
    assert [key[0] for key in Register.read(["b", "a"]).fields] == ["b.Model", "a.Model"]


def test_fields_of_a_model_are_found():
    record = apps.get_model("privacy.AccessRecord")
    assert {field.field for field in register.fields_of(record)} == {"actor_label", "reason", "ip"}
    found = register.find(record, "ip")
    assert found is not None and found.mask == "ip"
    assert register.find(record, "action") is None
