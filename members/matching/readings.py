"""How a name sounds: pinyin that knows surnames, and what people mistake for one another. Pure.

pypinyin reads characters as words do, and several surnames are read otherwise (单 is shàn, not dān).
"""

import re
from functools import lru_cache
from typing import Final

from pypinyin import Style, lazy_pinyin


def words(text: str) -> tuple[str, ...]:
    """The words of a text, for lists that are easier to read as one."""
    return tuple(text.split())


# Surnames of more than one character; a name that begins with one has a given name after it.
COMPOUND: Final = frozenset(
    words(
        "欧阳 太史 端木 上官 司马 东方 独孤 南宫 万俟 闻人 夏侯 诸葛 尉迟 公羊 赫连 澹台 皇甫 宗政 濮阳 公冶 "
        "太叔 申屠 公孙 慕容 仲孙 钟离 长孙 宇文 司徒 鲜于 司空 闾丘 子车 亓官 司寇 巫马 公西 颛孙 壤驷 公良 "
        "漆雕 乐正 宰父 谷梁 拓跋 夹谷 轩辕 令狐 段干 百里 呼延 东郭 南门 羊舌 微生 公户 公玉 梁丘 左丘 东门 "
        "西门 第五 纳兰 叶赫 完颜 钮祜 爱新 耶律 哥舒 贺兰 达奚 独吉 "
    )
)

# Characters that are read otherwise when they are a surname.
_OF_SURNAMES: Final = {
    "单": "shan", "曾": "zeng", "仇": "qiu", "解": "xie", "查": "zha", "区": "ou", "盖": "ge",
    "任": "ren", "华": "hua", "朴": "piao", "翟": "zhai", "员": "yun", "秘": "bi", "折": "she",
    "种": "chong", "缪": "miao", "繁": "po", "黑": "he", "乐": "yue", "召": "shao", "覃": "qin",
    "燕": "yan", "应": "ying", "葛": "ge", "过": "guo", "那": "na", "宁": "ning", "盛": "sheng",
    "冼": "xian", "洗": "xian", "隗": "wei", "祭": "zhai", "佴": "nai", "句": "gou", "车": "che",
    "褚": "chu", "牟": "mou", "能": "nai", "眭": "sui", "郗": "xi", "郇": "xun", "乜": "nie",
    "阚": "kan", "於": "yu", "曲": "qu", "贾": "jia", "石": "shi", "沈": "shen", "谌": "chen",
    "谷": "gu", "干": "gan", "都": "du", "尉": "wei", "晁": "chao", "宓": "mi", "邸": "di",
    "撒": "sa", "哈": "ha", "卜": "bu", "重": "chong", "令": "ling", "长": "zhang", "相": "xiang",
    "藏": "zang", "臧": "zang", "强": "qiang", "柏": "bai", "洪": "hong", "纪": "ji", "晟": "cheng",
    "万俟": "moqi", "尉迟": "yuchi", "长孙": "zhangsun", "澹台": "tantai", "单于": "chanyu",
    "令狐": "linghu", "呼延": "huyan", "鲜于": "xianyu", "乐正": "yuezheng", "亓官": "qiguan",
}  # fmt: skip

# How common surnames are written in Latin letters: tells which word of "Wei Zhang" is the surname.
SURNAME_READINGS: Final = frozenset(
    words(
        "wang li zhang liu chen yang huang zhao wu zhou xu sun ma zhu hu guo he lin gao luo zheng "
        "liang xie song tang deng han feng cao peng zeng xiao tian dong yuan pan yu jiang cai du ye "
        "cheng su wei lv ding ren shen yao lu zhong cui tan fan wang jin shi liao jia xia fu fang "
        "bai zou meng xiong qin qiu hou yin xue yan duan lei long shi tao he gu mao hao gong shao "
        "wan qian dai yan mo kong xiang chang ouyang shangguan sima zhuge murong linghu huangfu "
        "situ ge shan piao qi niu bi "
    )
)

_HAN = re.compile(r"[㐀-䶿一-鿿〇\U00020000-\U0003ffff]+")
_INITIALS: Final = (("zh", "z"), ("ch", "c"), ("sh", "s"), ("n", "l"))
_FINALS: Final = (("ang", "an"), ("eng", "en"), ("ing", "in"))


def is_han(text: str) -> bool:
    """Whether it is written in Chinese characters only."""
    return bool(_HAN.fullmatch(text))


@lru_cache(maxsize=30_000)
def reading_of(character: str) -> str:
    """One character by itself, without tones; ü is v. Empty where it has no reading."""
    sound = lazy_pinyin(character, style=Style.NORMAL, errors="ignore")
    return sound[0].replace("ü", "v") if sound else ""


def surname_reading(surname: str) -> str:
    """A surname as it is read: 单 shan, 欧阳 ouyang, 万俟 moqi."""
    known = _OF_SURNAMES.get(surname)
    return known or "".join(_OF_SURNAMES.get(c) or reading_of(c) for c in surname)


def given_readings(given: str) -> list[str]:
    """The syllables of a given name."""
    return [sound for c in given if (sound := reading_of(c))]


@lru_cache(maxsize=2_000)
def blurred(syllable: str) -> str:
    """A syllable as many speakers hear it: zh like z, n like l at the beginning, ng like n at the end."""
    for sharp, dull in _INITIALS:
        if syllable.startswith(sharp):
            syllable = dull + syllable[len(sharp) :]
            break
    for sharp, dull in _FINALS:
        if syllable.endswith(sharp):
            return syllable[: -len(sharp)] + dull
    return syllable
