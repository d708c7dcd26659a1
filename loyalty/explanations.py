"""Why entries are what they are: who, by which clauses of which version, with what numbers (B14).

For a page of entries what explains them is read in a fixed number of statements, and only what some entry
asks for: the versions that are quoted, what is reversed, who approved, and where expired points came from.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.utils.translation import gettext as _

from loyalty import earning
from loyalty.clauses import Book, Clause
from loyalty.coupon_words import short
from loyalty.models import Entry, Hold, LotMove
from members.models import Order
from members.templatetags.amounts import count, day, signed, yuan
from privacy.models import Approval

Kind = Entry.Kind
_TAKEN_BACK_WHOLE = (Kind.EARN, Kind.OPEN)  # under their own cause
STAFF, CHANNEL, PROGRAMME = "staff", "channel", "programme"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reversal:
    """The entry that another one reverses, and how much of it: a share of its points, 0.25 for 25 %."""

    entry_id: int
    points: int
    happened_at: datetime
    share: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """What explains an entry beside its sentence; `formula` has the numbers filled in, '' where none is.

    `details_unnamed`: the details without the names of staff.
    """

    formula: str = ""
    clauses: tuple[Clause, ...] = ()
    details: tuple[str, ...] = ()
    details_unnamed: tuple[str, ...] = ()
    version: int | None = None
    by_kind: str = PROGRAMME
    by: str = ""
    store_name: str = ""
    approved_by: str = ""
    approval_id: int | None = None
    reverses: Reversal | None = None


NOTHING = Explanation()


def with_it(entries: QuerySet[Entry]) -> QuerySet[Entry]:
    """The entries with the rows beside them that `of` looks at."""
    found = entries.select_related("channel", "order", "store", "actor", "programme", "hold")
    return found.defer("programme__document", "programme__drafters")


def of(entries: Sequence[Entry], book: Book) -> dict[int, Explanation]:
    """The explanations of entries that were read `with_it`, by their ids."""
    page = _Page(
        book=book,
        reversed=_reversed(entries),
        approvals=_approvals(entries),
        births=_births(entries),
        paid=_paid(entries),
    )
    return {entry.pk: _explain(entry, page) for entry in entries}


# --- the numbers -----------------------------------------------------------------------------------------


def formula(kind: str, why: Mapping[str, Any], points: int) -> str:
    """`200 × 1 × 1.2 × 2 = 480`, `200 × 150 ÷ 200 = 150; 200 − 150 = 50`; '' where there is none."""
    if kind == Kind.EARN and "grown" in why:
        return _grown(why["points"], why["grown"], points)
    if kind == Kind.EARN and "base" in why:
        return earning.formula(why)
    if kind == Kind.REDEEM and "worth" in why:
        return f"{-points} ÷ {why['per_yuan']} = {why['worth']}"
    if kind == Kind.TAKE_BACK and "kept" in why:
        return _taken(why, -points)
    if kind == Kind.GIVE_BACK and "spent" in why:
        return _returned(why, points)
    if kind == Kind.EXPIRE and why.get("earned", 0) > -points:
        return f"{why['earned']} − {why['earned'] + points} = {-points}"
    if kind == Kind.SETTLE and "paid" in why:
        return f"{why['debt']} − {why['paid']} = {why['debt'] - why['paid']}"
    return ""


def _grown(earned: int, grown: Mapping[str, Any], points: int) -> str:
    """More is kept of an order than stood before: its points in proportion, less those it has."""
    bought, kept = Decimal(grown["net_bought"]), Decimal(grown["kept"])
    proportion = f"{earned} × {short(kept)} ÷ {short(bought)} = {grown['stays']}"
    return f"{proportion}; {grown['stays']} − {grown['before']} = {points}"


def _taken(why: Mapping[str, Any], points: int) -> str:
    """What stays is in proportion to what is kept; what stood before, less that, is taken."""
    bought, kept = Decimal(why["net_bought"]), Decimal(why["kept"])
    if bought <= 0:
        return ""
    stood = why["stays"] + points + why.get("forgiven", 0)
    gone = f" − {why['forgiven']}" if why.get("forgiven") else ""
    proportion = f"{why['earned']} × {short(kept)} ÷ {short(bought)} = {why['stays']}"
    return f"{proportion}; {stood} − {why['stays']}{gone} = {points}"


def _returned(why: Mapping[str, Any], points: int) -> str:
    """What came back in all is in proportion to what was refunded; less what came back before."""
    bought, kept = Decimal(why["net_bought"]), Decimal(why["kept"])
    if bought <= 0:
        return ""
    before = why["returned"] - points
    text = f"{why['spent']} × {short(bought - max(Decimal(0), kept))} ÷ {short(bought)} = {why['returned']}"
    return f"{text}; {why['returned']} − {before} = {points}" if before else text


# --- what is read ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _Birth:
    """The entry that made the points which ran out, and when they did."""

    version_id: int | None
    earned_at: datetime
    expired_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Page:
    """What a page of entries asks for, read once."""

    book: Book
    reversed: Mapping[int, Entry] = field(default_factory=dict)  # by the id of the entry that reverses it
    approvals: Mapping[int, Approval] = field(default_factory=dict)
    births: Mapping[int, _Birth] = field(default_factory=dict)  # by the id of the entry that lapsed
    paid: Mapping[tuple[int, str], tuple[str, Decimal]] = field(
        default_factory=dict
    )  # orders, by channel and cause


def _reversed(entries: Sequence[Entry]) -> dict[int, Entry]:
    """The entries that these reverse, in one statement; none when none does."""
    wanted = Q()
    for entry in entries:
        if (what := _what_it_reverses(entry)) is not None:
            wanted |= what
    if not wanted:
        return {}
    rows = Entry.objects.filter(wanted, wallet__in={entry.wallet_id for entry in entries})
    candidates = list(rows.only("kind", "cause", "order", "points", "happened_at", "wallet", "version"))
    found = {}
    for entry in entries:
        matching = [each for each in candidates if _is_reversed_by(each, entry)]
        if matching:
            found[entry.pk] = max(matching, key=lambda each: each.version)
    return found


def _what_it_reverses(entry: Entry) -> Q | None:
    why = entry.why
    if entry.kind == Kind.ADJUST and "reverses" in why:
        return Q(pk=why["reverses"])
    if entry.kind == Kind.TAKE_BACK:
        if entry.order_id is not None:
            return Q(kind=Kind.EARN, order=entry.order_id)
        return Q(kind__in=_TAKEN_BACK_WHOLE, cause=entry.cause)
    if entry.kind == Kind.GIVE_BACK:
        return Q(kind=Kind.REDEEM, cause=_cause_of_payment(entry))
    return None


def _is_reversed_by(candidate: Entry, entry: Entry) -> bool:
    if candidate.wallet_id != entry.wallet_id or candidate.version >= entry.version:
        return False
    if entry.kind == Kind.ADJUST:
        return candidate.pk == entry.why.get("reverses")
    if entry.kind == Kind.TAKE_BACK and candidate.kind in _TAKEN_BACK_WHOLE:
        if entry.order_id is not None:
            return candidate.order_id == entry.order_id
        return candidate.cause == entry.cause
    return (
        entry.kind == Kind.GIVE_BACK
        and candidate.kind == Kind.REDEEM
        and candidate.cause == _cause_of_payment(entry)
    )


def _cause_of_payment(entry: Entry) -> str:
    """The cause of the redemption that is given back: an order's payment, or a claim's, which is the same."""
    if entry.order is None or entry.channel is None:
        return entry.cause
    return f"{entry.channel.code}:{entry.order.points_spent_cause}"


def _approvals(entries: Sequence[Entry]) -> dict[int, Approval]:
    asked = {entry.why["approval"] for entry in entries if "approval" in entry.why}
    if not asked:
        return {}
    found = Approval.objects.select_related("asked_by", "decided_by").defer("change", "result")
    return found.in_bulk(asked)


def _births(entries: Sequence[Entry]) -> dict[int, _Birth]:
    """Where expired points came from: the first entry that moved their lot made it."""
    lapsed = [entry.pk for entry in entries if entry.kind == Kind.EXPIRE]
    if not lapsed:
        return {}
    first = LotMove.objects.filter(lot=OuterRef("lot")).order_by("id").values("entry__programme")[:1]
    rows = LotMove.objects.filter(entry__in=lapsed).values_list(
        "entry", Subquery(first), "lot__earned_at", "lot__expires_at"
    )
    return {
        entry_id: _Birth(version_id=version_id, earned_at=earned_at, expired_at=expired_at)
        for entry_id, version_id, earned_at, expired_at in rows
    }


def _is_asked_for(entry: Entry) -> bool:
    """Whether a channel asked for it, under a cause of its own and for reasons of its own."""
    is_explained = not entry.why.keys().isdisjoint(("base", "source", "reward", "worth"))
    return entry.kind in (Kind.EARN, Kind.REDEEM) and entry.channel is not None and not is_explained


def _own_cause(entry: Entry) -> str:
    """A cause as its channel wrote it."""
    return entry.cause.partition(":")[2]


def _paid(entries: Sequence[Entry]) -> dict[tuple[int, str], tuple[str, Decimal]]:
    """The orders that redemptions paid for, by channel and cause: the number, and yuan off by points."""
    asked = [entry for entry in entries if entry.kind == Kind.REDEEM and _is_asked_for(entry)]
    if not asked:
        return {}
    orders = Order.objects.filter(
        member__wallet__in={entry.wallet_id for entry in asked},
        points_spent_cause__in={_own_cause(entry) for entry in asked},
    )
    rows = orders.values_list("channel", "points_spent_cause", "number", "points_value")
    return {(channel_id, cause): (number, value) for channel_id, cause, number, value in rows}


# --- in words --------------------------------------------------------------------------------------------


def _explain(entry: Entry, page: _Page) -> Explanation:
    by_kind, by = _who(entry)
    approval = page.approvals.get(entry.why.get("approval", 0))
    clauses = _clauses(entry, page)
    details = _details(entry, page)
    return Explanation(
        formula=formula(entry.kind, entry.why, entry.points),
        clauses=clauses,
        details=(*details, *_two_people(approval, named=True)),
        details_unnamed=(*details, *_two_people(approval, named=False)),
        version=_version(entry, clauses),
        by_kind=by_kind,
        by=by,
        store_name=entry.store.name if entry.store else "",
        approved_by=approval.decided_by.get_username() if approval and approval.decided_by else "",
        approval_id=entry.why.get("approval"),
        reverses=_reversal(entry, page),
    )


def _version(entry: Entry, clauses: Sequence[Clause]) -> int | None:
    if entry.programme is not None:
        return entry.programme.number
    told = entry.why.get("version")
    return told if told is not None else next((clause.version for clause in clauses), None)


def _who(entry: Entry) -> tuple[str, str]:
    """Who moved the points: a person of staff, a channel, or time and the programme."""
    if entry.actor is not None:
        return STAFF, entry.actor.get_username()
    if entry.channel is not None:
        return CHANNEL, entry.channel.name
    return PROGRAMME, _("the programme itself")


def _clauses(entry: Entry, page: _Page) -> tuple[Clause, ...]:
    if entry.kind == Kind.EARN and "base" in entry.why:
        return page.book.of_earning(entry.why, entry.programme)
    if "source" in entry.why:
        return page.book.of_grant(entry.why)
    if entry.kind == Kind.REDEEM and "worth" in entry.why:
        return page.book.of_payment(entry.why, entry.programme)
    birth = page.births.get(entry.pk)
    if birth is None or birth.version_id is None or birth.expired_at is None:
        return ()
    return page.book.of_expiry(birth.earned_at, birth.expired_at, birth.version_id)


def _reversal(entry: Entry, page: _Page) -> Reversal | None:
    gone = page.reversed.get(entry.pk)
    if gone is None or abs(entry.points) > abs(gone.points):  # more than one entry made what it takes
        return None
    share = (Decimal(abs(entry.points)) / abs(gone.points)).quantize(Decimal("0.0001"))
    return Reversal(entry_id=gone.pk, points=gone.points, happened_at=gone.happened_at, share=share)


def _details(entry: Entry, page: _Page) -> list[str]:
    why = entry.why
    found: list[str] = []
    if entry.kind == Kind.EARN and "base" in why and entry.points != why["points"]:
        # More of an order is kept than was thought: its points come back by their difference.
        found.append(_("%(points)s of them, as more of the order is kept") % {"points": count(entry.points)})
    if (gone := _reversal(entry, page)) is not None:
        found.append(
            _("Reverses entry %(entry)s (%(points)s on %(day)s) by %(percent)s%%")
            % {
                "entry": gone.entry_id,
                "points": signed(gone.points),
                "day": day(gone.happened_at),
                "percent": short(gone.share * 100),
            }
        )
    if entry.kind == Kind.TAKE_BACK and why.get("forgiven"):
        had = _("%(points)s of them had expired or were withheld in money, and are not taken again")
        found.append(had % {"points": count(why["forgiven"])})
    if why.get("debt_paid"):
        found.append(_("%(points)s of them paid a debt") % {"points": count(why["debt_paid"])})
    if why.get("reissued"):
        again = _("%(points)s of them had expired meanwhile and were issued anew")
        found.append(again % {"points": count(why["reissued"])})
    hold: Hold | None = getattr(entry, "hold", None)
    if hold is not None:
        found.append(_captured(hold))
    elif _is_asked_for(entry):
        found.append(_asked_for(entry, page))
    return found


def _asked_for(entry: Entry, page: _Page) -> str:
    paid = page.paid.get((entry.channel_id or 0, _own_cause(entry)))
    if paid is not None:
        number, value = paid
        if not value:
            return _("Paid for order %(number)s") % {"number": number}
        words = {"number": number, "points": count(-entry.points), "amount": yuan(value)}
        return _("%(points)s points took %(amount)s off order %(number)s") % words
    return _("Asked for as %(cause)s") % {"cause": _own_cause(entry)}


def _captured(hold: Hold) -> str:
    words = {
        "captured": count(hold.captured),
        "held": count(hold.points),
        "day": day(hold.created_at),
        "cause": hold.cause.partition(":")[2],
    }
    return _("%(captured)s of the %(held)s points that were set aside on %(day)s for %(cause)s") % words


def _two_people(approval: Approval | None, *, named: bool) -> list[str]:
    """Who asked and who approved; nothing where one person did it alone."""
    if approval is None or approval.decided_by is None:
        return []
    words = {
        "maker": approval.asked_by.get_username(),
        "checker": approval.decided_by.get_username(),
        "day": day(approval.decided_at),
    }
    if not named:
        return [_("Asked by one of staff, approved by another on %(day)s") % words]
    return [_("Asked by %(maker)s, approved by %(checker)s on %(day)s") % words]
