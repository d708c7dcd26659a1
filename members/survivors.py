"""Who is one person: members that were merged into one another, however often (A6).

A merge keeps both rows: the one points to the survivor. What a person may have once must be looked for
under all of them.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping

from django.db import connection

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
