"""What is compared of a name, a phone, a birthday: Chinese cases, one by one (A5)."""

from datetime import date
from typing import Any

import duckdb
import pytest

from members.matching import comparing, engine, readings
from members.matching.comparing import BIRTHDAY, COMPARISONS, EMAIL, GENDER, NAME, PHONE, PLACE, Comparison
from members.matching.features import BLOCKS, Description, Features, features_of, name_of


@pytest.fixture(scope="module")
def database():
    with engine.private_database() as opened:
        yield opened


def level(database: duckdb.DuckDBPyConnection, comparison: Comparison, one: Any, other: Any) -> str | None:
    """The level at which two descriptions stand, as the database says; the same from either side."""
    found = set()
    for pair in ((one, other), (other, one)):
        engine.load(database, "pair", [features_of(told) for told in pair])
        columns = [*Features._fields, "holders"]
        sides = ", ".join(f"{side}.{column} AS {column}_{side}" for side in "lr" for column in columns)
        ((word,),) = database.execute(
            f"""
            SELECT {comparing.gamma_sql(comparison)}
              FROM (SELECT {sides} FROM pair l JOIN pair r ON l.member < r.member)
            """
        ).fetchall()
        database.execute("DROP TABLE pair")
        found.add(word)
    (word,) = found
    return word


def told(number: int, **values: Any) -> Description:
    return Description(member=number, **values)


def test_surnames_are_read_as_surnames():
    expected = {
        "单": "shan", "曾": "zeng", "仇": "qiu", "解": "xie", "查": "zha", "区": "ou", "盖": "ge",
        "任": "ren",
        "朴": "piao", "翟": "zhai", "缪": "miao", "覃": "qin", "乐": "yue", "召": "shao", "种": "chong",
        "欧阳": "ouyang", "万俟": "moqi", "尉迟": "yuchi", "长孙": "zhangsun", "令狐": "linghu", "王": "wang",
    }  # fmt: skip
    assert {surname: readings.surname_reading(surname) for surname in expected} == expected


@pytest.mark.parametrize(
    ("name", "surname", "pinyin"),
    [
        ("张伟", "张", "zhangwei"),
        ("单单", "单", "shandan"),
        ("欧阳娜娜", "欧阳", "ouyangnana"),
        ("司马光", "司马", "simaguang"),
        ("司马", "司", "sima"),  # two characters: a surname of one
        ("吕绿", "吕", "lvlv"),
        ("Zhang Wei", "zhang", "zhangwei"),
        ("XIAOMING ZHANG", "zhang", "zhangxiaoming"),
        ("WEI ZHANG", "wei", "weizhang"),  # either could be the surname: the first is, as in passports
        ("Ouyang Na Na", "ouyang", "ouyangnana"),
        ("LYU Bu", "lv", "lvbu"),
        ("John Smith", "smith", "smithjohn"),
        ("买买提·吐尔逊", "买买提", "maimaitituerxun"),
        ("买买提•吐尔逊", "买买提", "maimaitituerxun"),
        ("Ｚｈａｎｇ　Ｗｅｉ", "zhang", "zhangwei"),
        ("张**", "张", None),
        ("欧阳*", "欧阳", None),
        ("王女士", "王", None),
        ("小李", "李", None),
        ("爱吃的小猫咪", None, None),
        ("momo", None, None),
        ("**", None, None),
        ("", None, None),
        (None, None, None),
    ],
)
def test_names_are_taken_apart(name: str | None, surname: str | None, pinyin: str | None):
    assert (name_of(name).surname, name_of(name).pinyin) == (surname, pinyin)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("张伟", "张伟", "exact"),
        ("张 伟", "张伟", "exact"),
        ("买买提·吐尔逊", "买买提•吐尔逊", "exact"),
        ("张伟", "Zhang Wei", "latin"),
        ("单雄信", "Shan Xiongxin", "latin"),
        ("欧阳娜娜", "NANA OUYANG", "latin"),
        ("张伟", "张玮", "pinyin"),
        ("曾静", "曾婧", "pinyin"),
        ("张静", "章静", "pinyin"),
        ("陈琳", "陈宁", "near"),
        ("王思颖", "王诗尹", "near"),
        ("陈琳", "Chen Ling", "near"),
        ("陈伟", "程伟", "other"),
        ("张**", "张晓明", "masked"),
        ("张*", "张晓明", "masked"),
        ("张*明", "张晓明", "masked"),
        ("欧阳**", "欧阳娜娜", "masked"),
        ("张先生", "张伟", "masked"),
        ("小李", "李雷", "masked"),
        ("张**", "张*", "masked"),
        ("张**", "张伟", "surname"),  # two stars are two characters
        ("张*红", "张晓明", "surname"),
        ("张晓明", "张晓亮", "surname"),
        ("张伟", "张磊", "surname"),
        ("李**", "张晓明", "other"),
        ("王芳", "李娜", "other"),
        ("张伟", None, None),
        ("张伟", "momo", None),
    ],
)
def test_names_agree_at_a_level(database, one: str, other: str | None, expected: str | None):
    assert level(database, NAME, told(1, name=one), told(2, name=other)) == expected


FULL = "+8613812345678"


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ({"phone": FULL}, {"phone": FULL}, "exact"),
        ({"phone": FULL}, {"phone_masked": "138****5678"}, "masked"),
        ({"phone_masked": "138****5678"}, {"phone_masked": "138****5678"}, "masked"),
        ({"phone": FULL}, {"phone": "+8613812345679"}, "near"),
        ({"phone": FULL}, {"phone": "+8613812345687"}, "near"),  # two digits exchanged
        ({"phone": FULL}, {"phone": "+8613887655678"}, "other"),  # ends alike, and both are told in full
        ({"phone": FULL}, {"phone_masked": "139****5678"}, "other"),
        ({"phone": FULL}, {"phone_masked": "*******5678"}, None),
        ({"phone": FULL}, {}, None),
    ],
)
def test_phones_agree_at_a_level(database, one: Any, other: Any, expected: str | None):
    assert level(database, PHONE, told(1, **one), told(2, **other)) == expected


def test_a_phone_that_many_have_says_less(database):
    engine.load(database, "office", [features_of(told(n, phone=FULL)) for n in range(comparing.FAMILY + 1)])
    holders = database.execute("SELECT DISTINCT holders FROM office").fetchall()
    assert holders == [(4,)]
    words = [found for found in PHONE.words if found != "other"]
    assert words.index("exact") < words.index("shared")


@pytest.mark.parametrize(
    ("comparison", "one", "other", "expected"),
    [
        (BIRTHDAY, date(1991, 4, 3), date(1991, 4, 3), "exact"),
        (BIRTHDAY, date(1991, 4, 3), date(1991, 3, 4), "turned"),
        (BIRTHDAY, date(1991, 4, 23), date(1991, 4, 28), "near"),
        (BIRTHDAY, date(1991, 4, 23), date(1981, 4, 23), "near"),
        (BIRTHDAY, date(1991, 4, 23), date(1988, 12, 5), "other"),
        (BIRTHDAY, date(1991, 4, 23), None, None),
        (BIRTHDAY, date(1990, 1, 1), date(1990, 1, 1), None),  # what forms fill in
    ],
)
def test_birthdays_agree_at_a_level(
    database, comparison: Comparison, one: date, other: date | None, expected: str | None
):
    assert level(database, comparison, told(1, birthday=one), told(2, birthday=other)) == expected


@pytest.mark.parametrize(
    ("comparison", "one", "other", "expected"),
    [
        (EMAIL, {"email": "a.mei@qq.com"}, {"email": "A.Mei@QQ.com"}, "exact"),
        (EMAIL, {"email": "12345678@qq.com"}, {"email": "12345678@foxmail.com"}, "user"),
        (EMAIL, {"email": "admin@a.cn"}, {"email": "admin@b.cn"}, "other"),
        (EMAIL, {"email": "1****8@qq.com"}, {"email": "12345678@qq.com"}, None),
        (PLACE, {"province": "浙江省", "city": "杭州市"}, {"province": "浙江", "city": "杭州"}, "city"),
        (PLACE, {"city": "杭州"}, {"province": "浙江", "city": "杭州"}, "city"),
        (PLACE, {"province": "浙江", "city": "宁波"}, {"province": "浙江", "city": "杭州"}, "province"),
        (PLACE, {"province": "浙江"}, {"province": "四川"}, "other"),
        (PLACE, {"city": "杭州"}, {}, None),
        (GENDER, {"gender": "female"}, {"gender": "female"}, "same"),
        (GENDER, {"gender": "female"}, {"gender": "male"}, "other"),
        (GENDER, {"gender": "other"}, {"gender": "male"}, None),
    ],
)
def test_the_rest_agrees_at_a_level(database, comparison: Comparison, one: Any, other: Any, expected: Any):
    assert level(database, comparison, told(1, **one), told(2, **other)) == expected


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"name": "张**", "phone_masked": "138****5678"}, {"name": "张伟明", "phone": FULL}),
        ({"name": "张**", "birthday": date(1991, 4, 3)}, {"name": "张伟明", "birthday": date(1991, 3, 4)}),
        ({"name": "张伟明", "city": "杭州市"}, {"name": "Zhang Weiming", "city": "杭州"}),
        ({"name": "张伟明", "phone": FULL}, {"name": "张玮明", "phone": "+8613812345679"}),
        ({"name": "张伟明", "phone": FULL}, {"name": "张玮明", "phone": "+8613112345678"}),
        ({"name": "张伟明", "birthday": date(1991, 4, 3)}, {"name": "张伟明", "birthday": date(1991, 5, 6)}),
        ({"name": "张伟明", "birthday": date(1991, 4, 3)}, {"name": "张伟明", "birthday": date(1981, 4, 3)}),
        ({"email": "12345678@qq.com"}, {"email": "12345678@foxmail.com"}),
    ],
)
def test_those_who_may_be_one_are_brought_together(one: Any, other: Any):
    first, second = features_of(told(1, **one)), features_of(told(2, **other))
    keys = [(getattr(first, block), getattr(second, block)) for block in BLOCKS]
    assert [mine for mine, theirs in keys if mine and mine == theirs]


def test_nothing_told_brings_nobody_together():
    nothing = features_of(told(1))
    assert [getattr(nothing, block) for block in BLOCKS] == [None] * len(BLOCKS)
    assert [column for column in Features._fields if getattr(nothing, column) is not None] == ["member"]


def test_every_level_has_odds_and_words_of_its_own():
    for comparison in COMPARISONS:
        assert len(set(comparison.words)) == len(comparison.words)
        numbers = range(-1, len(comparison.levels) + 1)
        assert [comparison.word_of(n) for n in numbers] == [None, *reversed(comparison.words)]
