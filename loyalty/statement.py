"""The statement: every entry of a member in words, with the numbers filled in (B3, B14).

One page costs a fixed number of statements, however long it is; API, member page and desk all read it here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db.models import QuerySet, Sum
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from loyalty import earning, explanations, grant_words, legacy_words, reward_words
from loyalty.clauses import Book
from loyalty.explanations import Explanation
from loyalty.models import Entry
from loyalty.names import called
from members import survivors
from members.numbers import number_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of a statement, in the reader's language. `explanation`: filled in by `lines`, for a page."""

    id: int
    kind: str
    kind_label: str
    points: int
    balance_after: int
    debt_after: int
    cause: str
    reason: str
    sentence: str
    why: Mapping[str, Any]
    channel_name: str
    order_number: str
    happened_at: datetime
    recorded_at: datetime
    explanation: Explanation = explanations.NOTHING


def entries(
    member_id: int,
    *,
    before_id: int | None = None,
    limit: int = 50,
    wanted: QuerySet[Entry] | None = None,
    book: Book | None = None,
) -> list[Line]:
    """A member's entries, latest first; `before_id` pages on, `wanted` narrows (by kind, channel, time)."""
    narrowed = Entry.objects.all() if wanted is None else wanted
    found = explanations.with_it(narrowed.filter(wallet__member__in=survivors.same_person(member_id)))
    if before_id is not None:
        found = found.filter(pk__lt=before_id)
    return lines(list(found.order_by("-pk")[:limit]), book)


def lines(entries: Sequence[Entry], book: Book | None = None) -> list[Line]:
    """Entries that were read `explanations.with_it`, explained; `book`: what the page quotes from, if any."""
    explained = explanations.of(entries, book or Book())
    return [replace(line(entry), explanation=explained[entry.pk]) for entry in entries]


def line(entry: Entry) -> Line:
    """One entry in words. `entry.channel` and `entry.order` should be loaded with it."""
    return Line(
        id=entry.pk,
        kind=entry.kind,
        kind_label=str(Entry.Kind(entry.kind).label),
        points=entry.points,
        balance_after=entry.balance_after,
        debt_after=entry.debt_after,
        cause=entry.cause,
        reason=entry.reason,
        sentence=sentence(entry.kind, entry.why, entry.points),
        why=entry.why,
        channel_name=entry.channel.name if entry.channel else "",
        order_number=entry.order.number if entry.order else "",
        happened_at=entry.happened_at,
        recorded_at=entry.recorded_at,
    )


def sentence(kind: str, why: Mapping[str, Any], points: int) -> str:
    """Why an entry is what it is, with its numbers, in the language that is active."""
    if kind in (Entry.Kind.REDEEM, Entry.Kind.GIVE_BACK) and "reward" in why:
        return reward_words.sentence(why)
    if kind == Entry.Kind.REDEEM and "worth" in why:
        return _("%(formula)s yuan off order %(order)s") % {
            "formula": explanations.formula(kind, why, points),
            "order": why["order_no"],
        }
    if "legacy" in why:
        return legacy_words.sentence(why)
    if kind == Entry.Kind.EARN and "grown" in why:
        return _("Of %(earned)s points for ¥%(bought)s, ¥%(kept)s kept makes %(stays)s") % {
            "earned": why["points"],
            "bought": why["grown"]["net_bought"],
            "kept": why["grown"]["kept"],
            "stays": why["grown"]["stays"],
        }
    if kind == Entry.Kind.EARN and "base" in why:
        return earning_sentence(why)
    if kind in (Entry.Kind.EARN, Entry.Kind.TAKE_BACK) and "source" in why:
        return grant_words.sentence(why)
    if kind == Entry.Kind.TAKE_BACK and why.get("moved"):
        return _("The order belongs to another member now")
    if kind == Entry.Kind.TAKE_BACK and "kept" in why:
        text = _("Of %(earned)s points for ¥%(bought)s, ¥%(kept)s kept leaves %(stays)s") % {
            "earned": why["earned"],
            "bought": why["net_bought"],
            "kept": why["kept"],
            "stays": why["stays"],
        }
        return (
            text
            if "debt" not in why
            else _("%(text)s; %(debt)s are owed") % {"text": text, "debt": why["debt"]}
        )
    if kind == Entry.Kind.GIVE_BACK and "spent" in why:
        return _(
            "Paid with %(spent)s points; ¥%(kept)s of ¥%(bought)s kept, %(returned)s returned in all"
        ) % {
            "spent": why["spent"],
            "kept": why["kept"],
            "bought": why["net_bought"],
            "returned": why["returned"],
        }
    if kind == Entry.Kind.EXPIRE:
        return _("%(points)s of the %(earned)s points earned on %(day)s were not used in time") % {
            "points": -points,
            "earned": why.get("earned", -points),
            "day": _day(why.get("earned_at")),
        }
    if kind == Entry.Kind.SETTLE:
        return _("%(paid)s points paid a debt of %(debt)s") % {
            "paid": why.get("paid"),
            "debt": why.get("debt"),
        }
    if kind == Entry.Kind.ADJUST:
        return _by_hand(why, points)
    if kind in (Entry.Kind.MOVE_IN, Entry.Kind.MOVE_OUT) and "merge" in why:
        return _moved(kind, why)
    return ""


def _moved(kind: str, why: Mapping[str, Any]) -> str:
    """Points that went between the wallets of merged members, or back when the merge was undone."""
    other = number_of(why["from"] if kind == Entry.Kind.MOVE_IN else why["to"])
    if why.get("undone"):
        return _("The merge with %(number)s was undone: what was spent across goes back") % {"number": other}
    if kind == Entry.Kind.MOVE_IN:
        return _("From the wallet of %(number)s, who is the same person") % {"number": other}
    return _("To the wallet of %(number)s, who is the same person") % {"number": other}


def _by_hand(why: Mapping[str, Any], points: int) -> str:
    """Who stands behind an adjustment: one person within the limit, or two."""
    if "approval" in why:
        text = _("By hand, approved by a second person (request %(approval)s)") % {
            "approval": why["approval"]
        }
    else:
        text = _("By hand, within the limit of a day: %(before)s + %(points)s ≤ %(limit)s") % {
            "before": why.get("of_member", 0),
            "points": abs(points),
            "limit": why.get("limit", ""),
        }
    if "reverses" in why:
        return _("Corrects entry %(entry)s. %(text)s") % {"entry": why["reverses"], "text": text}
    return text


def _day(instant: str | None) -> str:
    """The day by the clocks of the house: bought after midnight there may be yesterday in UTC."""
    return localtime(datetime.fromisoformat(instant)).date().isoformat() if instant else ""


def earning_sentence(why: Mapping[str, Any]) -> str:
    """`200 × 1 × 1.2 × 2 = 480`, and which rules stand behind the factors."""
    text = earning.formula(why)
    rules = [called(rule) for rule in why.get("rules", ())]
    return f"{text} ({', '.join(rules)})" if rules else text


def totals() -> dict[str, int]:
    """Points of the whole programme by kind of entry: what an import shows before and after."""
    rows = Entry.objects.values_list("kind").annotate(points=Sum("points"))
    return {kind: int(points or 0) for kind, points in rows}
