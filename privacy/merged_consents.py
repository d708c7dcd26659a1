"""Merged consents: of two members who are one person the stricter word holds (A6, D1).

A participant of `members.merging`. What either said stays theirs. The survivor is told as well what the other
had said, by events that name the merge: a yes where the survivor had not spoken, and a no wherever one of the
two said no. What the other says later, through an account of theirs, is the survivor's word too
(`privacy.consent`). When the merge is undone the survivor goes back to what they said themselves.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.translation import gettext as _

from privacy import consent
from privacy.consent import ConsentWord, Key, Telling
from privacy.models import ConsentEvent
from privacy.models.consent import word_for

Method = ConsentEvent.Method
Said = Mapping[Key, ConsentEvent]


def preview(survivor_id: int, other_id: int) -> Mapping[str, Any]:
    """Which consents become stricter for one of the two: purpose and channel."""
    said = consent.standing([survivor_id, other_id])
    mine, theirs = said.get(survivor_id, {}), said.get(other_id, {})
    stricter = {key for key in (*mine, *theirs) if _is_refused(key, mine) != _is_refused(key, theirs)}
    stricter = {key for key in stricter if _is_given(key, mine) or _is_given(key, theirs)}
    return {
        "consents": [{"purpose": key[0], "channel": key[1]} for key in sorted(stricter)],
        "lines": [
            {"label": _in_words(key), "values": [_said(key, mine), _said(key, theirs), _("no")]}
            for key in sorted(stricter)
        ],
    }


def _in_words(key: Key) -> str:
    purpose, channel, party = key
    words = [word_for(purpose, ConsentEvent.Purpose), word_for(channel, ConsentEvent.Way), party]
    return " · ".join(word for word in words if word)


def _said(key: Key, said: Said) -> str:
    """What holds by these words alone."""
    about = sorted(_about(key, said), key=lambda event: (event.happened_at, not event.granted))
    if not about:
        return "—"
    return _("yes") if about[-1].granted else _("no")


def link(merge: Any) -> None:
    """Let the survivor have what the other said, and a no of either be a no."""
    said = consent.standing([merge.survivor_id, merge.other_id])
    mine, theirs = said.get(merge.survivor_id, {}), said.get(merge.other_id, {})
    words = []
    for key, event in sorted(theirs.items()):
        is_silent = key not in mine
        if _is_given(key, mine) if not event.granted else is_silent and _is_refused(key, mine):
            words.append(_word(key, granted=False))
        elif is_silent:
            words.append(_word(key, granted=event.granted, of=event))
    telling = Telling(method=Method.MERGE, source=f"merge:{merge.pk}", actor_id=merge.actor_id)
    consent.record_many([(merge.survivor_id, word) for word in words], telling=telling)


def unlink(merge: Any) -> None:
    """Let the survivor say again what they said themselves, wherever the other's word stands now."""
    survivor_id = merge.survivor_id
    brought = [f"merge:{merge.pk}", *(f"member:{id_}" for id_ in _side(merge))]
    own = consent.standing([survivor_id], but_from=brought).get(survivor_id, {})
    words = []
    for key, event in sorted(consent.standing([survivor_id]).get(survivor_id, {}).items()):
        had = own.get(key)
        if event.granted != (had is not None and had.granted):
            words.append(_word(key, granted=not event.granted, notice=had.notice_version if had else ""))
    telling = Telling(method=Method.MERGE, source=f"unmerge:{merge.pk}")
    consent.record_many([(survivor_id, word) for word in words], telling=telling)


def _word(key: Key, *, granted: bool, notice: str = "", of: ConsentEvent | None = None) -> ConsentWord:
    """A word now; `of`: as it was said by the other, and when."""
    purpose, channel, party = key
    return ConsentWord(
        purpose=purpose,
        channel=channel,
        party=party,
        granted=granted,
        notice=of.notice_version if of else notice,
        at=of.happened_at if of else None,
    )


def _is_given(key: Key, said: Said) -> bool:
    return any(event.granted for event in _about(key, said))


def _is_refused(key: Key, said: Said) -> bool:
    return any(not event.granted for event in _about(key, said))


def _about(key: Key, said: Said) -> Iterable[ConsentEvent]:
    """What was said of the same purpose by this channel, or by one that counts as it."""
    purpose, channel, party = key
    for (other, by, to), event in said.items():
        if (other, to) == (purpose, party) and (consent.ANY in (by, channel) or by == channel):
            yield event


def _side(merge: Any) -> set[int]:
    """Who was merged into the other, however often; the other among them."""
    members, found, newest = type(merge.other)._default_manager, set[int](), {merge.other_id}
    while newest:
        found |= newest
        newest = set(members.filter(merged_into__in=newest).values_list("pk", flat=True)) - found
    return found
