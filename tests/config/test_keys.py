"""Keys: made once, read strictly."""

import base64
import stat
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.core.exceptions import ImproperlyConfigured

from config import keys

KEY = base64.b64encode(bytes(range(32))).decode()


def test_the_demo_makes_its_keys_once_and_keeps_them_private(tmp_path):
    path = tmp_path / "var" / "keys.env"
    with ThreadPoolExecutor(8) as processes:
        made = list(processes.map(lambda _: keys.read_or_make(path), range(8)))
    assert all(each == made[0] for each in made)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [file.name for file in path.parent.iterdir()] == ["keys.env"]
    assert len(keys.read_ring(made[0]["DATA_KEYS"])) == 1
    assert len(keys.read_key(made[0]["INDEX_KEY"], "INDEX_KEY")) == 32


def test_a_ring_is_read_newest_first():
    ring = keys.read_ring(f"new:{KEY}, old:{KEY}")
    assert ring == [("new", bytes(range(32))), ("old", bytes(range(32)))]
    assert keys.read_ring("") == []


@pytest.mark.parametrize(
    "text", ["no-colon", f":{KEY}", "k:c2hvcnQ=", "k:not base64", f"k:{KEY},k:{KEY}", "k:", f"k:{KEY[:-4]}"]
)
def test_a_ring_that_is_not_one_is_refused(text):
    with pytest.raises(ImproperlyConfigured, match="DATA_KEYS"):
        keys.read_ring(text)
