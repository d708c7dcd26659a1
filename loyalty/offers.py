"""What the programme gives beside points for purchases: activities, coupons, rewards, referral, milestones.

Their sections of the document are checked in shape here, so that a file that is accepted today is right
when they are acted upon, and kept as plain data in `Programme.rest`.
"""

from typing import Any

from django.utils.translation import gettext_lazy as _

from loyalty import coupon_terms, grant_terms, referral_terms, reward_terms
from loyalty.reading import LANGUAGES, Part, is_line, is_whole, refuse_twice

SECTIONS = ("activities", "coupons", "rewards", "referral", "milestones")
MAX_OFFERS = 1000


def read(programme: Part) -> dict[str, Any]:
    """Check the sections and return those that are there, as plain data."""
    given = {section: programme.raw(section) for section in SECTIONS if programme.has(section)}
    grant_terms.check_activities(programme.part("activities"))
    _coupons(programme)
    reward_terms.read(programme)
    referral_terms.check(programme.part("referral"))
    _each(programme, "milestones", grant_terms.check_milestone)
    return given


def birthday(benefits: Part) -> dict[str, Any]:
    """A tier's birthday treat: a factor on points, points, a coupon or a gift; {} is none."""
    return grant_terms.check_birthday(benefits)


def free_form(parent: Part, key: str) -> dict[str, Any]:
    """What a brand wants to say in its own words: texts, whole numbers, yes or no, or names."""
    part = parent.part(key)
    for word, value in part.fields.items():
        part.asked.add(word)
        if not is_line(word):
            part.problem(word, _("Write a text of 1 to 200 characters."))
        elif isinstance(value, dict):
            part.name(word)
        elif isinstance(value, str):
            part.text(word)
        elif not (isinstance(value, bool) or is_whole(value)):
            part.problem(word, _("Write a text, a whole number, true or false."))
    return dict(part.fields)


def _each(programme: Part, section: str, check: Any) -> None:
    """Check every item of a section; each has its own code."""
    parts = programme.parts(section)
    if len(parts) > MAX_OFFERS:
        programme.problem(section, _("Write at most %(most)s of them.") % {"most": MAX_OFFERS})
        return
    codes = []
    for part in parts:
        codes.append(part.code("code"))
        check(part)
        part.done()
    refuse_twice(parts, codes)


def _coupons(programme: Part) -> None:
    """Check the campaigns; no two of them answer to one code."""
    parts = programme.parts("coupons")
    if len(parts) > MAX_OFFERS:
        programme.problem("coupons", _("Write at most %(most)s of them.") % {"most": MAX_OFFERS})
        return
    campaigns = [coupon_terms.read(part) for part in parts]
    refuse_twice(parts, [terms.code for terms in campaigns])
    coupon_terms.refuse_shared_public_codes(parts, campaigns)


def named_tiers(rest: dict[str, Any]) -> list[tuple[str, str]]:
    """Where these sections name a tier: (path, code of the tier)."""
    named = [
        (f"{section}[{position}].tiers", code)
        for section in ("coupons", "rewards")
        for position, item in enumerate(rest.get(section) or ())
        for code in item.get("tiers") or ()
    ]
    referral = rest.get("referral") or {}
    rungs = {"each": referral.get("each") or {}}
    rungs |= {f"ladder.{count}": rung for count, rung in (referral.get("ladder") or {}).items()}
    for path, rung in rungs.items():
        named += [(f"referral.{path}", given["tier"]) for given in rung.values() if given and "tier" in given]
    for position, item in enumerate(rest.get("milestones") or ()):
        if "tier" in item["then"]:
            named.append((f"milestones[{position}].then", item["then"]["tier"]))
    return named


def languages_missing(name: dict[str, str]) -> list[str]:
    """The languages in which a name is not written yet."""
    return [language for language in LANGUAGES if language not in name]
