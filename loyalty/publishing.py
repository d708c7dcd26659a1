"""Versions of the programme: drafted, compared, published, and which one holds when.

What was published is never edited: a change is the next version. There is one draft at a time. In
production its author says that it is ready for review, and somebody who had no hand in it publishes it, or
says why it cannot wait, on record (D6). An edit makes it unready again: what was reviewed is what holds.

The newest version whose `effective_from` is not after an instant holds at that instant; before all of
them the first holds. So a version that begins today also replaces an older one that was to begin later.
"""

import hashlib
import json
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.db.models import Max

from loyalty import clock, programme_file, references
from loyalty.cautions import cautions, not_acted_upon_yet
from loyalty.comparison import Difference, differences
from loyalty.errors import DraftChanged, NotADraft, NotReady, ProgrammeMissing, SecondPersonNeeded
from loyalty.models import ProgrammeVersion
from loyalty.programme import Programme, document, parse
from loyalty.rule_choices import NamesOnDemand
from members import columns
from privacy.errors import ReasonMissing

REASON_LENGTH = 5
# Why the demo's versions are published by one person; the database asks for a reason.
DEMO_REASON = "demo"

# Published versions never change, so their parsed form can be kept as long as the process lives.
_parsed: dict[tuple[int, datetime], Programme] = {}


@dataclass(frozen=True, slots=True)
class Loaded:
    """What became of a document: its version, what it changes, and what its author should know."""

    version: ProgrammeVersion
    differences: list[Difference]
    warnings: list[str] = field(default_factory=list)
    not_acted_upon: list[str] = field(default_factory=list)

    @property
    def is_published(self) -> bool:
        """Whether the version holds (or will), or still waits for a second person."""
        return self.version.state == ProgrammeVersion.State.PUBLISHED


class Held(NamedTuple):
    """The version that holds at an instant; `id` is what entries and tier changes name."""

    id: int
    number: int
    effective_from: datetime
    programme: Programme


# --- which version holds -----------------------------------------------------------------------------


class Programmes:
    """All published versions, asked for once and consulted for every fact of a batch."""

    def __init__(self, held: list[Held]) -> None:
        if not held:
            raise ProgrammeMissing
        # A version that a newer one preceded never comes to hold: only the rising edge is kept.
        self._steps: list[Held] = []
        for each in held:
            while self._steps and self._steps[-1].effective_from >= each.effective_from:
                self._steps.pop()
            self._steps.append(each)
        self._starts = [step.effective_from for step in self._steps]
        self._first, self._newest = held[0], held[-1]
        self._by_id = {each.id: each.programme for each in held}
        self._held = {each.id: each for each in held}

    def at(self, instant: datetime) -> Held:
        """The version that holds at an instant."""
        position = bisect_right(self._starts, instant)
        return self._steps[position - 1] if position else self._first

    def holding_since(self, instant: datetime) -> list[Held]:
        """The versions that held at an instant or came to hold since."""
        return [self.at(instant), *(step for step in self._steps if step.effective_from > instant)]

    def held(self, version_id: int) -> Held:
        """A version by its id. KeyError when there is no such published version."""
        return self._held[version_id]

    def by_id(self, version_id: int) -> Programme:
        """The programme of a version. KeyError when there is no such published version."""
        return self._by_id[version_id]

    @property
    def newest_first(self) -> list[Programme]:
        """The programmes of all versions."""
        return list(self._by_id.values())[::-1]

    @property
    def first_tier(self) -> str:
        """The code of the tier in which everybody begins, by the newest version."""
        return self._newest.programme.tiers[0].code

    @property
    def newest_id(self) -> int:
        """The version that was published last; it need not have begun."""
        return self._newest.id

    @property
    def asks_growth(self) -> bool:
        """Whether some version has growth value."""
        return any(programme.growth is not None for programme in self._by_id.values())

    @property
    def asks_joining(self) -> bool:
        """Whether some version counts from the anniversary of joining."""
        return any(tier.counts_from_joining for programme in self._by_id.values() for tier in programme.tiers)

    def known_at(self, newest_id: int) -> "Programmes":
        """The versions that had been published when `newest_id` was the newest."""
        number = self._held[newest_id].number
        return Programmes([held for held in self._held.values() if held.number <= number])

    @property
    def versions(self) -> list[Held]:
        """Every published version, also one that never came to hold."""
        return list(self._held.values())

    def lowest_tiers(self) -> frozenset[str]:
        """The codes of the tiers in which anybody ever began."""
        return frozenset(programme.tiers[0].code for programme in self._by_id.values())


def load_all() -> Programmes:
    """All published versions: one query, and one more for those this process has not read yet.

    Raises ProgrammeMissing when nothing has been published.
    """
    # Everything that earns, spends or shows begins with this: the ORM would take four times as long.
    rows = columns.ask(
        "SELECT id, published_at, number, effective_from FROM loyalty_programmeversion"
        " WHERE state = %s ORDER BY number",
        [ProgrammeVersion.State.PUBLISHED.value],
    )
    unread = [key for key, published_at, *_ in rows if (key, published_at) not in _parsed]
    for version in ProgrammeVersion.objects.filter(id__in=unread) if unread else ():
        _parsed[version.pk, _instant(version.published_at)] = parse(version.document)
    return Programmes(
        [
            Held(key, number, effective_from, _parsed[key, published_at])
            for key, published_at, number, effective_from in rows
        ]
    )


def current(at: datetime | None = None) -> Held:
    """The version that holds at an instant; without one, by the programme's clock now."""
    return load_all().at(clock.read().now if at is None else at)


def first_tier() -> str:
    """The code of the tier in which everybody begins, by the newest version."""
    return load_all().first_tier


def is_published() -> bool:
    """Whether there is a programme at all."""
    return ProgrammeVersion.objects.filter(state=ProgrammeVersion.State.PUBLISHED).exists()


def _instant(value: datetime | None) -> datetime:
    assert value is not None, "the database keeps the times of published versions"
    return value


# --- loading and publishing --------------------------------------------------------------------------


@transaction.atomic
def load(
    source: str | bytes | Mapping[str, Any], *, actor: User | None = None, environment: str | None = None
) -> Loaded:
    """Check a document and make it the draft; in the demo, publish it at once.

    source: YAML text, or the document itself. A document that says what the newest version says makes
    no new one. Raises ProgrammeInvalid with every mistake.
    """
    loaded = draft(source, actor=actor)
    if not loaded.is_published:
        make_ready(loaded.version, actor=actor)  # a file is whole when it is loaded
    if loaded.differences and (environment or settings.ENVIRONMENT) == "demo":
        version = publish(loaded.version, actor=actor, environment="demo")
        return Loaded(version, loaded.differences, loaded.warnings, loaded.not_acted_upon)
    return loaded


@transaction.atomic
def draft(
    source: str | bytes | Mapping[str, Any],
    *,
    actor: User | None = None,
    seen: Mapping[str, Any] | None = None,
) -> Loaded:
    """Make a document the draft, in place of the one that is there.

    seen: the document that the author began from; when the draft is another by now, DraftChanged is
    raised and nothing moves. A document equal to the newest version is no draft: that version is answered.
    """
    programme = parse(source if isinstance(source, Mapping) else programme_file.read(source))
    _take_turns()
    last, open_draft = newest(), current_draft()
    base = open_draft or last
    if seen is not None and base is not None and parse(base.document) != parse(seen):
        raise DraftChanged
    changes = _changes(last, programme)
    if last is not None and not changes:
        if seen is not None and open_draft is not None:
            open_draft.delete()  # edited back to what is published: nothing waits any more
        return Loaded(last, [], *_words(programme, last))
    version = _write_draft(open_draft, programme, actor)
    return Loaded(version, changes, *_words(programme, last))


@transaction.atomic
def publish(
    version: ProgrammeVersion,
    *,
    actor: User | None = None,
    break_glass: str = "",
    environment: str | None = None,
) -> ProgrammeVersion:
    """Publish a draft; it holds from its `effective_from`, or else from the minute that has begun.

    Raises NotADraft, ProgrammeInvalid (the rules have become stricter since it was drafted), and in
    production SecondPersonNeeded unless somebody who had no hand in the draft publishes it, and NotReady
    before its author is done; or `break_glass` says in at least five characters why it could not wait
    (ReasonMissing).
    """
    _take_turns()
    row = ProgrammeVersion.objects.select_for_update(no_key=True).get(pk=version.pk)
    if row.state != ProgrammeVersion.State.DRAFT:
        raise NotADraft
    reason = _reason_alone(row, actor, break_glass.strip(), environment or settings.ENVIRONMENT)
    programme = parse(row.document)
    now = clock.read().recorded
    row.state = ProgrammeVersion.State.PUBLISHED
    row.published_by, row.published_at, row.break_glass_reason = actor, now, reason
    # Channels tell times to the minute: an order paid in this minute is not one of the old programme.
    row.effective_from = programme.effective_from or now.replace(second=0, microsecond=0)
    row.save(update_fields=["state", "published_by", "published_at", "break_glass_reason", "effective_from"])
    return row


@transaction.atomic
def make_ready(version: ProgrammeVersion, *, actor: User | None = None) -> ProgrammeVersion:
    """The author is done with a draft and asks for a second person's look. Raises NotADraft."""
    row = _draft_row(version)
    row.ready_at, row.ready_by, row.sent_back = clock.read().recorded, actor, ""
    row.save(update_fields=["ready_at", "ready_by", "sent_back"])
    return row


@transaction.atomic
def send_back(version: ProgrammeVersion, reason: str) -> ProgrammeVersion:
    """Give a draft back to its authors, saying why. Raises NotADraft, NotReady and ReasonMissing."""
    if len(reason.strip()) < REASON_LENGTH:
        raise ReasonMissing
    row = _draft_row(version)
    if row.ready_at is None:
        raise NotReady
    row.ready_at, row.ready_by, row.sent_back = None, None, reason.strip()[:300]
    row.save(update_fields=["ready_at", "ready_by", "sent_back"])
    return row


def _draft_row(version: ProgrammeVersion) -> ProgrammeVersion:
    _take_turns()
    row = ProgrammeVersion.objects.select_for_update(no_key=True).get(pk=version.pk)
    if row.state != ProgrammeVersion.State.DRAFT:
        raise NotADraft
    return row


@transaction.atomic
def discard(version: ProgrammeVersion) -> None:
    """Throw a draft away. Raises NotADraft for what was published."""
    _take_turns()
    row = ProgrammeVersion.objects.select_for_update().get(pk=version.pk)
    if row.state != ProgrammeVersion.State.DRAFT:
        raise NotADraft
    row.delete()


def digest(document: Mapping[str, Any]) -> str:
    """A short name of a document's content, to notice that somebody else edited it meanwhile."""
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()[:32]


def to_edit(version: ProgrammeVersion) -> dict[str, Any]:
    """What an edit begins from. The next version does not begin when the published one began."""
    is_published = version.state == ProgrammeVersion.State.PUBLISHED
    return {
        key: each for key, each in version.document.items() if not is_published or key != "effective_from"
    }


def current_draft() -> ProgrammeVersion | None:
    """The draft that is being worked on, if there is one."""
    return ProgrammeVersion.objects.filter(state=ProgrammeVersion.State.DRAFT).order_by("number").last()


def changes_of(version: ProgrammeVersion) -> Loaded:
    """What a version changes against the version before it, and what should be known about it."""
    before, programme = _before(version), parse(version.document)
    return Loaded(version, _changes(before, programme), *_words(programme, before))


def count_changes(version: ProgrammeVersion) -> int:
    """How much a version changes against the version before it."""
    return len(_changes(_before(version), parse(version.document)))


def _before(version: ProgrammeVersion) -> ProgrammeVersion | None:
    published = ProgrammeVersion.objects.filter(
        state=ProgrammeVersion.State.PUBLISHED, number__lt=version.number
    )
    return published.order_by("number").last()


def _reason_alone(row: ProgrammeVersion, actor: User | None, break_glass: str, environment: str) -> str:
    """The reason to keep when one person publishes alone; '' when a second person does."""
    if break_glass:
        if len(break_glass) < REASON_LENGTH:
            raise ReasonMissing
        return break_glass
    had_a_hand = actor is not None and (actor.pk == row.drafted_by_id or actor.pk in row.drafters)
    if environment == "demo":
        return DEMO_REASON if had_a_hand else ""
    # Without a signed-in person nobody can say that there were two.
    if actor is None or had_a_hand:
        raise SecondPersonNeeded
    if row.ready_at is None:
        raise NotReady
    return ""


def _changes(before: ProgrammeVersion | None, programme: Programme) -> list[Difference]:
    """What a document changes. That it begins when it is published is none, if the one before has begun."""
    if before is None:
        return differences(None, programme, NamesOnDemand(programme.source))
    names = NamesOnDemand(before.document, programme.source)
    changes = differences(parse(before.document), programme, names)
    if programme.effective_from is None and _instant(before.effective_from) <= clock.read().recorded:
        changes = [change for change in changes if change.path != "effective_from"]
    return changes


def _write_draft(row: ProgrammeVersion | None, programme: Programme, actor: User | None) -> ProgrammeVersion:
    """Write the draft. Whoever touches it joins its drafters, so that none of them can publish it alone."""
    row = row or ProgrammeVersion(number=_next_number())
    row.code, row.document, row.drafted_by = programme.code, document(programme), actor
    row.ready_at, row.ready_by = None, None
    if actor is not None and actor.pk not in row.drafters:
        row.drafters = [*row.drafters, actor.pk]
    touched = ["code", "document", "drafted_by", "drafters", "ready_at", "ready_by"]
    row.save(update_fields=touched if row.pk else None)
    return row


def _words(programme: Programme, before: ProgrammeVersion | None) -> tuple[list[str], list[str]]:
    slips = references.slips(programme) + cautions(programme, clock.read().now, first=before is None)
    return slips, not_acted_upon_yet(programme)


def newest() -> ProgrammeVersion | None:
    """The version that was published last, if any."""
    return ProgrammeVersion.objects.filter(state=ProgrammeVersion.State.PUBLISHED).order_by("number").last()


def _next_number() -> int:
    return (ProgrammeVersion.objects.aggregate(last=Max("number"))["last"] or 0) + 1


def _take_turns() -> None:
    """One author at a time: a house has one programme, whatever its code, and one row of numbers."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('loyalty.programme'))")
