"""Made-up people with truth: a labelled set of hard cases, the same in every run of a seed. Nobody's data.

Most are in one channel only; some tell themselves to two or three, each time with what that channel masks
and what people mistype. Beside them stand those who must not be joined: families with one phone, twins,
owners of recycled numbers, and namesakes by the hundred.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Final, NamedTuple

from members.matching.features import Description
from members.matching.readings import reading_of, surname_reading, words

# Surnames with their share of the population in hundredths of a percent.
_SURNAMES: Final = {
    "王": 720, "李": 710, "张": 680, "刘": 540, "陈": 450, "杨": 310, "黄": 220, "赵": 210, "吴": 200,
    "周": 190, "徐": 145, "孙": 144, "马": 130, "朱": 125, "胡": 117, "郭": 115, "何": 106, "高": 99,
    "林": 98, "罗": 86, "郑": 85, "梁": 84, "谢": 72, "宋": 68, "唐": 66, "许": 65, "韩": 63, "邓": 60,
    "冯": 60, "曹": 59, "彭": 59, "曾": 57, "肖": 56, "田": 55, "董": 54, "潘": 50, "袁": 49, "蔡": 48,
    "蒋": 47, "余": 47, "于": 46, "杜": 45, "叶": 44, "程": 43, "魏": 43, "苏": 43, "吕": 42, "丁": 40,
    "任": 40, "卢": 38, "姚": 38, "沈": 38, "钟": 37, "姜": 36, "崔": 36, "谭": 35, "陆": 34, "范": 33,
    "汪": 32, "廖": 31, "石": 30, "金": 30, "韦": 29, "贾": 28, "夏": 28, "付": 27, "方": 26, "邹": 25,
    "熊": 25, "白": 24, "孟": 23, "秦": 22, "邱": 21, "侯": 20, "江": 20, "尹": 19, "薛": 19, "闫": 18,
    "段": 17, "雷": 17, "龙": 16, "黎": 15, "史": 15, "陶": 14, "贺": 14, "毛": 13, "郝": 13, "顾": 12,
    "龚": 12, "邵": 11, "万": 11, "覃": 10, "武": 10, "钱": 10, "戴": 9, "严": 9, "莫": 9, "孔": 8,
    "单": 4, "仇": 2, "解": 2, "查": 2, "区": 2, "盖": 1, "朴": 2, "翟": 4, "缪": 1, "隗": 1, "欧阳": 6,
    "司马": 1, "上官": 1, "诸葛": 1, "令狐": 1, "慕容": 1, "皇甫": 1, "尉迟": 1, "万俟": 1,
}  # fmt: skip
_HERS: Final = (
    "芳娜敏静丽艳娟霞玲玉兰梅燕英红秀琴云莉桂香月萍雪琳婷慧莹倩雯佳颖璐瑶欣怡妍悦萱涵珊洁蕾薇菲楠馨宁蓉"
    "晓思诗梦可心语若雨晨一凡珍凤春华爱青文清惠巧美荷竹露叶"
)
_HIS: Final = (
    "伟强磊军洋勇杰涛明超刚平辉鹏华飞鑫波斌宇浩凯健俊帆旭文博志国建东海峰龙林永成康星光天达安岩中茂进有坚"
    "和彪诚先敬震振壮会思群豪心邦承乐绍功松善厚庆民友裕河哲江浩亮政谦亨奇固之轮翰朗伯宏言若鸣朋梁栋维启克伦翔"
)
# The names that hundreds share, with their gender.
_COMMON: Final = (
    ("张伟", "male"), ("王伟", "male"), ("王芳", "female"), ("李伟", "male"), ("王秀英", "female"),
    ("李秀英", "female"), ("李娜", "female"), ("张秀英", "female"), ("刘伟", "male"), ("张敏", "female"),
    ("李静", "female"), ("张丽", "female"), ("王静", "female"), ("王丽", "female"), ("李强", "male"),
    ("张静", "female"), ("李敏", "female"), ("王敏", "female"), ("王磊", "male"), ("李军", "male"),
)  # fmt: skip
# An own name, and the father's behind the dot.
_MINORITY: Final = words(
    "阿不都热合曼 买买提 吐尔逊 古丽娜尔 迪丽热巴 阿依古丽 努尔兰 艾克拜尔 帕提古丽 热依汗 玉素甫 "
    "扎西 卓玛 央金 格桑 巴特尔 乌云 其其格 苏日娜 阿木尔"
)
_FATHERS: Final = words(
    "艾力 吐尔逊 买买提 卡德尔 巴合提 艾山 依明 阿布都拉 司马义 哈斯木 热合曼 多吉 次仁 平措 尼玛 "
    "巴雅尔 达瓦 苏和 那仁 吾买尔"
)
_CITIES: Final = (
    ("上海", "上海", 9), ("北京", "北京", 8), ("广东", "广州", 7), ("广东", "深圳", 7), ("浙江", "杭州", 6),
    ("四川", "成都", 6), ("湖北", "武汉", 5), ("江苏", "南京", 5), ("江苏", "苏州", 5), ("重庆", "重庆", 5),
    ("陕西", "西安", 4), ("天津", "天津", 3), ("湖南", "长沙", 3), ("山东", "青岛", 3), ("山东", "济南", 3),
    ("福建", "厦门", 2), ("福建", "福州", 2), ("河南", "郑州", 4), ("安徽", "合肥", 3), ("辽宁", "大连", 2),
    ("辽宁", "沈阳", 2), ("云南", "昆明", 2), ("江西", "南昌", 2), ("浙江", "宁波", 3), ("广东", "佛山", 3),
    ("广东", "东莞", 3), ("河北", "石家庄", 2), ("贵州", "贵阳", 2), ("黑龙江", "哈尔滨", 2),
    ("新疆", "乌鲁木齐", 1),
)  # fmt: skip
_PREFIXES: Final = words(
    "134 135 136 137 138 139 150 151 152 157 158 159 182 183 187 188 130 131 132 155 156 185 186 133 153 "
    "180 181 189 177"
)
_BOXES: Final = ("qq.com", "163.com", "126.com", "foxmail.com", "outlook.com", "gmail.com")
_SIMILAR: Final = {"l": "n", "n": "l", "zh": "z", "z": "zh", "sh": "s", "s": "sh", "ing": "in", "in": "ing"}


class Labelled(NamedTuple):
    """A description and the person who it is of: equal persons ought to be found, others must not."""

    told: Description
    person: int
    case: str  # why it is hard; empty for an ordinary one


@dataclass(slots=True)
class _Person:
    id: int
    name: str
    gender: str
    birthday: date
    phone: str
    email: str
    place: tuple[str, str]
    case: str = ""
    also_phones: list[str] = field(default_factory=list)

    @property
    def surname(self) -> str:
        return self.name[:2] if self.name[:2] in _SURNAMES else self.name[:1]

    @property
    def given(self) -> str:
        return self.name[len(self.surname) :]


def labelled(seed: int, people: int) -> list[Labelled]:
    """Descriptions of so many people, in the order of their member ids; about a third more than people."""
    return list(_Town(random.Random(seed)).descriptions(people))


class _Town:
    def __init__(self, dice: random.Random) -> None:
        self.dice = dice
        self.persons: list[_Person] = []
        self._surnames = list(_SURNAMES)
        self._surname_weights = list(_SURNAMES.values())
        self._city_weights = [weight for _, _, weight in _CITIES]
        self._homophones = _homophones(_HERS + _HIS)

    def descriptions(self, people: int) -> Iterator[Labelled]:
        while len(self.persons) < people:
            self._move_in()
        tellings = [(person, n) for person in self.persons for n in range(self._channels())]
        self.dice.shuffle(tellings)
        for member, (person, n) in enumerate(tellings, 1):
            told, case = self._tell(member, person, first=n == 0)
            yield Labelled(told, person.id, case or person.case)

    def _channels(self) -> int:
        return self.dice.choices((1, 2, 3), (72, 22, 6))[0]

    # -- who lives here --------------------------------------------------------------------------------

    def _move_in(self) -> None:
        person = self._somebody()
        match self.dice.choices(("alone", "family", "twins", "recycled", "namesake"), (76, 11, 3, 4, 6))[0]:
            case "family":
                self._family(person)
            case "twins":
                self._twins(person)
            case "recycled" if len(self.persons) > 20:
                person.phone, person.case = self.dice.choice(self.persons).phone, "recycled number"
            case "namesake":
                person.name, person.gender = self.dice.choice(_COMMON)
                person.case = "common name"
        self.persons.append(person)

    def _add(self, person: _Person) -> None:
        person.id = len(self.persons) + 1
        self.persons.append(person)

    def _family(self, head: _Person) -> None:
        """One phone, one city; children share the surname, a spouse does not."""
        head.case = "family phone"
        for is_child in (False, True)[: self.dice.choice((1, 2, 2))]:
            other = self._somebody()
            other.phone, other.place, other.case = head.phone, head.place, "family phone"
            if is_child:
                other.name = head.surname + self._given(other.gender)
                other.birthday = head.birthday + timedelta(days=self.dice.randint(8_000, 12_500))
            self._add(other)
        head.id = len(self.persons) + 1

    def _twins(self, one: _Person) -> None:
        """One birthday, one city, often one phone, and names of one pattern."""
        one.case = "twins"
        first = self.dice.choice(_HERS if one.gender == "female" else _HIS)
        one.name = one.surname + first + self._character(one.gender)
        other = self._somebody()
        other.gender, other.birthday, other.place, other.case = one.gender, one.birthday, one.place, "twins"
        other.name = one.surname + first + self._character(one.gender)
        while other.name == one.name:
            other.name = one.surname + first + self._character(one.gender)
        if self.dice.random() < 0.5:
            other.phone = one.phone
        self._add(other)
        one.id = len(self.persons) + 1

    def _somebody(self) -> _Person:
        gender = self.dice.choice(("female", "female", "male"))
        surname = self.dice.choices(self._surnames, self._surname_weights)[0]
        name = surname + self._given(gender)
        if self.dice.random() < 0.004:
            name = f"{self.dice.choice(_MINORITY)}·{self.dice.choice(_FATHERS)}"
        province, city, _ = self.dice.choices(_CITIES, self._city_weights)[0]
        birthday = date(1950, 1, 1) + timedelta(days=int(self.dice.triangular(0, 20_500, 14_500)))
        return _Person(
            len(self.persons) + 1, name, gender, birthday, self._phone(), self._email(), (province, city)
        )

    def _given(self, gender: str) -> str:
        return "".join(self._character(gender) for _ in range(self.dice.choices((1, 2), (25, 75))[0]))

    def _character(self, gender: str) -> str:
        known = _HERS if gender == "female" else _HIS
        # Few characters make up most names.
        return known[int(len(known) * self.dice.random() ** 1.6)]

    def _phone(self) -> str:
        return f"{self.dice.choice(_PREFIXES)}{self.dice.randrange(10**8):08d}"

    def _email(self) -> str:
        user = str(self.dice.randrange(10**7, 10**10))
        return f"{user}@{self.dice.choices(_BOXES, (55, 15, 8, 8, 7, 7))[0]}"

    # -- what a channel hears --------------------------------------------------------------------------

    def _tell(self, member: int, person: _Person, *, first: bool) -> tuple[Description, str]:
        """What one channel hears of a person; the first to hear of them hears it as it is, mostly."""
        dice, case = self.dice, ""
        is_platform = dice.random() < 0.4  # it masks names and phones
        name, name_case = self._told_name(person, is_platform=is_platform, is_clean=first)
        phone, masked, phone_case = self._told_phone(person, is_platform=is_platform, is_clean=first)
        birthday, birthday_case = self._told_birthday(person, is_clean=first)
        province, city = person.place
        if not first and dice.random() < 0.08:
            province, city, _ = dice.choices(_CITIES, self._city_weights)[0]
            case = "moved"
        email = person.email if dice.random() < 0.2 else None
        if email and not first and dice.random() < 0.1:
            email = email.split("@")[0] + "@" + dice.choice(_BOXES)
        told = Description(
            member=member,
            name=name,
            phone=phone and f"+86{phone}",
            phone_masked=masked,
            email=email,
            birthday=birthday,
            gender=self._told_gender(person, is_clean=first),
            province=province if dice.random() < 0.9 else "",
            city=city if dice.random() < 0.75 else "",
        )
        return told, name_case or phone_case or birthday_case or case

    def _told_gender(self, person: _Person, *, is_clean: bool) -> str:
        if self.dice.random() < 0.3:
            return ""
        if not is_clean and self.dice.random() < 0.01:  # an account that is shared, or a slip
            return "male" if person.gender == "female" else "female"
        return person.gender

    def _told_name(self, person: _Person, *, is_platform: bool, is_clean: bool) -> tuple[str | None, str]:
        dice, surname, given = self.dice, person.surname, person.given
        if "·" in person.name:
            return (person.name if dice.random() < 0.8 else person.name.replace("·", "•")), "minority name"
        if dice.random() < 0.08:
            return None, "no name"
        if is_platform and dice.random() < 0.75:
            stars = "*" * len(given) if dice.random() < 0.7 else "*"
            return surname + stars, "masked name"
        if is_clean:
            return person.name, "compound surname" if len(surname) > 1 else ""
        roll = dice.random()
        if roll < 0.04 and (other := self._homophone(given)):
            return surname + other, "homophone"
        if roll < 0.06:
            return self._misheard(person), "misheard"
        if roll < 0.09:
            latin = surname_reading(surname).title(), "".join(map(reading_of, given)).title()
            return (" ".join(latin) if dice.random() < 0.6 else " ".join(reversed(latin))), "pinyin"
        if roll < 0.13:
            title = "女士" if person.gender == "female" else "先生"
            return (surname + title if dice.random() < 0.7 else "小" + surname), "nickname"
        return person.name, "compound surname" if len(surname) > 1 else ""

    def _homophone(self, given: str) -> str | None:
        others = [
            given[:n] + other + given[n + 1 :]
            for n, character in enumerate(given)
            for other in self._homophones.get(character, ())
        ]
        return self.dice.choice(others) if others else None

    def _misheard(self, person: _Person) -> str:
        """A character that sounds alike to many: 林 for 宁, 静 for 金."""
        at = self.dice.randrange(len(person.given))
        sound = reading_of(person.given[at])
        for sharp, dull in _SIMILAR.items():
            heard = sound.replace(sharp, dull, 1) if sharp in sound else ""
            found = [c for c in _HERS + _HIS if reading_of(c) == heard]
            if found:
                given = person.given[:at] + self.dice.choice(found) + person.given[at + 1 :]
                return person.surname + given
        return person.name

    def _told_phone(
        self, person: _Person, *, is_platform: bool, is_clean: bool
    ) -> tuple[str | None, str | None, str]:
        dice, phone, case = self.dice, person.phone, ""
        if dice.random() < 0.1:
            return None, None, ""
        if not is_clean and dice.random() < 0.12:
            phone, case = self._phone(), "second phone"
        if is_platform:
            return None, f"{phone[:3]}****{phone[-4:]}", case or "masked phone"
        if not is_clean and dice.random() < 0.03:
            at = dice.randrange(3, 11)
            phone, case = (
                phone[:at] + str((int(phone[at]) + dice.randint(1, 9)) % 10) + phone[at + 1 :],
                "phone typo",
            )
        return phone, None, case

    def _told_birthday(self, person: _Person, *, is_clean: bool) -> tuple[date | None, str]:
        dice, day = self.dice, person.birthday
        if dice.random() < 0.45:
            return None, ""
        roll = 1.0 if is_clean else dice.random()
        if roll < 0.03 and day.day <= 12:
            return day.replace(month=day.day, day=day.month), "day and month exchanged"
        if roll < 0.06:
            return _mistyped(day, dice), "birthday typo"
        if roll < 0.08:
            return date(1990, 1, 1), "default birthday"
        if roll < 0.085:
            return day + timedelta(days=dice.randint(400, 4_000)), "another birthday"
        return day, ""


def _mistyped(day: date, dice: random.Random) -> date:
    while True:
        text = list(day.strftime("%Y%m%d"))
        text[dice.randrange(2, 8)] = str(dice.randrange(10))
        try:
            found = date.fromisoformat("".join(text))
        except ValueError:
            continue
        if found != day:
            return found


def _homophones(characters: str) -> dict[str, list[str]]:
    by_sound: dict[str, list[str]] = {}
    for character in dict.fromkeys(characters):
        by_sound.setdefault(reading_of(character), []).append(character)
    return {
        character: [other for other in same if other != character]
        for same in by_sound.values()
        for character in same
        if len(same) > 1
    }
