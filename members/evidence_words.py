"""Why two members may be one person, in words (A5). The evidence holds kinds and levels, and no values."""

from collections.abc import Mapping
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from members.models import Identifier, MatchReview

Words = str | Promise

# By comparison and level of members.matching.comparing, in the order in which a reader wants them.
_LEVELS: Final[dict[str, dict[str, Words]]] = {
    "name": {
        "exact": gettext_lazy("same name"),
        "latin": gettext_lazy("same name, once in Latin letters"),
        "pinyin": gettext_lazy("same pinyin, other characters"),
        "near": gettext_lazy("names that sound alike"),
        "masked": gettext_lazy("same surname, the masked name fits"),
        "surname": gettext_lazy("same surname, another given name"),
        "other": gettext_lazy("different names"),
    },
    "phone": {
        "exact": gettext_lazy("same phone"),
        "shared": gettext_lazy("same phone, which several members have"),
        "masked": gettext_lazy("same beginning and end of a masked phone"),
        "near": gettext_lazy("phone one digit apart"),
        "other": gettext_lazy("different phones"),
    },
    "birthday": {
        "exact": gettext_lazy("same birthday"),
        "turned": gettext_lazy("birthday with day and month exchanged"),
        "near": gettext_lazy("birthday one digit apart"),
        "other": gettext_lazy("different birthdays"),
    },
    "email": {
        "exact": gettext_lazy("same e-mail"),
        "user": gettext_lazy("same e-mail name at another provider"),
        "other": gettext_lazy("different e-mails"),
    },
    "place": {
        "city": gettext_lazy("same city"),
        "province": gettext_lazy("same province"),
        "other": gettext_lazy("different places"),
    },
    "gender": {"same": gettext_lazy("same gender"), "other": gettext_lazy("different genders")},
}


def in_words(review: MatchReview) -> list[str]:
    """The evidence of a review, one phrase for each thing that was compared, in the reader's language."""
    return evidence_in_words(review.evidence)


def evidence_in_words(evidence: Mapping[str, object]) -> list[str]:
    """As in_words(), for evidence that is kept elsewhere, such as with a merge."""
    kinds, levels = evidence.get("same"), evidence.get("levels")
    said = []
    if isinstance(kinds, list) and kinds:
        said.append(_("Same: %(keys)s") % {"keys": ", ".join(map(_key_in_words, kinds))})
    if isinstance(levels, Mapping):
        said += [str(words[levels[kind]]) for kind, words in _LEVELS.items() if levels.get(kind) in words]
    return said


def _key_in_words(kind: str) -> str:
    return str(dict(Identifier.Kind.choices).get(kind, kind))
