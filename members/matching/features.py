"""One description of a member, made comparable: what is known goes in, what is compared comes out. Pure.

A description is what one account tells, its gaps filled from the member. A masked name keeps what it shows
(张**, 欧阳*), and so does a masked phone (138****5678). Titles (张先生, 小李) are masked names too.
Nothing that is not told agrees or disagrees with anything.
"""

import re
from datetime import date
from typing import Final, NamedTuple
from unicodedata import normalize

from members.agreement import fold_name
from members.matching import readings


class Description(NamedTuple):
    """What is known, in clear. `phone` is E.164; whichever is missing is None or empty."""

    member: int
    name: str | None = None
    phone: str | None = None
    phone_masked: str | None = None
    email: str | None = None
    birthday: date | None = None
    gender: str = ""
    province: str = ""
    city: str = ""


class Features(NamedTuple):
    """The columns that are compared, and those (`by_…`) that bring two descriptions together.

    Texts, None where nothing is told. `pattern` is a LIKE pattern of a masked name, `sound` the given name
    as it is heard, `phone_key` the first three and last four digits.
    """

    member: int
    name: str | None
    written: str | None
    pattern: str | None
    surname: str | None
    surname_sound: str | None
    given: str | None
    given_pinyin: str | None
    sound: str | None
    pinyin: str | None
    phone: str | None
    phone_key: str | None
    mail: str | None
    mail_user: str | None
    birthday: str | None
    birthday_turned: str | None
    gender: str | None
    province: str | None
    city: str | None
    by_phone: str | None
    by_birthday: str | None
    by_name_city: str | None
    by_name_year: str | None
    by_name_day: str | None
    by_name_head: str | None
    by_name_tail: str | None
    by_mail: str | None


COLUMNS: Final = Features._fields
BLOCKS: Final = tuple(name for name in COLUMNS if name.startswith("by_"))


class Name(NamedTuple):
    """A name taken apart. Only `surname` of a masked name is sure."""

    whole: str | None = None
    written: str | None = None
    pattern: str | None = None
    surname: str | None = None
    surname_sound: str | None = None
    given: str | None = None
    given_pinyin: str | None = None
    sound: str | None = None

    @property
    def pinyin(self) -> str | None:
        """The whole name as it is read; None for a masked one."""
        return f"{self.surname_sound}{self.given_pinyin}" if self.given_pinyin else None


_NOBODY: Final = Name()
_TITLES: Final = re.compile(r"(先生|女士|小姐|太太|阿姨|叔叔|老师|同学|师傅|经理|总|哥|姐)$")
_FAMILIAR: Final = frozenset("小老")
_LATIN_WORDS: Final = re.compile(r"[a-z]+(?:['’][a-z]+)?")
_LONGEST_HAN: Final = 4


def features_of(told: Description) -> Features:
    """Make a description comparable. Never fails: what cannot be read counts as not told."""
    name = name_of(told.name)
    phone = digits_of(told.phone)
    key = _ends_of(phone or told.phone_masked or "")
    mail, user = _mailbox_of(told.email)
    birthday = told.birthday.strftime("%Y%m%d") if _is_a_birthday(told.birthday) and told.birthday else None
    city = told.city.removesuffix("市") or None
    pinyin, sound = name.pinyin, name.surname_sound
    month_and_day = birthday and "".join(sorted((birthday[4:6], birthday[6:])))
    return Features(
        member=told.member,
        name=name.whole,
        written=name.written,
        pattern=name.pattern,
        surname=name.surname,
        surname_sound=sound,
        given=name.given,
        given_pinyin=name.given_pinyin,
        sound=name.sound,
        pinyin=pinyin,
        phone=phone,
        phone_key=key,
        mail=mail,
        mail_user=user,
        birthday=birthday,
        birthday_turned=_turned(birthday),
        gender=told.gender if told.gender in ("female", "male") else None,
        province=told.province.removesuffix("省").removesuffix("市") or None,
        city=city,
        by_phone=key,
        by_birthday=_join(sound, birthday and birthday[:4], month_and_day),
        by_name_city=_join(pinyin, city),
        by_name_year=_join(pinyin, birthday and birthday[:4]),
        by_name_day=_join(pinyin, month_and_day),
        by_name_head=_join(pinyin, phone and phone[:7]),
        by_name_tail=_join(pinyin, phone and phone[-4:]),
        by_mail=user,
    )


def name_of(name: str | None) -> Name:
    """Take a name apart: Chinese, masked, with a title, of a minority (with ·), or in Latin letters."""
    if not name:
        return _NOBODY
    text = fold_name(name).replace("•", "·").replace("・", "·").replace(".", "·")
    if "*" in text:
        return _masked(text)
    han = text.replace("·", "")
    if not readings.is_han(han):
        return _latin(name)
    if "·" in text:
        return _with_dot(text)
    return _titled(text) or (_chinese(text) if 2 <= len(text) <= _LONGEST_HAN else _NOBODY)


def _surname_in(text: str) -> str:
    return text[:2] if text[:2] in readings.COMPOUND and len(text) > 2 else text[:1]


def _chinese(text: str) -> Name:
    surname = _surname_in(text)
    given = text[len(surname) :]
    syllables = readings.given_readings(given)
    return Name(
        whole=text,
        written=text,
        surname=surname,
        surname_sound=readings.surname_reading(surname),
        given=given,
        given_pinyin="".join(syllables) or None,
        sound="".join(map(readings.blurred, syllables)) or None,
    )


def _with_dot(text: str) -> Name:
    """买买提·艾力: the own name stands first; what follows is the father's, and often left out."""
    own, _, rest = text.strip("·").partition("·")
    syllables = readings.given_readings(own)
    sound = "".join(map(readings.blurred, syllables)) or None
    return Name(
        whole=text,
        written=text,
        surname=own,
        surname_sound="".join(syllables) or None,
        given=rest or None,
        given_pinyin="".join(readings.given_readings(rest)) or None,
        sound=sound,
    )


def _masked(text: str) -> Name:
    """张**, 欧阳*, 张*伟. One star at the end stands for one or more characters, as platforms write it."""
    surname = _surname_in(text) if "*" not in text[:2] else text[:1]
    if not readings.is_han(surname):
        return _NOBODY
    rest = text[len(surname) :]
    pattern = "_%" if rest == "*" else rest.replace("*", "_")
    return Name(
        written=text,
        pattern=surname + pattern,
        surname=surname,
        surname_sound=readings.surname_reading(surname),
    )


def _titled(text: str) -> Name | None:
    """王女士, 小李, 老王: no more than a surname is told."""
    title = _TITLES.search(text)
    surname = text[: title.start()] if title else text[1:] if text[0] in _FAMILIAR else ""
    if len(text) > _LONGEST_HAN or (len(surname) != 1 and surname not in readings.COMPOUND):
        return None
    if not title and len(text) != 2:
        return None
    sound = readings.surname_reading(surname)
    return Name(written=surname + "*", pattern=surname + "_%", surname=surname, surname_sound=sound)


def _latin(name: str) -> Name:
    """Zhang Wei, WEI ZHANG, Ouyang Nana; a single word is a nick, not a name."""
    words = _LATIN_WORDS.findall(normalize("NFKC", name).casefold())
    if len(words) < 2:
        return _NOBODY
    # Passports write ü as yu; pinyin here writes it as v.
    words = [word.replace("lyu", "lv").replace("nyu", "nv") for word in words]
    first, last = words[0], words[-1]
    is_family_last = first not in readings.SURNAME_READINGS
    surname, given = (last, words[:-1]) if is_family_last else (first, words[1:])
    pinyin = "".join(given)
    return Name(
        whole=f"{surname} {pinyin}",
        written=f"{surname} {pinyin}",
        surname=surname,
        surname_sound=surname,
        given=pinyin,
        given_pinyin=pinyin,
        sound="".join(map(readings.blurred, given)),
    )


def digits_of(phone: str | None) -> str | None:
    """A full phone as it is dialled at home: +86 138… without its country code."""
    if not phone or "*" in phone:
        return None
    return phone.removeprefix("+86").lstrip("+") or None


def _ends_of(phone: str) -> str | None:
    """The first three and last four digits, where both are shown: of 138****5678, 1385678."""
    bare = phone.replace(" ", "").replace("-", "").removeprefix("+86")
    if len(bare) != 11:
        return None
    ends = bare[:3] + bare[-4:]
    return ends if ends.isdigit() and ends.isascii() else None


# Names of mailboxes that many have.
_COMMON_BOXES: Final = frozenset(
    readings.words("info admin test service sales contact hello office mail null none")
)


def _mailbox_of(email: str | None) -> tuple[str | None, str | None]:
    """The address, and its user part where that is somebody's own."""
    if not email or "*" in email or "@" not in email:
        return None, None
    mail = email.casefold()
    user = mail.partition("@")[0].partition("+")[0]
    return mail, user if len(user) >= 5 and user not in _COMMON_BOXES else None


# What forms fill in when nobody chooses.
_DEFAULTS: Final = frozenset({date(1900, 1, 1), date(1970, 1, 1), date(2000, 1, 1), date(1990, 1, 1)})


def _is_a_birthday(day: date | None) -> bool:
    return day is not None and day not in _DEFAULTS


def _turned(birthday: str | None) -> str | None:
    """Month and day exchanged, where that is another day of the calendar."""
    if birthday is None or int(birthday[6:]) > 12 or birthday[4:6] == birthday[6:]:
        return None
    return birthday[:4] + birthday[6:] + birthday[4:6]


def _join(*parts: str | None) -> str | None:
    return "|".join(parts) if all(parts) else None  # type: ignore[arg-type]
