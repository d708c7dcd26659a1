"""Versions of the programme, each with what it changed about the rules, in words (B5)."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import get_language

from loyalty.comparison import differences
from loyalty.models import ProgrammeVersion
from loyalty.programme import Programme, parse
from loyalty.rule_choices import NamesOnDemand
from loyalty.sentences import Names

MOST_SENTENCES = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Chapter:
    """One version: its changes of rules in the reader's language, how many more there are, and others."""

    version: ProgrammeVersion
    sentences: Sequence[str]
    more: int
    others: int


def tell(versions: Sequence[ProgrammeVersion]) -> list[Chapter]:
    """What each of these versions changed against the one published before it; in three statements,
    and three more when some change names a channel, a store or a tag."""
    before = _before(versions)
    wanted = {id_ for id_ in before.values() if id_ is not None} | {version.pk for version in versions}
    documents = dict(ProgrammeVersion.objects.filter(pk__in=wanted).values_list("pk", "document"))
    read: dict[int, Programme] = {pk: parse(document) for pk, document in documents.items()}
    names = NamesOnDemand(*(documents[pk] for pk in sorted(documents)))
    return [
        _chapter(version, read[version.pk], read.get(before[version.pk] or 0), names) for version in versions
    ]


def _before(versions: Sequence[ProgrammeVersion]) -> dict[int, int | None]:
    """For each version the last one that was published under a lower number."""
    published = list(
        ProgrammeVersion.objects.filter(state=ProgrammeVersion.State.PUBLISHED)
        .order_by("number")
        .values_list("number", "pk")
    )
    return {
        version.pk: next((pk for number, pk in reversed(published) if number < version.number), None)
        for version in versions
    }


def _chapter(version: ProgrammeVersion, now: Programme, before: Programme | None, names: Names) -> Chapter:
    changed = differences(before, now, names)
    of_rules = [each for each in changed if each.section == "rules"]
    told = [each.sentence(get_language() or "en") for each in of_rules[:MOST_SENTENCES]]
    return Chapter(
        version=version,
        sentences=told,
        more=len(of_rules) - len(told),
        # From when a version holds is told by itself.
        others=sum(each.section != "rules" and each.path != "effective_from" for each in changed),
    )
