"""What becomes of scored pairs: linked, put before a person, or nothing. Pure.

A score alone links nobody. A pair is linked where it scores high enough, nothing speaks against it, and
nobody else could be meant: a masked 张** with the phone of two 张 is a question, however high it scores.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from members.matching.comparing import AGAINST, OWN, TELLING
from members.matching.engine import Scored


class Decision(NamedTuple):
    """Pairs to link and pairs to ask about, best first."""

    link: list[Scored]
    ask: list[Scored]


def decide(pairs: Iterable[Scored], *, link: float, ask: float, questions: int) -> Decision:
    """Decide over all pairs of a run at once. A member raises at most so many `questions`."""
    worth = sorted((pair for pair in pairs if pair.score >= ask), key=_best_first)
    sure = {(pair.one, pair.other) for pair in worth if pair.score >= link and is_telling(pair.levels)}
    rivals = _rivals(worth)
    links = [pair for pair in worth if (pair.one, pair.other) in sure and _is_alone(pair, rivals, sure)]
    linked = {(pair.one, pair.other) for pair in links}
    doubts = [pair for pair in worth if (pair.one, pair.other) not in linked]
    return Decision(links, _few_of_each(doubts, questions))


def is_undisputed(levels: Mapping[str, str]) -> bool:
    """Whether nothing that is told speaks against one person."""
    return not any(levels.get(word) in words for word, words in AGAINST.items())


def is_telling(levels: Mapping[str, str]) -> bool:
    """Whether what agrees belongs to one person, and not to a household as phones and surnames do."""
    is_own = levels.get("name") in TELLING or ("name" in levels and levels.get("email") in OWN)
    return is_own and is_undisputed(levels)


def _best_first(pair: Scored) -> tuple[float, int, int]:
    return (-pair.score, pair.one, pair.other)


def _rivals(pairs: Sequence[Scored]) -> dict[int, set[int]]:
    """Who else each member could be."""
    rivals: dict[int, set[int]] = defaultdict(set)
    for pair in pairs:
        if is_undisputed(pair.levels):
            rivals[pair.one].add(pair.other)
            rivals[pair.other].add(pair.one)
    return rivals


def _is_alone(pair: Scored, rivals: Mapping[int, set[int]], sure: set[tuple[int, int]]) -> bool:
    """Whether everybody else who could be meant is surely the same person too."""
    others = (rivals[pair.one] | rivals[pair.other]) - {pair.one, pair.other}
    return all(
        (min(side, other), max(side, other)) in sure for other in others for side in (pair.one, pair.other)
    )


def _few_of_each(pairs: Sequence[Scored], most: int) -> list[Scored]:
    raised: Counter[int] = Counter()
    kept = []
    for pair in pairs:
        if raised[pair.one] < most and raised[pair.other] < most:
            raised.update((pair.one, pair.other))
            kept.append(pair)
    return kept
