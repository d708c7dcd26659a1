"""Rules as people could write them, for tests that hold for all of them."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from loyalty.conditions import KINDS, OPERATORS_OF, WEEKDAYS

WORDS = st.text(alphabet="abcxyz茶杯 -_.,'\"<&>é0123456789", min_size=1, max_size=12).filter(str.strip)
CODES = st.from_regex(r"[a-z](?:[a-z0-9-]{0,8}[a-z0-9])?", fullmatch=True)
YUAN = st.decimals(0, 99_999, places=2).map(str)
SHANGHAI = timedelta(hours=8)
_INSTANTS = st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)).map(lambda at: at.replace(microsecond=0))


def _offset(at: datetime) -> str:
    return f"{at.isoformat()}+08:00"


INSTANTS = st.one_of(
    _INSTANTS.map(_offset),
    _INSTANTS.map(lambda at: at.replace(tzinfo=UTC).isoformat().replace("+00:00", "Z")),
)
TIMES_OF_DAY = st.times().map(lambda at: at.replace(microsecond=0).isoformat("minutes"))


def _scalars(field: str, kind: str, op: str) -> st.SearchStrategy[Any]:
    if field == "order.weekday":
        return st.sampled_from(WEEKDAYS)
    if kind == "month":
        months = st.integers(1, 12)
        return st.one_of(months, st.booleans()) if op in ("=", "!=") else months
    if kind == "time":
        return st.one_of(INSTANTS, TIMES_OF_DAY)
    return {
        "text": WORDS,
        "code": CODES,
        "set": CODES,
        "flag": st.booleans(),
        "whole": st.integers(-5, 400),
        "money": YUAN,
    }[kind]


@st.composite
def checks(draw: st.DrawFn, *, fields: tuple[str, ...] = tuple(KINDS)) -> dict[str, Any]:
    """One check that the programme accepts."""
    field = draw(st.sampled_from(fields))
    kind = KINDS[field]
    op = draw(st.sampled_from(OPERATORS_OF[kind]))
    one = CODES_OF_TIERS if field == "member.tier" else _scalars(field, kind, op)
    if op in ("in", "not_in"):
        return {"field": field, "op": op, "value": draw(st.lists(one, min_size=1, max_size=4, unique=True))}
    if op != "between":
        return {"field": field, "op": op, "value": draw(one)}
    if kind == "time":
        one = draw(st.sampled_from([INSTANTS, TIMES_OF_DAY]))
    low, high = draw(one), draw(one)
    if kind == "time" and len(str(low)) > 8:
        low, high = sorted([low, high], key=lambda text: datetime.fromisoformat(text.replace("Z", "+00:00")))
        if datetime.fromisoformat(low.replace("Z", "+00:00")) == datetime.fromisoformat(
            high.replace("Z", "+00:00")
        ):
            return {"field": field, "op": ">=", "value": low}
    elif kind != "time":
        low, high = sorted([low, high], key=float)
    return {"field": field, "op": op, "value": [low, high]}


CODES_OF_TIERS = st.sampled_from(["basic", "silver", "gold"])


def conditions(leaves: st.SearchStrategy[dict[str, Any]] | None = None) -> st.SearchStrategy[dict[str, Any]]:
    """A condition at most five deep."""
    found: st.SearchStrategy[dict[str, Any]] = leaves if leaves is not None else checks()
    one = found
    for _depth in range(3):
        parts = st.lists(found, min_size=1, max_size=3)
        found = st.one_of(
            one,
            st.fixed_dictionaries({"all": parts}),
            st.fixed_dictionaries({"any": parts}),
            st.fixed_dictionaries({"not": found}),
        )
    return found


@st.composite
def rules(draw: st.DrawFn) -> dict[str, Any]:
    """A rule that the programme accepts."""
    document: dict[str, Any] = {"code": draw(CODES)}
    starts = draw(st.none() | _INSTANTS)
    if starts is not None:
        document["from"] = _offset(starts)
    if draw(st.booleans()):
        document["to"] = _offset(
            (starts or datetime(2025, 1, 1)) + timedelta(hours=draw(st.integers(1, 999)))
        )
    if draw(st.booleans()):
        document["when"] = draw(conditions())
    then: dict[str, Any] = {}
    if draw(st.booleans()):
        then["factor"] = draw(st.sampled_from(["1.5", "2", "3.25", "10"]))
    if draw(st.booleans()):
        then["bonus"] = draw(st.integers(1, 1_000_000))
    gives_points = bool(then)
    for kind in ("coupon", "gift"):
        if draw(st.booleans()):
            then[kind] = draw(CODES)
    if draw(st.booleans()) or not then:
        then["tier"] = draw(CODES_OF_TIERS)
    document["then"] = then
    for flag in ("exclusive", "stack"):
        if draw(st.booleans()):
            document[flag] = draw(st.booleans())
    if gives_points and draw(st.booleans()):
        names = ("per_member", "per_member_day", "per_member_month", "budget")
        document["limits"] = draw(
            st.dictionaries(st.sampled_from(names), st.integers(0, 10_000_000), max_size=4)
        )
    return document


def limits_in(document: dict[str, Any]) -> list[int]:
    return list((document.get("limits") or {}).values())


def depth(when: dict[str, Any]) -> int:
    """How many conditions stand inside one another, the outermost counted."""
    parts = [*when.get("all", ()), *when.get("any", ()), *([when["not"]] if "not" in when else [])]
    return 1 + max(map(depth, parts), default=0)
