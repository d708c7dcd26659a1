"""What a stand-in sends: one HTTP request, and how its platform knows that it arrived."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlencode

Credentials = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """One request to be posted; the same parcel is sent again until it is acknowledged."""

    name: str  # for people who watch
    headers: Mapping[str, str]
    raw: bytes
    query: Mapping[str, str] = field(default_factory=dict)
    forgery: bytes = b""  # what a forger would make of it, where a space more goes unnoticed

    def address(self, url: str) -> str:
        """Where it goes: the address with the parcel's own parameters."""
        return f"{url}?{urlencode(self.query)}" if self.query else url

    def forged(self) -> "Parcel":
        """The same with another content under the old signature."""
        return replace(self, name=f"{self.name}, forged", raw=self.forgery or self.raw + b" ")


@dataclass(frozen=True, slots=True, kw_only=True)
class StandIn:
    """One platform. `pauses`: seconds between its attempts; `takes`: whether an answer ends them."""

    platform: str
    credentials: Credentials  # made up, for a channel that is only for trying
    pauses: Sequence[float]
    takes: Callable[[int, bytes], bool]
    # Some days of trade: parcels in the order in which things happened, with older tellings among them.
    story: Callable[[Credentials, int, int], Sequence[Parcel]]


def answers_success(status: int, body: bytes) -> bool:
    """Any answer of 2xx ends the attempts."""
    return 200 <= status < 300


def money(cents: int) -> str:
    """Yuan as platforms write them: 1234 is 12.34."""
    return f"{cents // 100}.{cents % 100:02d}"


Payload = dict[str, Any]
