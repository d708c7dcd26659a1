"""Garbage: how often a process that does long work looks for what is in a ring and holds only itself.

All else is let go at once, when nobody needs it any more. A chunk of a file is thousands of objects that wait
for one another, and to walk over them at every seven hundredth was a tenth of an import.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_NEW = 50_000  # objects that came and did not go: more than one chunk holds
_ROUNDS = 10


@contextmanager
def collected_rarely() -> Iterator[None]:
    """Within the block Python looks for rings more rarely, and never among what was there before it."""
    usual = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(_NEW, _ROUNDS, _ROUNDS)
    try:
        yield
    finally:
        gc.set_threshold(*usual)
        gc.unfreeze()
