"""Who is one person: members that were merged into one another, however often (A6).

A merge keeps both rows: the one points to the survivor. What a person may have once must be looked for
under all of them.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import BigIntegerField
from django.db.models.expressions import RawSQL

_LINKED = """
WITH RECURSIVE up AS (
    SELECT id AS asked, id, merged_into_id FROM members_member WHERE id = ANY(%(ids)s)
     UNION
    SELECT up.asked, m.id, m.merged_into_id FROM up JOIN members_member m ON m.id = up.merged_into_id
), down AS (
    SELECT asked, id FROM up WHERE merged_into_id IS NULL
     UNION
    SELECT down.asked, m.id FROM down JOIN members_member m ON m.merged_into_id = down.id
)
SELECT asked, id FROM down ORDER BY asked, id
"""


PERSONS = _LINKED.replace("%(ids)s", "%s").rsplit("SELECT asked", 1)[0]  # to be joined: down(asked, id)


def linked(member_ids: Collection[int]) -> Mapping[int, tuple[int, ...]]:
    """For each member all members that are the same person by merges, itself among them; one statement."""
    if not member_ids:
        return {}
    found: dict[int, list[int]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(_LINKED, {"ids": sorted(set(member_ids))})
        for asked, id_ in cursor.fetchall():
            found[asked].append(id_)
    return {member_id: tuple(found.get(member_id, (member_id,))) for member_id in member_ids}


# These members and whoever each was merged into; the parameter is an array of ids.
UP = """
WITH RECURSIVE up AS (
    SELECT id, merged_into_id FROM members_member WHERE id = ANY(%s::bigint[])
     UNION
    SELECT m.id, m.merged_into_id FROM up JOIN members_member m ON m.id = up.merged_into_id
)
SELECT id FROM up
"""


def with_survivors(member_ids: Collection[int]) -> RawSQL:
    """These members and whoever each was merged into, at any distance, for `pk__in=`."""
    return RawSQL(UP, [sorted(set(member_ids))], output_field=BigIntegerField())


def head_of(member_id: int, into: Mapping[int, int | None]) -> int:
    """Under whom a person's profile is kept: the survivor who is merged into nobody.

    into: whom each member was merged into, of all that `with_survivors` finds.
    """
    while (survivor := into.get(member_id)) is not None:
        member_id = survivor
    return member_id


def same_person(member_id: int) -> RawSQL:
    """A member and who is the same person, for `member__in=`: no statement of its own."""
    return RawSQL("SELECT members_same_person(%s)", [member_id], output_field=BigIntegerField())


def are_one(member_id: int, other_id: int | None) -> bool:
    """Whether two members are the same person; a statement only where they are not the same row."""
    if other_id is None or member_id == other_id:
        return member_id == other_id
    return other_id in linked([member_id])[member_id]


# Who was the same person as of an instant, by the merges that held then; `asked_at` gives its parameters.
LINKED_AT = """
WITH RECURSIVE person(id) AS (
    SELECT %s::bigint
     UNION
    SELECT CASE m.other_id WHEN person.id THEN m.survivor_id ELSE m.other_id END
      FROM person JOIN members_merge m ON person.id IN (m.other_id, m.survivor_id)
     WHERE m.at <= %s AND (m.undone_at IS NULL OR m.undone_at > %s)
)
SELECT id FROM person
"""


def asked_at(member_id: int, at: datetime) -> tuple[Any, ...]:
    """The parameters of `LINKED_AT`."""
    return member_id, at, at


def linked_at(member_id: int, at: datetime) -> set[int]:
    """Who was the same person as this member as of an instant, itself among them."""
    with connection.cursor() as cursor:
        cursor.execute(LINKED_AT, asked_at(member_id, at))
        return {row[0] for row in cursor.fetchall()}
