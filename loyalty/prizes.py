"""What can be given: points, growth value, a coupon, a gift or a tier (B4, B5, B9-B11).

Pure. A group of the programme's document says what is given (`{points: 20, coupon: WELCOME}`); `check`
refuses what is none when the programme is saved, `of` reads what was accepted.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from django.utils.translation import gettext_lazy as _

from loyalty.reading import Part

AMOUNTS = ("points", "growth")
CODES = ("coupon", "gift", "tier")
WORDS = (*AMOUNTS, *CODES)
MOST = 1_000_000


class Prize(NamedTuple):
    """One thing to give: its kind, and points or growth value in digits, or the code of what it is."""

    kind: str
    value: str


def check(part: Part, *, tier: bool = False, required: bool = True) -> None:
    """Check the prizes a group names; at least one of them when they are `required`."""
    words = WORDS if tier else WORDS[:-1]
    for word in words:
        if word in AMOUNTS:
            part.maybe_whole(word, low=1, high=MOST)
        elif part.has(word):
            part.code(word)
    if required and not any(part.has(word) for word in words):
        part.problem("", _("Say what is given: points, a coupon or a gift."))


def of(given: Mapping[str, Any] | None) -> tuple[Prize, ...]:
    """The prizes that an accepted group names, in the order of `WORDS`."""
    if not given:
        return ()
    return tuple(Prize(word, str(given[word])) for word in WORDS if given.get(word) is not None)
