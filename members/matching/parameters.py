"""The parameters of the model: data with a version, made by `manage.py evaluate_matching --estimate`.

`parameters.json` holds m and u of every level, the share of members who are there twice, and the thresholds
that were measured with them. Thresholds can be set apart (MATCH_LINK_SCORE, MATCH_ASK_SCORE).
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

from django.conf import settings

from members.matching.comparing import Odds
from members.matching.engine import SMALLEST_SHOP

SHIPPED = Path(__file__).with_name("parameters.json")


@dataclass(frozen=True, slots=True)
class Parameters:
    """One version of the model. `twice` is the share of members who are there under another number too."""

    version: str
    seed: int
    people: int
    twice: float
    link: float
    ask: float
    odds: Mapping[str, Mapping[str, Odds]]

    def prior(self, members: int) -> float:
        """The chance that two of so many members, taken at random, are one person."""
        return self.twice / max(members, SMALLEST_SHOP)

    def document(self) -> dict[str, Any]:
        """As it is written to the file."""
        found = asdict(self)
        found["odds"] = {
            comparison: {word: [round(odds.m, 8), round(odds.u, 10)] for word, odds in levels.items()}
            for comparison, levels in self.odds.items()
        }
        return found


def parse(document: Mapping[str, Any]) -> Parameters:
    """The parameters of a document() that was written."""
    odds = {
        comparison: {word: Odds(*both) for word, both in levels.items()}
        for comparison, levels in document["odds"].items()
    }
    return Parameters(**{**document, "odds": odds})


@cache
def shipped() -> Parameters:
    """The parameters that come with this version."""
    return parse(json.loads(SHIPPED.read_text(encoding="utf-8")))


def write(parameters: Parameters, file: Path = SHIPPED) -> None:
    """Replace the shipped parameters; they are in force when the process starts again."""
    file.write_text(json.dumps(parameters.document(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def thresholds() -> tuple[float, float]:
    """From which score members are linked, and from which a person is asked."""
    known = shipped()
    link = settings.MATCH_LINK_SCORE
    ask = settings.MATCH_ASK_SCORE
    return (known.link if link is None else link), (known.ask if ask is None else ask)
