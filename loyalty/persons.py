"""The purses of one person: which of those that are open belong together by merges (A6). Pure.

A merge ties one member to another; ties make trees, and a tree is a person. Its root, the survivor whom
nothing ties to anybody, is the head: the person's tier is kept there.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from loyalty.purse import Purse


class Tie(NamedTuple):
    """A merge that holds: which member it ties to which survivor."""

    merge_id: int
    survivor_id: int
    other_id: int


def link(purses: Iterable[Purse], ties: Collection[Tie]) -> None:
    """Let purses know those of the same person, and by which merge each is that.

    Of several merges between two purses, that is the latest: merges are undone latest first, so it is the
    one whose end parts them.
    """
    by_member = {purse.member_id: purse for purse in purses}
    near = _near(ties)
    tied = {tie.other_id for tie in ties}
    for member_id, purse in by_member.items():
        reached = _reach(member_id, near)
        kin = [by_member[each] for each in reached if each != member_id and each in by_member]
        purse.kin = sorted(kin, key=lambda each: each.wallet_id)
        purse.merges = {each.wallet_id: reached[each.member_id] for each in kin}
        purse.is_head = member_id not in tied


def _reach(member_id: int, near: Mapping[int, list[tuple[int, int]]]) -> dict[int, int]:
    """Whom a member is tied to, at any distance, with the latest merge on the way."""
    reached, waiting = {member_id: 0}, [member_id]
    while waiting:
        here = waiting.pop()
        for there, merge_id in near.get(here, ()):
            if there not in reached:
                reached[there] = max(reached[here], merge_id)
                waiting.append(there)
    return reached


def side(member_id: int, ties: Collection[Tie]) -> set[int]:
    """The members who are one person with this one by these ties, itself among them."""
    return set(_reach(member_id, _near(ties)))


def _near(ties: Collection[Tie]) -> Mapping[int, list[tuple[int, int]]]:
    near: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for tie in ties:
        near[tie.survivor_id].append((tie.other_id, tie.merge_id))
        near[tie.other_id].append((tie.survivor_id, tie.merge_id))
    return near
