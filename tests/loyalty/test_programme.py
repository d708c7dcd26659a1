"""The programme as a document: what is read, what is refused, and that it comes out as it went in."""

import copy
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loyalty import programme_file
from loyalty.benefit_terms import Benefits
from loyalty.cautions import cautions, not_acted_upon_yet
from loyalty.comparison import differences
from loyalty.errors import ProgrammeInvalid
from loyalty.expiry import NEVER, Expiry
from loyalty.programme import document, parse
from loyalty.tier_terms import Qualify

DEMO = Path(__file__).resolve().parents[2] / "loyalty" / "programmes" / "demo.yaml"
SHANGHAI = ZoneInfo("Asia/Shanghai")


@pytest.fixture
def demo() -> dict[str, Any]:
    return programme_file.read(DEMO.read_bytes())


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


def problems(document: Any) -> dict[str, str]:
    with pytest.raises(ProgrammeInvalid) as refused:
        parse(document)
    return {problem["path"]: problem["message"] for problem in refused.value.problems}


def changed(demo: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """A copy of the document with one value replaced: `tiers.1.keep.months`."""
    copied = copy.deepcopy(demo)
    *way, last = [int(word) if word.isdigit() else word for word in path.split(".")]
    part: Any = copied
    for word in way:
        part = part[word]
    part[last] = value
    return copied


# --- reading -----------------------------------------------------------------------------------------


def test_the_demo_says_what_it_says(demo):
    programme = parse(demo)
    assert [tier.code for tier in programme.tiers] == ["basic", "silver", "gold", "diamond"]
    assert [tier.rank for tier in programme.tiers] == [0, 1, 2, 3]
    assert [tier.benefits.points_per_yuan for tier in programme.tiers[:3]] == [100, 80, 60]
    assert programme.points.expiry == Expiry(months=12, round_up_to="month_end")
    assert programme.expiry_of(programme.tier("silver")) == programme.points.expiry
    assert programme.expiry_of(programme.tier("diamond")) == NEVER
    assert programme.tier("a tier of old").code == "basic"
    assert programme.rules[0].holds_at(at("2026-11-11T00:00:00"))
    assert not programme.rules[0].holds_at(at("2026-11-12T00:00:00"))


def test_a_document_may_leave_nearly_everything_out():
    programme = parse({"programme": "small", "tiers": [{"code": "all", "name": {"en": "All"}}]})
    assert programme.points.base_per_yuan == 1
    assert programme.points.expiry.never
    assert programme.tiers[0].benefits == Benefits()
    assert programme.rules == () and programme.rest == {}


@pytest.mark.parametrize(
    ("path", "value", "where"),
    [
        ("points.base_per_yuan", 1, "points.base_per_yuan"),
        ("points.base_per_yuan", 1.5, "points.base_per_yuan"),
        ("points.base_per_yuan", "-1", "points.base_per_yuan"),
        ("points.base_per_yuan", "1e3", "points.base_per_yuan"),
        ("points.base_per_yuan", "1.00001", "points.base_per_yuan"),
        ("points.pending_days", True, "points.pending_days"),
        ("points.pending_days", "7", "points.pending_days"),
        ("points.refund_shortage", "ignore", "points.refund_shortage"),
        ("points.expiry", "sometimes", "points.expiry"),
        ("points.expiry", {"after": {"months": 1, "days": 1}}, "points.expiry.after"),
        ("points.expiry", {"after": {"months": 0}}, "points.expiry.after.months"),
        ("points.expiry", {"after": {"months": 1}, "at": "year_end"}, "points.expiry"),
        ("points.pendng_days", 7, "points.pendng_days"),
        ("surprise", 1, "surprise"),
        ("time_zone", "Asia/Atlantis", "time_zone"),
        ("time_zone", "../etc/passwd", "time_zone"),
        ("effective_from", "2026-01-01", "effective_from"),
        ("effective_from", "2026-01-01T00:00:00", "effective_from"),
        ("effective_from", "2026-13-01T00:00:00+08:00", "effective_from"),
        ("tiers", [], "tiers"),
        ("tiers", "gold", "tiers"),
        ("tiers.1.code", "basic", "tiers[1].code"),
        ("tiers.1.code", "no spaces", "tiers[1].code"),
        ("tiers.1.name", {"fr": "Argent"}, "tiers[1].name.fr"),
        ("tiers.1.name", {"en": "a\x00b"}, "tiers[1].name.en"),
        ("tiers.0.qualify", {"all": {"orders": 1}}, "tiers[0].qualify"),
        ("tiers.1.qualify", None, "tiers[1].qualify"),
        ("tiers.1.qualify", {}, "tiers[1].qualify"),
        ("tiers.1.qualify", {"all": {"orders": 1}, "any": {"orders": 2}}, "tiers[1].qualify"),
        ("tiers.2.qualify.all.spend", "2999", "tiers[2].qualify"),
        ("tiers.1.keep.down", "two", "tiers[1].keep.down"),
        ("tiers.1.benefits.discount", "1.1", "tiers[1].benefits.discount"),
        ("tiers.1.benefits.points_per_yuan", 0, "tiers[1].benefits.points_per_yuan"),
        ("tiers.1.benefits.birthday", {"factor": 2}, "tiers[1].benefits.birthday.factor"),
        ("rules.0.to", "2026-11-11T00:00:00+08:00", "rules[0].to"),
        ("rules.0.then", {}, "rules[0].then"),
        ("rules.0.then", {"tier": "platinum"}, "rules[0].then.tier"),
        ("rules.0.limits.budget", -1, "rules[0].limits.budget"),
        ("rules.1.code", "double-eleven", "rules[1].code"),
        ("rules.0.when.all.0.field", "order.colour", "rules[0].when.all[0].field"),
        ("rules.0.when", {"field": "member.tier", "op": "=", "value": "platinum"}, "rules[0].when"),
        ("activities.enrolment", {}, "activities.enrolment"),
        ("activities.enrollment", {"points": 1}, "activities.enrollment"),
        ("activities.check_in.streak", {"week": {"points": 1}}, "activities.check_in.streak.week"),
        ("coupons.0.value", None, "coupons[0].value"),
        ("coupons.0.kind", "percent", "coupons[0].kind"),
        ("rewards.0.points", "500", "rewards[0].points"),
        ("referral.ladder", {0: {"both": {"points": 1}}}, "referral.ladder.0"),
        ("referral.ladder", {1: {}}, "referral.ladder.1"),
        ("milestones.0.when.op", "~", "milestones[0].when.op"),
        ("milestones.0.once_per", "week", "milestones[0].once_per"),
    ],
)
def test_a_mistake_is_refused_with_its_place(demo, path, value, where):
    assert where in problems(changed(demo, path, value))


def test_all_mistakes_are_told_at_once(demo):
    demo["points"]["base_per_yuan"] = 1.5
    demo["tiers"][1]["keep"]["monhts"] = 1
    del demo["tiers"][2]["code"]
    assert set(problems(demo)) == {"points.base_per_yuan", "tiers[1].keep.monhts", "tiers[2].code"}


@pytest.mark.parametrize("nonsense", [None, [], "text", 7, {"tiers": {"a": 1}}, {"rules": [None]}])
def test_nonsense_is_refused_and_breaks_nothing(nonsense):
    assert problems(nonsense)


# --- in and out --------------------------------------------------------------------------------------


def test_the_document_comes_out_as_it_went_in(demo):
    assert document(parse(demo)) == demo | {
        "activities": demo["activities"] | {"check_in": {"points": 2, "streak": {"7": {"points": 20}}}},
        "referral": demo["referral"] | {"ladder": {str(k): v for k, v in demo["referral"]["ladder"].items()}},
    }
    assert programme_file.read(programme_file.write(document(parse(demo)))) == demo


def test_keys_come_out_in_the_order_in_which_people_read_them(demo):
    backwards = dict(reversed(demo.items()))
    assert list(document(parse(backwards))) == list(demo)


codes = st.from_regex(r"[a-z][a-z0-9-]{0,8}[a-z0-9]", fullmatch=True)
texts = st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")), min_size=1).filter(
    lambda text: 0 < len(text.strip()) <= 200
)
amounts = st.decimals("0.01", "99999.99", places=2).map(str)


@st.composite
def expiries(draw: st.DrawFn) -> Any:
    period = draw(st.sampled_from([{"months": draw(st.integers(1, 99))}, {"days": draw(st.integers(1, 99))}]))
    rounding = draw(st.sampled_from([{}, {"round_up_to": "month_end"}, {"round_up_to": "year_end"}]))
    years = {"at": "year_end", "years": draw(st.integers(0, 5))}
    return draw(st.sampled_from(["never", {"after": period, **rounding}, years]))


@st.composite
def conditions_(draw: st.DrawFn) -> Any:
    leaf = st.one_of(
        st.builds(lambda value: {"field": "order.paid", "op": ">=", "value": value}, amounts),
        st.builds(
            lambda value: {"field": "order.channel", "op": "in", "value": value}, st.lists(texts, min_size=1)
        ),
        st.builds(lambda value: {"field": "order.first", "op": "=", "value": value}, st.booleans()),
        st.just({"field": "order.time", "op": "between", "value": ["22:00", "02:00"]}),
    )
    groups = st.dictionaries(
        st.sampled_from(["all", "any"]), st.lists(leaf, min_size=1), min_size=1, max_size=1
    )
    return draw(st.one_of(leaf, groups, leaf.map(lambda each: {"not": each})))


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    tiers: list[dict[str, Any]] = [
        {"code": code, "name": {draw(st.sampled_from(["en", "zh-hans"])): draw(texts)}}
        for code in draw(st.lists(codes, min_size=1, max_size=4, unique=True))
    ]
    for rank, tier in enumerate(tiers[1:], start=1):
        tier["qualify"] = {draw(st.sampled_from(["all", "any"])): {"orders": rank * 3}}
        tier["benefits"] = {
            "extra": draw(st.dictionaries(texts, st.one_of(texts, st.booleans()), max_size=2))
        }
    rules = [
        {"code": code, "when": draw(conditions_()), "then": {"factor": draw(st.sampled_from(["2", "1.50"]))}}
        for code in draw(st.lists(codes, max_size=3, unique=True))
    ]
    return {"programme": "main", "points": {"expiry": draw(expiries())}, "tiers": tiers, "rules": rules}


@settings(deadline=None)
@given(documents())
def test_any_programme_survives_the_file(given_document):
    programme = parse(given_document)
    text = programme_file.write(document(programme))
    assert programme_file.read(text) == given_document
    assert parse(programme_file.read(text)) == programme
    assert differences(programme, parse(programme_file.read(text))) == []


# --- the file ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "a: &x 1\nb: *x",
        "a: &a [x, x]\nb: &b [*a, *a]",
        "a: 1\na: 2",
        "{a: {b: 1, b: 2}}",
        "[" * 100,
        "- a list",
        "a: !!python/object/apply:os.system [ls]",
        "a: [",
        "just text",
        "",
        "? [a, b]\n: 1",
        b"\xff\xfe\x00",
        "x" * 1_000_001,
    ],
)
def test_a_dangerous_or_broken_file_is_refused(text):
    with pytest.raises(ProgrammeInvalid):
        programme_file.read(text)


def test_a_mistake_in_the_file_is_told_by_its_line():
    with pytest.raises(ProgrammeInvalid) as refused:
        programme_file.read("programme: main\npoints: {}\npoints: {}\n")
    assert refused.value.problems[0]["path"] == "line 3, column 1"


def test_words_are_what_they_look_like():
    read = programme_file.read(
        "{a: on, b: 12:30, c: 2026-01-01T00:00:00+08:00, d: 007, e: true, f: 7, g: no}"
    )
    assert read == {
        "a": "on", "b": "12:30", "c": "2026-01-01T00:00:00+08:00", "d": "007", "e": True, "f": 7, "g": "no",
    }  # fmt: skip


# --- expiry ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expiry", "earned_at", "worth_nothing_at"),
    [
        (Expiry(months=12), "2026-03-15T00:00:00", "2027-03-16T00:00:00"),
        (Expiry(months=12), "2026-03-15T23:59:59", "2027-03-16T00:00:00"),
        (Expiry(months=1), "2026-01-31T12:00:00", "2026-03-01T00:00:00"),
        (Expiry(months=1), "2028-01-31T12:00:00", "2028-03-01T00:00:00"),
        (Expiry(months=12), "2028-02-29T12:00:00", "2029-03-01T00:00:00"),
        (Expiry(months=48), "2028-02-29T12:00:00", "2032-03-01T00:00:00"),
        (Expiry(months=12, round_up_to="month_end"), "2026-03-15T12:00:00", "2027-04-01T00:00:00"),
        (Expiry(months=12, round_up_to="month_end"), "2026-12-31T12:00:00", "2028-01-01T00:00:00"),
        (Expiry(months=1, round_up_to="month_end"), "2028-01-31T12:00:00", "2028-03-01T00:00:00"),
        (Expiry(months=3, round_up_to="year_end"), "2026-11-11T12:00:00", "2028-01-01T00:00:00"),
        (Expiry(days=30), "2026-01-31T12:00:00", "2026-03-03T00:00:00"),
        (Expiry(days=1, round_up_to="month_end"), "2026-02-28T12:00:00", "2026-04-01T00:00:00"),
        (Expiry(years=0), "2026-11-11T12:00:00", "2027-01-01T00:00:00"),
        (Expiry(years=1), "2026-01-01T00:00:00", "2028-01-01T00:00:00"),
        (Expiry(years=1), "2026-12-31T23:59:59", "2028-01-01T00:00:00"),
    ],
)
def test_points_are_worth_nothing_at_the_midnight_after_their_last_day(expiry, earned_at, worth_nothing_at):
    assert expiry.expires_at(at(earned_at), SHANGHAI) == at(worth_nothing_at)


def test_the_day_is_that_of_the_programme_and_not_of_the_server():
    late = datetime.fromisoformat("2026-03-15T17:00:00+00:00")  # already the 16th in Shanghai
    assert Expiry(months=12).expires_at(late, SHANGHAI) == at("2027-03-17T00:00:00")


def test_a_midnight_stays_midnight_where_clocks_change():
    paris = ZoneInfo("Europe/Paris")
    expires = Expiry(days=1).expires_at(datetime(2026, 3, 28, 12, tzinfo=paris), paris)
    assert expires is not None and expires == datetime(2026, 3, 30, 0, 0, tzinfo=paris)
    assert expires.utcoffset() == timedelta(hours=2)


def test_never_is_never():
    assert NEVER.expires_at(at("2026-03-15T12:00:00"), SHANGHAI) is None


@settings(deadline=None)
@given(st.datetimes(datetime(2000, 1, 1), datetime(2099, 1, 1)), expiries())
def test_later_points_never_expire_earlier(earned_at, form):
    expiry = parse(
        {"programme": "p", "points": {"expiry": form}, "tiers": [{"code": "a1", "name": {"en": "A"}}]}
    ).points.expiry
    one = expiry.expires_at(earned_at.replace(tzinfo=SHANGHAI), SHANGHAI)
    other = expiry.expires_at(earned_at.replace(tzinfo=SHANGHAI, day=28), SHANGHAI)
    if one is not None and other is not None:
        assert (one <= other) if earned_at.day <= 28 else (one >= other)
        assert one > earned_at.replace(tzinfo=SHANGHAI)


# --- tiers -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("qualify", "spend", "orders", "growth", "met"),
    [
        (Qualify(spend=Decimal(10000), orders=15), "12000", 6, 0, False),
        (Qualify(spend=Decimal(3000), orders=5), "12000", 6, 0, True),
        (Qualify(spend=Decimal(3000), orders=5), "3000", 4, 0, False),
        (Qualify(spend=Decimal(3000), orders=5), "2999.99", 5, 0, False),
        (Qualify(spend=Decimal(3000), orders=5), "3000.00", 5, 0, True),
        (Qualify(mode="any", spend=Decimal(3000), orders=5), "10", 5, 0, True),
        (Qualify(mode="any", spend=Decimal(3000), orders=5), "10", 4, 0, False),
        (Qualify(growth=500), "99999", 99, 499, False),
        (Qualify(growth=500), "0", 0, 500, True),
        (Qualify(by_invitation=True), "99999", 99, 9999, False),
        (Qualify(spend=Decimal(1), top_percent=Decimal(1)), "99999", 99, 9999, False),
    ],
)
def test_what_a_tier_asks(qualify, spend, orders, growth, met):
    assert qualify.met(Decimal(spend), orders, growth) is met


@pytest.mark.parametrize(("rate", "yuan"), [(100, "15.00"), (80, "18.75"), (60, "25.00"), (7, "214.28")])
def test_what_1500_points_are_worth(rate, yuan):
    assert str(Benefits(points_per_yuan=rate).worth(1500)) == yuan


# --- in words ----------------------------------------------------------------------------------------


def test_differences_are_told_in_words(demo):
    new = changed(demo, "tiers.1.qualify.all.spend", "4000")
    new["points"]["expiry"] = "never"
    del new["rules"][1]
    told = differences(parse(demo), parse(new))
    assert [each.path for each in told] == [
        "points.expiry",
        "tiers.silver.qualify.spend",
        "rules.mini-program-basket",
    ]
    assert told[1].sentence("en") == "Tier silver: spend 3000 → 4000"
    assert told[2].sentence("en") == "Rule mini-program-basket is removed"


def test_what_means_the_same_is_no_difference(demo):
    new = changed(demo, "tiers.1.qualify.all.spend", "3000.00")
    del new["rules"][0]["stack"], new["points"]["adjust_limit"]
    assert differences(parse(demo), parse(new)) == []


def test_the_order_of_rules_is_a_difference(demo):
    new = changed(demo, "rules", list(reversed(demo["rules"])))
    assert [each.path for each in differences(parse(demo), parse(new))] == ["rules.order"]


def test_what_is_kept_but_not_acted_upon_is_said(demo):
    small = parse({"programme": "small", "tiers": [{"code": "all", "name": {"en": "All"}}]})
    assert not_acted_upon_yet(small) == []
    assert not_acted_upon_yet(parse(demo)) == []
    demo["rules"][0]["when"] = {"field": "member.segments", "op": "contains", "value": "loyal"}
    assert not_acted_upon_yet(parse(demo))[-1] == (
        "Rule double-eleven: segments are not known yet; every member counts as in none."
    )


def test_slips_are_pointed_out(demo):
    demo["tiers"][2]["benefits"]["coefficient"] = "1.1"
    demo["milestones"][0]["then"] = {"gift": "NOSUCH"}
    demo["activities"]["check_in"]["streak"]["7"] = {"coupon": "GONE"}
    told = cautions(parse(demo), at("2026-11-12T00:00:00"), first=True)
    assert told == [
        "activities.check_in.streak.7 gives the coupon GONE, which does not exist.",
        "milestones.twelve gives the gift NOSUCH, which is no reward.",
        "Tier gold gives less than tier silver below it.",
        "Rule double-eleven is over.",
    ]
