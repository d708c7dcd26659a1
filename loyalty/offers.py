"""What the programme gives beside points for purchases: activities, coupons, rewards, referral, milestones.

Their sections of the document are checked in shape here, so that a file that is accepted today is right
when they are acted upon, and kept as plain data in `Programme.rest`.
"""

from typing import Any

from django.utils.translation import gettext_lazy as _

from loyalty import conditions
from loyalty.reading import LANGUAGES, Part, is_line, is_whole, refuse_twice

SECTIONS = ("activities", "coupons", "rewards", "referral", "milestones")
ACTIVITIES = (
    "enrolment",
    "first_purchase",
    "profile_step",
    "check_in",
    "review",
    "survey",
    "share",
    "birthday",
    "member_day",
    "event",
)
PRIZES = ("points", "coupon", "gift")
MAX_OFFERS = 1000


def read(programme: Part) -> dict[str, Any]:
    """Check the sections and return those that are there, as plain data."""
    given = {section: programme.raw(section) for section in SECTIONS if programme.has(section)}
    _activities(programme.part("activities"))
    _each(programme, "coupons", _coupon)
    _each(programme, "rewards", _reward)
    _referral(programme.part("referral"))
    _each(programme, "milestones", _milestone)
    return given


def birthday(benefits: Part) -> dict[str, Any]:
    """A tier's birthday treat: a factor on points, points, a coupon or a gift; {} is none."""
    part = benefits.part("birthday")
    part.maybe_decimal("factor", low="1", high="100", places=4)
    _prizes(part, required=False)
    part.done()
    return dict(part.fields)


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


def _prizes(part: Part, *, tier: bool = False, required: bool = True) -> None:
    """Points, a coupon or a gift, and where it makes sense a tier; at least one of them."""
    words = (*PRIZES, "tier") if tier else PRIZES
    part.maybe_whole("points", low=1, high=1_000_000)
    for word in words[1:]:
        if part.has(word):
            part.code(word)
    if required and not any(part.has(word) for word in words):
        part.problem("", _("Say what is given: points, a coupon or a gift."))


def _activities(part: Part) -> None:
    for name in ACTIVITIES:
        activity = part.maybe_part(name)
        if activity is None:
            continue
        _prizes(activity)
        if name == "check_in":
            for _count, rung in activity.rungs("streak", high=366):
                _prizes(rung)
                rung.done()
        activity.done()
    part.done()


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


def _coupon(part: Part) -> None:
    part.name("name")
    kind = part.choice("kind", ("amount", "percentage", "gift", "shipping"), required=True)
    if kind == "percentage":
        part.decimal("value", low="0.01", high="100", required=True)
    elif kind == "gift":
        part.code("value")
    else:
        part.decimal("value", low="0.01", required=kind == "amount")
    part.maybe_decimal("min_spend")
    part.maybe_whole("quota", low=1)
    part.maybe_whole("per_member", low=1)
    part.codes("tiers")
    _validity(part.part("valid"))


def _validity(part: Part) -> None:
    """So many days after it is given, or between two instants, or both; whichever ends first."""
    part.maybe_whole("days", low=1, high=3650)
    _window(part)
    part.done()


def _window(part: Part) -> None:
    starts_at, ends_at = part.instant("from"), part.instant("to")
    if starts_at is not None and ends_at is not None and starts_at >= ends_at:
        part.problem("to", _("It ends before it begins."))


def _reward(part: Part) -> None:
    part.name("name")
    kind = part.choice("kind", ("gift", "coupon", "event"), required=True)
    part.whole("points", required=True)
    part.maybe_decimal("money")
    part.maybe_whole("stock")
    part.maybe_whole("per_member", low=1)
    part.codes("tiers")
    if kind == "coupon":
        part.code("coupon")
    _window(part)


def _referral(part: Part) -> None:
    part.choice("counts_after", ("first_purchase", "enrolment"))
    _sides(part.part("each"))
    for _count, rung in part.rungs("ladder"):
        _sides(rung)
        if not rung.fields:
            rung.problem("", _("Say what is given: points, a coupon or a gift."))
    part.done()


def _sides(part: Part) -> None:
    """What the referrer, the friend or both get."""
    for side in ("both", "referrer", "friend"):
        given = part.maybe_part(side)
        if given is not None:
            _prizes(given, tier=True)
            given.done()
    part.done()


def _milestone(part: Part) -> None:
    when = part.maybe_part("when")
    if when is None:
        part.problem("when", _("This is missing."))
    else:
        conditions.read(when)
    then = part.part("then")
    _prizes(then, tier=True)
    then.done()
    part.choice("once_per", ("ever", "year", "month", "order"), "ever")


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
