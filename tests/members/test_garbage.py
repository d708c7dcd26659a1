"""Long work looks for garbage rarely, and whoever comes after it as often as ever."""

import gc
from weakref import ref

import pytest

from members.garbage import collected_rarely


class Ring:
    """Something that holds itself."""

    def __init__(self) -> None:
        self.itself = self


def test_a_ring_is_found_later_and_not_never():
    with collected_rarely():
        ring = ref(Ring())
        several: list[list[int]] = [[] for _ in range(5_000)]  # enough for a look at any other time
        assert ring() is not None
        many: list[list[int]] = [[] for _ in range(60_000)]
        assert ring() is None
    assert (len(several), len(many)) == (5_000, 60_000)


def test_it_is_as_before_also_when_the_work_fails():
    usual = gc.get_threshold()
    with pytest.raises(ZeroDivisionError), collected_rarely():
        assert gc.get_threshold() > usual
        1 / 0  # noqa: B018
    assert gc.get_threshold() == usual
    assert gc.get_freeze_count() == 0
