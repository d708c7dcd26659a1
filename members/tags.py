"""Tags: words of the brand's own, put on members by hand (A13); `members.tag_rules` gives them by rule."""

from collections.abc import Collection, Mapping

from django.db import transaction
from django.db.models import QuerySet
from django.utils.text import slugify

from members import columns, survivors
from members.errors import TagInvalid
from members.models import Member, MemberTag, Tag

LONGEST = 50


def give(member: Member, name: str, *, actor_id: int | None) -> Tag:
    """Put a tag on a member; the same again changes nothing. A name nobody used before makes the tag.

    One that a rule gave is by hand from now on, and stays when the rule no longer holds. Raises TagInvalid.
    """
    with transaction.atomic():
        tag = named(name)
        given, is_new = MemberTag.objects.get_or_create(
            member=member, tag=tag, defaults={"given_by_id": actor_id}
        )
        if not is_new and given.rule_id is not None:
            given.rule_id, given.given_by_id = None, actor_id
            given.save(update_fields=["rule", "given_by"])
    return tag


def named(name: str) -> Tag:
    """The tag of this name, made when nobody used it before.

    Raises TagInvalid for a name without a letter or digit, or one that is too long.
    """
    name = " ".join(name.split())
    code = slugify(name, allow_unicode=True)
    if not code or len(name) > LONGEST:
        raise TagInvalid
    tag, _made = Tag.objects.get_or_create(code=code, defaults={"name": name})
    return tag


def take_away(member: Member, code: str) -> bool:
    """Take a tag off a member; answers whether it was there. What a rule gave, only the rule takes away."""
    person = survivors.same_person(member.pk)
    deleted, _by_model = MemberTag.objects.filter(member__in=person, tag__code=code, rule=None).delete()
    return deleted > 0


def of(member: Member) -> QuerySet[MemberTag]:
    """The tags of a member by name, each with who gave it and when."""
    rows = MemberTag.objects.filter(member__in=survivors.same_person(member.pk))
    rows = rows.select_related("tag", "given_by").order_by("tag__name", "tag_id", "pk")
    return rows.distinct("tag__name", "tag_id")


def of_persons(member_ids: Collection[int]) -> Mapping[int, frozenset[str]]:
    """The codes of the tags of each of these members, also of whoever is the same person; one statement."""
    rows = columns.ask(
        f"{survivors.PERSONS} SELECT down.asked, array_agg(DISTINCT tag.code) FROM down"
        " JOIN members_membertag given ON given.member_id = down.id"
        " JOIN members_tag tag ON tag.id = given.tag_id GROUP BY down.asked",
        [sorted(set(member_ids))],
    )
    return {member_id: frozenset(codes) for member_id, codes in rows}


def known(limit: int = 50) -> list[str]:
    """Names of tags in use, to choose from."""
    return list(Tag.objects.order_by("name").values_list("name", flat=True)[:limit])
