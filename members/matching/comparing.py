"""What is compared, at which levels, and how that is said to Splink. Pure.

A comparison has levels, best first; the first that holds counts. Each level has m, how often it is seen of
one person, and u, how often of two. Splink turns them into a score; the words of the levels are what a
reviewer reads (`members.evidence_words`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from members.matching.features import BLOCKS

# The last level of every comparison: none of the others holds.
OTHER: Final = "other"
# A phone that more members hold than this is an office's or a shop's.
FAMILY: Final = 3


@dataclass(frozen=True, slots=True)
class Level:
    """One degree of agreement. `by_frequency` names the column whose rare values say more than common ones.

    `is_partial`: having the value is not enough to agree at this level (a masked name hides the rest).
    `chance` is given where households agree more often than strangers: it is how often strangers do.
    """

    word: str
    sql: str
    by_frequency: str = ""
    is_partial: bool = False
    chance: float | None = None


@dataclass(frozen=True, slots=True)
class Comparison:
    """One thing that is compared. `unknown` is when nothing can be said, and nothing is counted.

    `meeting` brings together all who agree at the levels that have a chance.
    """

    word: str
    unknown: str
    levels: tuple[Level, ...]
    meeting: str = ""

    @property
    def words(self) -> tuple[str, ...]:
        """The words of all levels, best first."""
        return (*(level.word for level in self.levels), OTHER)

    def word_of(self, gamma: int) -> str | None:
        """The level that Splink numbers so: the best has the highest number, unknown is -1."""
        return None if gamma < 0 else self.words[len(self.levels) - gamma]


@dataclass(frozen=True, slots=True)
class Odds:
    """Of one level: how often it is seen of one person (m), and of two (u)."""

    m: float
    u: float

    def among(self, members: int, *, measured_among: int, chance: float | None) -> "Odds":
        """In a shop of another size. A household has as many members in a large shop as in a small one, so
        that two members taken at random are of one household the more seldom, the larger the shop."""
        if chance is None:
            return self
        return Odds(self.m, min(0.9, max(chance, self.u * measured_among / max(1, members))))


Table = Mapping[str, Mapping[str, Odds]]  # comparison → level → odds


def _missing(*columns: str) -> str:
    return " OR ".join(f"{column}_{side} IS NULL" for column in columns for side in "lr")


# Of a name in Latin letters the reading is all there is.
_IN_LATIN = "(given_l = given_pinyin_l OR given_r = given_pinyin_r)"
# A surname in Latin letters has no character that could be the same.
_SAME_SURNAME = f"(surname_l = surname_r OR surname_sound_l = surname_sound_r AND {_IN_LATIN})"
_NEAR_GIVEN = (
    "(sound_l = sound_r OR length(given_pinyin_l) >= 6 AND length(given_pinyin_r) >= 6"
    " AND levenshtein(given_pinyin_l, given_pinyin_r) <= 1)"
)

NAME = Comparison(
    "name",
    unknown=_missing("written"),
    levels=(
        Level("exact", "name_l = name_r", "name"),
        Level("latin", f"pinyin_l = pinyin_r AND {_IN_LATIN}", "pinyin"),
        Level("pinyin", "pinyin_l = pinyin_r", "pinyin"),
        Level("near", f"{_SAME_SURNAME} AND {_NEAR_GIVEN}"),
        Level("masked", "written_r LIKE pattern_l OR written_l LIKE pattern_r", "surname", is_partial=True),
        Level("surname", "surname_l = surname_r"),
    ),
)
PHONE = Comparison(
    "phone",
    unknown=f"({_missing('phone')}) AND ({_missing('phone_key')})",
    levels=(
        Level("exact", f"phone_l = phone_r AND greatest(holders_l, holders_r) <= {FAMILY}", chance=1e-9),
        Level("shared", "phone_l = phone_r", chance=1e-9),
        # Some thirty prefixes are in use, and ten thousand endings.
        Level("masked", "phone_key_l = phone_key_r AND (phone_l IS NULL OR phone_r IS NULL)", chance=3.5e-6),
        Level("near", "damerau_levenshtein(phone_l, phone_r) <= 1"),
    ),
    meeting="l.phone_key = r.phone_key",
)
BIRTHDAY = Comparison(
    "birthday",
    unknown=_missing("birthday"),
    levels=(
        Level("exact", "birthday_l = birthday_r", "birthday"),
        Level("turned", "birthday_l = birthday_turned_r"),
        Level("near", "damerau_levenshtein(birthday_l, birthday_r) <= 1"),
    ),
)
EMAIL = Comparison(
    "email",
    unknown=_missing("mail"),
    levels=(
        Level("exact", "mail_l = mail_r", chance=1e-9),
        Level("user", "mail_user_l = mail_user_r", chance=1e-8),
    ),
    meeting="l.mail_user = r.mail_user",
)
PLACE = Comparison(
    "place",
    unknown=f"({_missing('city')}) AND ({_missing('province')})",
    levels=(
        Level("city", "city_l = city_r AND (province_l = province_r) IS NOT FALSE", "city"),
        Level("province", "province_l = province_r"),
    ),
)
GENDER = Comparison("gender", unknown=_missing("gender"), levels=(Level("same", "gender_l = gender_r"),))

COMPARISONS: Final = (NAME, PHONE, BIRTHDAY, EMAIL, PLACE, GENDER)

# Levels at which two descriptions speak against one another: no score links these without a person.
AGAINST: Final = {"name": {"surname", OTHER}, "birthday": {OTHER}, "gender": {OTHER}}
# Names that tell one person from their twin, who has the same surname, birthday, city and often phone. A
# masked name does not, and names that only sound alike need not (敏文 and 敏雯): parents like
# such pairs. Where a mailbox is the same too, it need not be the name that tells.
TELLING: Final = {"exact", "latin"}
OWN: Final = {"exact", "user"}


def among(odds: Table, members: int, *, measured_among: int) -> Table:
    """The odds of all levels in a shop of so many members."""
    chances = {(each.word, level.word): level.chance for each in COMPARISONS for level in each.levels}
    return {
        comparison: {
            word: known.among(members, measured_among=measured_among, chance=chances.get((comparison, word)))
            for word, known in levels.items()
        }
        for comparison, levels in odds.items()
    }


def gamma_sql(comparison: Comparison) -> str:
    """The word of the level at which a pair stands, as SQL; NULL where nothing can be said."""
    whens = " ".join(f"WHEN {level.sql} THEN '{level.word}'" for level in comparison.levels)
    return f"CASE WHEN {comparison.unknown} THEN NULL {whens} ELSE '{OTHER}' END"


def frequency_columns(comparisons: Sequence[Comparison] = COMPARISONS) -> list[str]:
    """The columns whose values are weighed by how common they are."""
    columns = (level.by_frequency for comparison in comparisons for level in comparison.levels)
    return list(dict.fromkeys(filter(None, columns)))


def scale_of(
    column: str, odds: Table, shares: Mapping[str, float], comparisons: Sequence[Comparison] = COMPARISONS
) -> float:
    """By what to multiply the shares of a column before Splink weighs with them.

    Splink replaces a level's u by the share of the value: right where all who have the value agree at the
    level. Of a `partial` level u is moved by how much rarer the value is than values are on average.
    """
    average = sum(share**2 for share in shares.values())
    for comparison in comparisons:
        for level in comparison.levels:
            if level.by_frequency == column and level.is_partial and average:
                return odds[comparison.word][level.word].u / average
    return 1.0


def settings_of(
    odds: Table,
    *,
    prior: float,
    comparisons: Sequence[Comparison] = COMPARISONS,
    blocks: Sequence[str] = BLOCKS,
) -> dict[str, Any]:
    """The settings of a Splink model. `prior` is the chance that two members are one, taken at random."""
    return {
        "link_type": "dedupe_only",
        "unique_id_column_name": "unique_id",
        "probability_two_random_records_match": prior,
        "comparisons": [_comparison(each, odds[each.word]) for each in comparisons],
        "blocking_rules_to_generate_predictions": [f"l.{column} = r.{column}" for column in blocks],
        "additional_columns_to_retain": ["member"],
        "retain_matching_columns": True,  # Splink tells the levels only together with what was compared
        "retain_intermediate_calculation_columns": False,
    }


def _comparison(comparison: Comparison, odds: Mapping[str, Odds]) -> dict[str, Any]:
    unknown = {"sql_condition": comparison.unknown, "label_for_charts": "unknown", "is_null_level": True}
    levels = [_level(level, odds[level.word]) for level in (*comparison.levels, Level(OTHER, "ELSE"))]
    return {
        "output_column_name": comparison.word,
        "comparison_levels": [unknown, *levels],
        "comparison_description": comparison.word,
    }


def _level(level: Level, odds: Odds) -> dict[str, Any]:
    told: dict[str, Any] = {
        "sql_condition": level.sql,
        "label_for_charts": level.word,
        "m_probability": odds.m,
        "u_probability": odds.u,
    }
    if level.by_frequency:
        # Each level is weighed by its own u: at the level of a surname, a rare one says more than a common.
        told |= {
            "tf_adjustment_column": level.by_frequency,
            "tf_adjustment_weight": 1.0,
            "disable_tf_exact_match_detection": True,
        }
    return told
