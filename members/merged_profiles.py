"""Merged profiles: whose value stays of each field when two members are merged, and how it was before (A6).

A participant of `members.merging`. Proposed is: what was verified over what was not, something over nothing,
in clear over masked, and of two the one that was heard later; who joined first, joined then. The other member
keeps its row as it is; what the survivor had is kept with the merge.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import Max

from members import outbox
from members.agreement import is_masked, names_agree
from members.errors import MergeChoiceInvalid
from members.models import Account, Identifier, Member, Merge
from members.profiles import name_index

SURVIVOR, OTHER = "survivor", "other"
FIELDS = ("name", "phone", "email", "birthday", "gender", "province", "city", "profile", "joined_at")
KEYS = ("phone", "email")  # of which something can be verified


@dataclass(frozen=True, slots=True)
class FieldChoice:
    """One field of both. `chosen` stays, `why` (a key of WHY) says for what; `agreement` compares the two."""

    field: str
    survivor: Any
    other: Any
    chosen: str
    why: str
    agreement: str  # same, near, different, or one where only one is known

    @property
    def is_told(self) -> bool:
        """Whether anything is known of it at all."""
        return bool(self.survivor or self.other)


def choose(survivor: Member, other: Member) -> list[FieldChoice]:
    """What is proposed for each field; three statements."""
    verified = _verified(survivor, other)
    newer = OTHER if _heard_last(other) > _heard_last(survivor) else SURVIVOR
    return [_choose(field, survivor, other, verified, newer) for field in FIELDS]


def _choose(
    field: str, survivor: Member, other: Member, verified: set[tuple[int, str | None]], newer: str
) -> FieldChoice:
    mine, theirs = getattr(survivor, field), getattr(other, field)
    sure = [(member.pk, getattr(member, field)) in verified for member in (survivor, other)]
    chosen, why = newer, "newer"
    if mine == theirs:
        chosen, why = SURVIVOR, "same"
    elif not mine or not theirs:
        chosen, why = (SURVIVOR if mine else OTHER), "known"
    elif field == "joined_at":
        chosen, why = (SURVIVOR if mine <= theirs else OTHER), "first"
    elif field in KEYS and sure[0] != sure[1]:
        chosen, why = (SURVIVOR if sure[0] else OTHER), "verified"
    elif field == "name" and is_masked(mine) != is_masked(theirs):
        chosen, why = (OTHER if is_masked(mine) else SURVIVOR), "clear"
    return FieldChoice(field, mine, theirs, chosen, why, _agreement(field, mine, theirs))


def _agreement(field: str, mine: Any, theirs: Any) -> str:
    if not mine or not theirs:
        return "one" if mine or theirs else "same"
    if mine == theirs:
        return "same"
    if field == "name":
        return "near" if names_agree(mine, theirs) else "different"
    if field == "birthday":
        return "near" if (mine.month, mine.day) == (theirs.month, theirs.day) else "different"
    return "near" if field in ("joined_at", "profile") else "different"


def _verified(*members: Member) -> set[tuple[int, str | None]]:
    rows = Identifier.objects.filter(member__in=members, kind__in=KEYS, verified=True)
    return {(row.member_id, row.value) for row in rows}


def _heard_last(member: Member) -> datetime:
    """When we last heard something of a member that says who they are."""
    last = Account.objects.filter(member=member).aggregate(last=Max("linked_at"))["last"]
    return max(last or member.created_at, member.created_at)


def settle(survivor: Member, other: Member, choices: Mapping[str, str]) -> dict[str, str]:
    """Whose value of each field is to stay: as told, else as proposed. Raises MergeChoiceInvalid."""
    if not set(choices) <= set(FIELDS) or not set(choices.values()) <= {SURVIVOR, OTHER}:
        raise MergeChoiceInvalid
    return {each.field: choices.get(each.field, each.chosen) for each in choose(survivor, other)}


def snapshot(survivor: Member, other: Member) -> dict[str, Any]:
    """Both as they are, to be sealed with the merge."""
    return {
        SURVIVOR: {**_values(survivor), "status": survivor.status},
        OTHER: {**_values(other), "status": other.status},
    }


def status_before(merge: Merge) -> str:
    """The status of the merged member before the merge."""
    return str((merge.before or {}).get(OTHER, {}).get("status", Member.Status.ACTIVE))


# --- taking part --------------------------------------------------------------------------------------


def preview(survivor_id: int, other_id: int) -> Mapping[str, Any]:
    """Nothing besides the fields, which the preview shows one by one."""
    return {}


def link(merge: Merge) -> None:
    """Give the survivor what was chosen. Where one is restricted, the survivor is."""
    before = merge.before or {}
    status = merge.survivor.status
    if before[OTHER]["status"] == Member.Status.RESTRICTED:
        status = Member.Status.RESTRICTED
    _write(merge.survivor, _chosen(merge), status)


def unlink(merge: Merge) -> None:
    """Give the survivor back what they had; what was changed since the merge stays as it was changed."""
    survivor, before = Member.objects.get(pk=merge.survivor_id), merge.before
    if not before:  # both were blanked meanwhile: there is nothing to give back
        return
    now, chosen = _values(survivor), _chosen(merge)
    back = {field: before[SURVIVOR][field] if now[field] == chosen[field] else now[field] for field in FIELDS}
    status = before[SURVIVOR]["status"]
    _write(survivor, back, survivor.status if survivor.status == Member.Status.ERASED else status)


def _chosen(merge: Merge) -> dict[str, Any]:
    """What the survivor has by a merge. Of what was told step by step, both know something."""
    before: Mapping[str, Mapping[str, Any]] = merge.before or {}
    chosen = {field: before[merge.choices[field]][field] for field in FIELDS}
    mine, theirs = before[SURVIVOR]["profile"] or {}, before[OTHER]["profile"] or {}
    both = mine | theirs if merge.choices["profile"] == OTHER else theirs | mine
    chosen["profile"] = both or None
    return chosen


def _values(member: Member) -> dict[str, Any]:
    """The fields of a member, as JSON can keep them."""
    values = {field: getattr(member, field) for field in FIELDS}
    for field in ("birthday", "joined_at"):
        values[field] = values[field].isoformat() if values[field] else None
    return values


def _write(member: Member, values: Mapping[str, Any], status: str) -> None:
    """Write what differs, and tell of it; nothing is written where nothing does."""
    had = _values(member)
    changed = [field for field in FIELDS if values[field] != had[field]]
    if not changed and status == member.status:
        return
    for field in changed:
        setattr(member, field, _of_text(field, values[field]))
    member.name_index = name_index(member.name)
    member.status = status
    member.revision += 1
    member.save(update_fields=[*changed, "name_index", "status", "revision"])
    outbox.put(
        [
            outbox.Change(
                topic="member.updated",
                change=f"member:{member.pk}:{member.revision}",
                member_id=member.pk,
                channel_id=None,
                payload={"member_no": member.number, "revision": member.revision, "fields": sorted(changed)},
            )
        ]
    )


def _of_text(field: str, value: Any) -> Any:
    if value is None or field not in ("birthday", "joined_at"):
        return value
    return date.fromisoformat(value) if field == "birthday" else datetime.fromisoformat(value)
