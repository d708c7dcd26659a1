"""What tests of members start with."""

import pytest

from members.models import Channel
from tests import make


@pytest.fixture
def tmall(db: None) -> Channel:
    return make.tmall()


@pytest.fixture
def wechat(db: None) -> Channel:
    return make.wechat()


@pytest.fixture
def pos(db: None) -> Channel:
    return make.pos()
