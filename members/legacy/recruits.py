"""Recruits of an old system: who brought whom there (A3, A16).

It stands on the friend's profile, as where they come from. It counts for no ladder and gives nothing: what
it brought was given by the old system. Who is known here as somebody's friend already stays theirs.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from members import columns
from members.legacy.takers import Made, Offer, Returned, Taken, Use
from members.models import Channel

# One statement each, whatever the chunk; a member is their own friend by no road, merged or not.
_TAKE = """
UPDATE members_member m SET referrer_id = told.referrer_id
  FROM unnest(%s::bigint[], %s::bigint[]) AS told(friend_id, referrer_id)
 WHERE m.id = told.friend_id AND m.referrer_id IS NULL AND m.id <> told.referrer_id
   AND told.referrer_id NOT IN (SELECT members_same_person(m.id))
RETURNING m.id
"""
_KNOWN = "SELECT id, referrer_id FROM members_member WHERE id = ANY(%s::bigint[])"
# `made` is the referrer: what somebody has written over since is theirs.
_TAKE_BACK = """
UPDATE members_member m SET referrer_id = NULL
  FROM unnest(%s::bigint[], %s::bigint[]) AS made(row_id, referrer_id)
  JOIN members_legacyrow r ON r.id = made.row_id
  JOIN members_account a ON a.id = r.account_id
 WHERE m.id = a.member_id AND m.referrer_id = made.referrer_id
RETURNING made.row_id
"""


class Recruits:
    """Takes who brought whom."""

    def judge(self, documents: Sequence[Mapping[str, Any]]) -> list[str]:
        """Both are found by the rules of the package, or not."""
        return [""] * len(documents)

    def take(
        self, channel: Channel, offers: Sequence[Offer], *, run_id: int, actor_id: int | None
    ) -> list[Taken]:
        """Write each referrer on the friend's profile, where none is."""
        told = [offer for offer in offers if offer.other_id is not None]
        friends = [offer.member_id for offer in told]
        known: dict[int, int | None] = dict(columns.ask(_KNOWN, [columns.numbers(friends)]))
        asked = [columns.numbers(friends), columns.numbers([offer.other_id for offer in told])]
        written = {id_ for (id_,) in columns.ask(_TAKE, asked)}
        return [_taken(offer, known.get(offer.member_id), written) for offer in offers]

    def used(self, run_id: int) -> list[Use]:
        """Nothing is spent of it."""
        return []

    def take_back(
        self, channel: Channel, made: Sequence[Made], *, spent: str, run_id: int, actor_id: int | None
    ) -> list[Returned]:
        """Take each off the profile again, unless another stands there by now."""
        asked = [columns.numbers([each.row_id for each in made]), columns.numbers([e.made for e in made])]
        gone = {row_id for (row_id,) in columns.ask(_TAKE_BACK, asked)}
        return [Returned(*((1, 0) if each.row_id in gone else (0, 1))) for each in made]


def _taken(offer: Offer, known: int | None, written: set[int]) -> Taken:
    if offer.other_id is None:
        return Taken(None, "referrer_unknown")
    if offer.member_id in written:
        return Taken(offer.other_id)
    if known is None:
        return Taken(None, "referrer_is_oneself")
    return Taken(None, "" if known == offer.other_id else "brought_by_another")
