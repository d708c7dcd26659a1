import pytest

from tests.trade import Trade


@pytest.fixture
def trade(db: None) -> Trade:
    return Trade()


@pytest.fixture(autouse=True)
def uploads(settings, tmp_path):
    """Files that a story imports go here, and not to the uploads of this checkout."""
    settings.UPLOADS = tmp_path / "uploads"
