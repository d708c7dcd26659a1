"""What every measurement is given, and what it gives back."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from benchmarks.limits import Postings, copy_rate
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
class Limit:
    """What the machine could do before and after a measurement: the further apart, the less a ratio says."""

    name: str
    unit: str
    rates: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Between the two."""
        return sum(self.rates) / len(self.rates)

    def __str__(self) -> str:
        return f"{self.name} = " + " and ".join(f"{rate:,.0f}" for rate in self.rates) + self.unit


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

    @contextmanager
    def beside_l(self) -> Iterator[Limit]:
        """Measure limit L before and after the block; what the block measures may be set against it then."""
        limit = Limit("L", "/s")
        limit.rates.append(self.postings.rate(self.seconds))
        yield limit
        limit.rates.append(self.postings.rate(self.seconds))

    @contextmanager
    def beside_c(self, file: Path, *, key: str, encoding: str) -> Iterator[Limit]:
        """The same with limit C, of the file that the block imports."""
        limit = Limit("C", " rows/s")
        limit.rates.append(copy_rate(self.server, file, key=key, encoding=encoding))
        yield limit
        limit.rates.append(copy_rate(self.server, file, key=key, encoding=encoding))
