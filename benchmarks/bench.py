"""What every measurement is given, and what it gives back."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from benchmarks.limits import Postings
from config.cluster import Cluster

MILLION = 1_000_000
LEAST = 300  # members of the smallest run: enough for every page and batch to have rows


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of the table. `faults` counts answers and rows that ought not to be, whatever the speed."""

    work: str
    size: str
    measured: str
    beside: str = ""  # the limit, or the peer, measured in the same minute
    ratio: float | None = None
    goal: str = ""
    is_met: bool | None = None
    faults: int = 0
    loads: tuple[float, float] = (0.0, 0.0)  # of the machine, before and after


@dataclass
class Bench:
    """One run: its size, its server and its limits.

    `scale` 1 is the size of the goals. `say` tells whoever waits how far we are.
    """

    scale: float
    server: Cluster
    folder: Path
    key: str
    say: Callable[[str], None]
    kept: dict[str, float] = field(default_factory=dict)  # figures that a later measurement compares with

    def rows(self, full: int) -> int:
        """How many of something there are in this run, of `full` at scale 1."""
        return max(LEAST, round(full * self.scale))

    @property
    def members(self) -> int:
        return self.rows(MILLION)

    @property
    def orders(self) -> int:
        return self.rows(MILLION)

    @property
    def seconds(self) -> int:
        """How long to measure what has no end."""
        return max(1, min(20, round(self.scale * 100)))

    @cached_property
    def postings(self) -> Postings:
        """The limit of postings, with its wallets loaded at the first call."""
        self.say("loading wallets for limit L")
        return Postings(self.server, wallets=self.members)

    def limit_l(self) -> float:
        """Limit L, now: postings a second."""
        return self.postings.rate(self.seconds)
