"""Scored matching measured on people of whom the truth is known, and what is decided of a score (A5)."""

import json
from datetime import date
from io import StringIO
from pathlib import Path
from typing import Any

import duckdb
import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from members.errors import MatchingFailed
from members.evidence_words import _LEVELS
from members.matching import comparing, decisions, engine, english, estimation, evaluation, parameters, people
from members.matching.comparing import Odds
from members.matching.engine import Scored
from members.matching.evaluation import Figures
from members.matching.features import Description, features_of

DATA = Path(settings.BASE_DIR).parent / "shared" / "data"
SURE = {"name": "exact", "birthday": "exact"}


def decide(*pairs: Scored, link: float = 0.99, ask: float = 0.5, questions: int = 3) -> Any:
    decided = decisions.decide(pairs, link=link, ask=ask, questions=questions)
    return [pair[:2] for pair in decided.link], [pair[:2] for pair in decided.ask]


# --- what is decided ----------------------------------------------------------------------------------


def test_above_is_linked_between_is_asked_below_is_nothing():
    pairs = Scored(1, 2, 0.999, SURE), Scored(3, 4, 0.7, SURE), Scored(5, 6, 0.3, SURE)
    assert decide(*pairs) == ([(1, 2)], [(3, 4)])


@pytest.mark.parametrize(
    "levels",
    [
        {"name": "surname", "phone": "exact"},
        {"name": "other", "phone": "exact", "birthday": "exact"},
        {"name": "exact", "birthday": "other"},
        {"name": "exact", "gender": "other"},
        {"name": "masked", "phone": "exact", "birthday": "exact", "place": "city"},
        {"name": "pinyin", "phone": "exact", "birthday": "exact"},
        {"name": "near", "phone": "exact", "birthday": "exact"},
        {"phone": "exact", "birthday": "exact", "email": "exact"},
    ],
)
def test_no_score_links_what_a_household_shares(levels: dict[str, str]):
    assert decide(Scored(1, 2, 1.0, levels)) == ([], [(1, 2)])


def test_a_mailbox_tells_what_a_masked_name_does_not():
    levels = {"name": "masked", "phone": "masked", "email": "exact"}
    assert decide(Scored(1, 2, 0.999, levels)) == ([(1, 2)], [])


def test_nobody_is_linked_while_another_could_be_meant():
    assert decide(Scored(1, 2, 0.9999, SURE), Scored(1, 3, 0.6, SURE)) == ([], [(1, 2), (1, 3)])
    masked = {"name": "masked", "phone": "masked"}
    assert decide(Scored(1, 2, 0.9999, SURE), Scored(2, 3, 0.6, masked)) == ([], [(1, 2), (2, 3)])
    against = {"name": "surname", "phone": "exact"}  # a brother is nobody who could be meant
    assert decide(Scored(1, 2, 0.9999, SURE), Scored(1, 3, 0.6, against)) == ([(1, 2)], [(1, 3)])


def test_three_accounts_of_one_person_are_linked():
    pairs = [Scored(1, 2, 0.9999, SURE), Scored(1, 3, 0.999, SURE), Scored(2, 3, 0.995, SURE)]
    assert decide(*pairs) == ([(1, 2), (1, 3), (2, 3)], [])


def test_one_member_raises_few_questions_and_the_best_first():
    pairs = [Scored(1, other, other / 100, {"name": "masked"}) for other in range(60, 70)]
    assert decide(*pairs) == ([], [(1, 69), (1, 68), (1, 67)])


# --- our own people -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def measured() -> evaluation.Measured:
    link, ask = parameters.thresholds()
    return evaluation.measure(
        parameters.shipped(), seed=5, number=2_000, link=link, ask=ask, questions=settings.MATCH_QUESTIONS
    )


def test_links_are_as_precise_as_they_must_be(measured: evaluation.Measured):
    link, _ask = parameters.thresholds()
    assert measured.linked[link].precision >= evaluation.PRECISE
    assert measured.linked[link].found > 100
    assert measured.wrong == {}
    assert evaluation.is_precise([measured], link)


def test_most_of_the_rest_is_found_and_asked_about(measured: evaluation.Measured):
    link, _ask = parameters.thresholds()
    assert measured.asked
    assert measured.linked[link].recall + measured.asked.recall > 0.7
    assert measured.asked.precision > 0.6
    assert measured.best_f1 > 0.75


def test_the_set_holds_every_hard_case_and_is_the_same_each_time():
    told = people.labelled(5, 1_500)
    assert told == people.labelled(5, 1_500)
    assert told != people.labelled(6, 1_500)
    assert {each.case for each in told} >= {
        "family phone", "twins", "recycled number", "common name", "masked name", "masked phone", "homophone",
        "misheard", "pinyin", "nickname", "minority name", "compound surname", "second phone", "phone typo",
        "moved", "birthday typo", "day and month exchanged", "default birthday", "no name",
    }  # fmt: skip


BORN = date(1988, 6, 2)
HOME: dict[str, Any] = {"province": "浙江", "city": "杭州"}
PHONE = "+8613812345678"
HARD: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "a family's phone": (
        {"name": "张伟", "phone": PHONE, "gender": "male", **HOME},
        {"name": "张小宝", "phone": PHONE, "gender": "male", "birthday": date(2015, 5, 1), **HOME},
    ),
    "a family's phone, masked": (
        {"name": "张**", "phone_masked": "138****5678", **HOME},
        {"name": "张小宝", "phone": PHONE, **HOME},
    ),
    "twins": (
        {"name": "李晓明", "phone": PHONE, "birthday": BORN, "gender": "male", **HOME},
        {"name": "李晓亮", "phone": PHONE, "birthday": BORN, "gender": "male", **HOME},
    ),
    "twins whose names sound alike": (
        {"name": "沈敏文", "phone": PHONE, "birthday": BORN, "gender": "female", **HOME},
        {"name": "沈敏雯", "phone": PHONE, "birthday": BORN, "gender": "female", **HOME},
    ),
    "a recycled number": (
        {"name": "王芳", "phone": PHONE, "birthday": BORN, **HOME},
        {"name": "赵强", "phone": PHONE, "birthday": date(1999, 1, 9), **HOME},
    ),
    "a recycled number and the same name": (
        {"name": "王芳", "phone": PHONE, "birthday": BORN, **HOME},
        {"name": "王芳", "phone": PHONE, "birthday": date(1969, 11, 30), **HOME},
    ),
    "a masked namesake": (
        {"name": "张*", "birthday": BORN, **HOME},
        {"name": "张伟", "birthday": BORN, **HOME},
    ),
}


def scores(*told: dict[str, Any], seed: int = 3, crowd: int = 300) -> tuple[list[Scored], list[int]]:
    """Score somebody within a crowd; all pairs, and the numbers of those who were told."""
    others = [each.told for each in people.labelled(seed, crowd)]
    mine = [Description(member=100_000 + n, **values) for n, values in enumerate(told)]
    pairs = evaluation.score(parameters.shipped(), [*others, *mine], least=0.01)
    return pairs, [each.member for each in mine]


@pytest.fixture(scope="module")
def hard_pairs() -> list[Scored]:
    """All hard cases at once, each with a phone and birthday of its own, so that they do not meet."""
    told: list[dict[str, Any]] = []
    for n, case in enumerate(HARD.values()):
        for values in case:
            moved = dict(values)
            if "phone" in moved:
                moved["phone"] = f"+86138{n:02d}345{n:03d}"
            if "phone_masked" in moved:
                moved["phone_masked"] = f"138****5{n:03d}"
            told.append(moved)
    return scores(*told)[0]


@pytest.mark.parametrize("case", HARD)
def test_hard_cases_are_never_joined_by_themselves(case: str, hard_pairs: list[Scored]):
    n = 100_000 + 2 * list(HARD).index(case)
    link, ask = parameters.thresholds()
    decided = decisions.decide(hard_pairs, link=link, ask=ask, questions=3)
    assert (n, n + 1) not in [pair[:2] for pair in decided.link]


def test_hundreds_of_namesakes_are_not_one_person():
    """Three hundred 张伟 of one city, each with a phone; a few with the same birthday."""
    told = [
        {
            "name": "张伟",
            "phone": f"+86139{n * 7_919_317 % 10**8:08d}",
            "birthday": date(1980, 1, 1 + n % 28),
            **HOME,
        }
        for n in range(300)
    ]
    pairs, members = scores(*told, crowd=300)
    link, ask = parameters.thresholds()
    decided = decisions.decide(pairs, link=link, ask=ask, questions=3)
    assert not {member for pair in decided.link for member in pair[:2]} & set(members)


def test_a_rare_name_says_more_than_a_common_one():
    rare = {"name": "令狐冲虚", "birthday": BORN}
    common = {"name": "张伟", "birthday": BORN}
    crowd = [{"name": "张伟", "birthday": date(1970, 3, n)} for n in range(1, 25)]
    pairs, members = scores(rare, rare, common, common, *crowd)
    found = {pair[:2]: pair.score for pair in pairs}
    a, b, c, d = members[:4]
    assert found[a, b] > found[c, d]


def test_the_larger_the_shop_the_less_an_agreement_says():
    known = parameters.shipped()
    small, large = (
        comparing.among(known.odds, members, measured_among=known.people) for members in (10_000, 1_000_000)
    )
    assert known.prior(1_000_000) < known.prior(10_000)
    assert large["phone"]["exact"].u < small["phone"]["exact"].u  # households are rarer among so many
    assert large["phone"]["masked"].u == pytest.approx(3.5e-6)  # strangers' ends agree as often as ever
    assert large["name"] == small["name"]
    assert Odds(0.5, 0.001).among(1, measured_among=1_000_000, chance=1e-9).u == 0.9


# --- parameters, sets and the command -----------------------------------------------------------------


def test_parameters_are_data_with_a_version():
    known = parameters.shipped()
    assert known.version and parameters.parse(json.loads(json.dumps(known.document()))) == known
    assert {word: set(levels) for word, levels in known.odds.items()} == {
        each.word: set(each.words) for each in comparing.COMPARISONS
    }


def test_every_level_has_words_for_the_reviewer():
    assert {word: tuple(words) for word, words in _LEVELS.items()} == {
        each.word: each.words for each in comparing.COMPARISONS
    }


def test_an_estimation_is_the_same_each_time(monkeypatch, tmp_path):
    monkeypatch.setattr(estimation, "SAMPLE", 250)
    asked: dict[str, Any] = {"version": "t", "seed": 4, "number": 300, "twice": 0.2, "link": 0.9, "ask": 0.5}
    known = estimation.estimate(**asked)
    assert known == estimation.estimate(**asked)
    odds = known.odds["birthday"]
    assert odds["exact"].m > 0.5 > odds["exact"].u
    parameters.write(known, tmp_path / "known.json")
    written = parameters.parse(json.loads((tmp_path / "known.json").read_text(encoding="utf-8")))
    assert written.document() == known.document()


def test_the_lowest_precise_threshold_is_chosen_and_one_step_for_safety():
    def measured(*precisions: float) -> evaluation.Measured:
        linked = {
            at: Figures(1000, round(1000 * precision), 2000)
            for at, precision in zip(evaluation.LINK_FROM, precisions, strict=True)
        }
        return evaluation.Measured("x", 1, {}, linked)

    assert evaluation.choose([measured(1, 1, 1, 1)]) == 0.99
    assert evaluation.choose([measured(1, 1, 1, 1), measured(0.9, 0.99, 1, 1)]) == 0.9999
    assert evaluation.choose([measured(0.9, 0.9, 0.9, 1)]) == 0.9999
    assert evaluation.choose([measured(0.9, 0.9, 0.9, 0.9)]) is None
    assert not evaluation.is_precise([measured(1, 0.9, 1, 1)], 0.99)


def test_the_command_reports_and_says_what_it_did_not_find(tmp_path):
    out, err = StringIO(), StringIO()
    asked = "--seed=5", "--people=400", f"--data={tmp_path}", "--json"
    call_command("evaluate_matching", *asked, stdout=out, stderr=err)
    found = json.loads(out.getvalue())
    assert found["sets"][0]["linked"]["0.99"]["precision"] >= evaluation.PRECISE
    assert "febrl1" in err.getvalue() and "RLdata500" in err.getvalue()
    with pytest.raises(CommandError):
        call_command("evaluate_matching", "--seed=1")


@pytest.mark.parametrize(("name", "least"), [("febrl1", 0.998), ("RLdata500", 0.95)])
def test_public_sets_are_matched_as_well_as_ever(name: str, least: float):
    if name not in english.found_in(DATA):
        pytest.skip(f"the public set {name} is not in ../shared/data")
    assert evaluation.measure_english(DATA, name).best_f1 >= least


def test_an_engine_that_breaks_off_quotes_no_value():
    with pytest.raises(MatchingFailed) as raised, engine.private_database() as database:
        engine.load(database, "told", [features_of(Description(1, name="上官云珠"))])
        database.execute("SELECT name::int FROM told").fetchall()
    assert "上官" not in str(raised.value) and raised.value.__suppress_context__
    with engine.private_database() as database, pytest.raises(duckdb.Error, match="上官"):
        engine.load(database, "told", [features_of(Description(1, name="上官云珠"))])
        database.execute("SELECT name::int FROM told").fetchall()  # its own words would have


def test_the_folder_to_overflow_into_is_private_and_goes():
    with engine.private_database() as database:
        ((folder,),) = database.execute("SELECT current_setting('temp_directory')").fetchall()
        assert Path(folder).stat().st_mode & 0o777 == 0o700
    assert not Path(folder).exists()
