import pytest

from tests.trade import Trade


@pytest.fixture
def trade(db: None) -> Trade:
    return Trade()
