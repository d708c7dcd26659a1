"""The cast: Mei buys everywhere, Bo once; one member of staff for each role."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from members.models import Member
from privacy import roles


@pytest.fixture
def mei(db: None) -> Member:
    return Member.objects.create(
        number="SK-MEI00001",
        joined_at=timezone.now(),
        name="欧阳梅",
        phone="+8613800138000",
        email="mei@example.com",
    )


@pytest.fixture
def bo(db: None) -> Member:
    return Member.objects.create(
        number="SK-BO000001", joined_at=timezone.now(), name="王波", phone="+8613900139000"
    )


@pytest.fixture
def staff(db: None) -> Callable[..., User]:
    def make(role: str, store: str = "") -> User:
        user, _ = roles.make_staff(f"{role}-{User.objects.count()}", role, store=store)
        return user

    return make
