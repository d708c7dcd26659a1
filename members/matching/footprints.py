"""Blind keys: how the minute finds whom to compare with, and how common a value is; nobody's name is opened.

What is found here is only ever a candidate: two members who share a key are compared, no more.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence

from members import columns
from members.matching.engine import Shares
from members.matching.features import BLOCKS, Features
from privacy.crypto import blind_index

CHUNK = 10_000
# A key that more members have than this brings nobody together in a minute: the night compares them.
CROWD = 300


def _hashed(purpose: str, text: str) -> int:
    return int.from_bytes(blind_index(text, purpose=purpose)[:8], "big", signed=True)


def keys_of(features: Features) -> list[int]:
    """The keys of one description: what the blocking rules of the night compare, each as a number."""
    return [
        _hashed("match_key", f"{block}:{value}")
        for block in BLOCKS
        if (value := getattr(features, block)) is not None
    ]


def keys_by_member(features: Iterable[Features]) -> dict[int, list[int]]:
    """The keys of each member, from all their descriptions."""
    found: dict[int, set[int]] = defaultdict(set)
    for each in features:
        found[each.member].update(keys_of(each))
    return {member: sorted(keys) for member, keys in found.items()}


def keep(keys: Mapping[int, Sequence[int]]) -> None:
    """Remember by what members can be met; rows that say so already are left alone."""
    members = sorted(keys)
    for start in range(0, len(members), CHUNK):
        chunk = members[start : start + CHUNK]
        columns.tell(
            """
            INSERT INTO members_footprint (member_id, keys)
            SELECT member_id, keys::bigint[]
              FROM unnest(%s::bigint[], %s::text[]) AS told(member_id, keys)
                ON CONFLICT (member_id) DO UPDATE SET keys = excluded.keys
             WHERE members_footprint.keys IS DISTINCT FROM excluded.keys
            """,
            [columns.numbers(chunk), columns.texts([columns.numbers(keys[member]) for member in chunk])],
        )


def forget_the_gone() -> None:
    """Remove what is kept of members that are not compared any more: merged, restricted, erased."""
    columns.tell(
        """
        DELETE FROM members_footprint USING members_member AS member
         WHERE member.id = member_id AND member.status <> 'active'
        """
    )


def sharing(keys: Mapping[int, Sequence[int]]) -> list[int]:
    """The other members that share a key with one of these."""
    wanted = sorted({key for each in keys.values() for key in each})
    rows = columns.ask(
        """
        SELECT DISTINCT met.member_id
          FROM unnest(%s::bigint[]) AS told(key)
         CROSS JOIN LATERAL (
               SELECT member_id FROM members_footprint WHERE keys @> ARRAY[told.key] LIMIT %s
         ) AS met
         WHERE met.member_id <> ALL(%s::bigint[])
        """,
        [columns.numbers(wanted), CROWD, columns.numbers(sorted(keys))],
    )
    return [member for (member,) in rows]


def keep_shares(shares: Shares) -> None:
    """Replace what is known of how common values are."""
    rows = [
        (column, _hashed("match_share", f"{column}:{value}"), share)
        for column, values in shares.items()
        for value, share in values.items()
    ]
    columns.tell("DELETE FROM members_valueshare")
    for start in range(0, len(rows), CHUNK):
        chunk = rows[start : start + CHUNK]
        columns.tell(
            """
            INSERT INTO members_valueshare ("column", value, share)
            SELECT "column", value, share FROM unnest(%s::text[], %s::bigint[], %s::float8[])
                   AS told("column", value, share)
                ON CONFLICT ON CONSTRAINT value_share_once DO NOTHING
            """,
            [
                columns.texts([column for column, _, _ in chunk]),
                columns.numbers([value for _, value, _ in chunk]),
                "{" + ",".join(repr(share) for _, _, share in chunk) + "}",
            ],
        )


def known_shares(values: Mapping[str, Collection[str]]) -> Shares:
    """How common these values are, by column, as far as the last night has counted them."""
    asked = [
        (column, value, _hashed("match_share", f"{column}:{value}"))
        for column, some in values.items()
        for value in some
    ]
    rows = columns.ask(
        """
        SELECT told.n, known.share
          FROM unnest(%s::text[], %s::bigint[]) WITH ORDINALITY AS told("column", value, n)
          JOIN members_valueshare AS known USING ("column", value)
        """,
        [
            columns.texts([column for column, _, _ in asked]),
            columns.numbers([hashed for _, _, hashed in asked]),
        ],
    )
    found: Shares = {column: {} for column in values}
    for n, share in rows:
        column, value, _ = asked[n - 1]
        found[column][value] = share
    return found
