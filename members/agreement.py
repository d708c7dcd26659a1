"""Whether two descriptions can be of one person: names and birthdays side by side (A5). Pure.

Agreement is what allows a shared key, such as a phone, to lead to a member. Nothing told agrees
with everything; a nick is never a name.
"""

import unicodedata
from datetime import date

_MASK = "*"
_STARS = str.maketrans(dict.fromkeys("＊●○×", _MASK))


def fold_name(name: str) -> str:
    """A name in the form in which it is compared: full width, spaces and case make no difference."""
    folded = unicodedata.normalize("NFKC", name).translate(_STARS).casefold()
    return "".join(folded.split())


def is_masked(name: str) -> bool:
    """Whether a platform has hidden part of this name, as 张** or 欧阳*."""
    return _MASK in fold_name(name)


def clean_name(name: str | None) -> str | None:
    """The name without outer spaces, or None where it is missing or masked."""
    text = name.strip() if name else ""
    return text if text and not is_masked(text) else None


def names_agree(one: str | None, other: str | None) -> bool:
    """Whether two names can be of one person. A masked character stands for any one character."""
    if not one or not other:
        return True
    one, other = fold_name(one), fold_name(other)
    if one == other:
        return True
    if _MASK not in one and _MASK not in other:
        return False
    return _masks_fit(one, other)


def _masks_fit(one: str, other: str) -> bool:
    # 张* is written for every given name by some platforms: one star at the end stands for one or more.
    if len(one) != len(other):
        shorter, longer = sorted((one, other), key=len)
        if not shorter.endswith(_MASK) or shorter.count(_MASK) != 1:
            return False
        return _characters_fit(shorter[:-1], longer[: len(shorter) - 1])
    return _characters_fit(one, other)


def _characters_fit(one: str, other: str) -> bool:
    pairs = zip(one, other, strict=True)
    return all(a == b or _MASK in (a, b) for a, b in pairs)


def birthdays_agree(one: date | None, other: date | None) -> bool:
    """Whether two birthdays can be of one person."""
    return one is None or other is None or one == other
