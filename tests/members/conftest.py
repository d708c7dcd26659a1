"""What tests of members start with."""

from collections.abc import Iterator

import pytest

from members import changes
from members.models import Channel
from tests import make
from tests.receiver import Receiver, receiving


@pytest.fixture
def tmall(db: None) -> Channel:
    return make.tmall()


@pytest.fixture
def wechat(db: None) -> Channel:
    return make.wechat()


@pytest.fixture
def pos(db: None) -> Channel:
    return make.pos()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A channel's own server, on this machine."""
    with receiving() as one:
        yield one


@pytest.fixture
def everything_is_final(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test's own transaction is still writing: its changes count as committed here."""
    monkeypatch.setattr(changes, "horizon", lambda: 2**62)
