"""What may be shown of a personal value to those who may not see it (D5).

Promises of every mask: it shows no more than its docstring says; masking twice is masking once; a
value that a platform has already masked stays masked; nothing raises. `None` and blank give "".
Masks are made on the server: what a role may not see never leaves it.
"""

import re
import unicodedata
from collections.abc import Callable
from datetime import date
from ipaddress import IPv6Address, ip_network
from typing import Any

import phonenumbers

HIDDEN = "****"

_SURNAMES = (
    "欧阳 太史 端木 上官 司马 东方 独孤 南宫 万俟 闻人 夏侯 诸葛 尉迟 公羊 赫连 澹台 皇甫 宗政 濮阳 公冶 "
    "太叔 申屠 公孙 慕容 仲孙 钟离 长孙 宇文 司徒 鲜于 司空 闾丘 子车 亓官 司寇 巫马 公西 颛孙 壤驷 公良 "
    "漆雕 乐正 宰父 谷梁 拓跋 夹谷 轩辕 令狐 段干 百里 呼延 东郭 南门 羊舌 微生 梁丘 左丘 东门 西门 第五 "
    "纳兰 完颜 叶赫 那拉 爱新 富察 耶律 呼延 即墨 达奚 褚师 "
    "歐陽 東方 獨孤 聞人 諸葛 尉遲 赫連 澹臺 濮陽 公孫 慕容 仲孫 鍾離 長孫 鮮于 閭丘 軒轅 納蘭 完顏"
)
COMPOUND_SURNAMES = frozenset(_SURNAMES.split())
NAME_DOTS = str.maketrans(dict.fromkeys("•‧∙⋅・･.．。", "·"))
_CJK = re.compile("[\u2e80-\u9fff\uf900-\ufaff\uac00-\ud7a3\U00020000-\U0003ffff]")

_CN_MOBILE = re.compile(r"(?:(?:\+|00)?86)?(1[3-9]\d)\d{4}(\d{4})")

_PROVINCES = (
    "北京 天津 上海 重庆 河北 山西 辽宁 吉林 黑龙江 江苏 浙江 安徽 福建 江西 山东 河南 湖北 湖南 广东 海南 "
    "四川 贵州 云南 陕西 甘肃 青海 台湾 内蒙古 广西 西藏 宁夏 新疆 香港 澳门"
)
# Signs of a street or a house may not stand in the name of a city or district.
_REGION_NAME = r"[^\W\d_省市区县旗盟路街道巷弄号楼栋幢村镇乡室院厦座]"
_REGION = re.compile(
    rf"(?P<province>{_PROVINCES.replace(' ', '|')})?"
    r"(?(province)(?:省|市|(?:壮族|回族|维吾尔)?自治区|特别行政区)?)"
    rf"(?P<city>{_REGION_NAME}{{2,9}}?(?:市|自治州|地区|盟))?"
    rf"(?P<district>{_REGION_NAME}{{1,8}}?(?:(?<![小园校社厂景库])区|县|市|旗))?"
)


def _plain(value: Any) -> str:
    return unicodedata.normalize("NFKC", str(value)).strip() if value is not None else ""


def mask_phone(value: str | None) -> str:
    """138****5678; abroad +1****2671: three digits or the country code, and the last four at most."""
    text = re.sub(r"[^\d*+]", "", _plain(value))
    if not text:
        return HIDDEN if value and value.strip() else ""
    if "*" in text:
        return _remask_phone(text)
    mobile = _CN_MOBILE.fullmatch(text)
    if mobile:
        return f"{mobile[1]}{HIDDEN}{mobile[2]}"
    country = _country_code(text)
    digits = text.replace("+", "")
    local = len(digits) - len(country.replace("+", ""))
    if local < 5:
        return HIDDEN
    return country + HIDDEN + digits[-4 if local >= 8 else -2 :]


def _remask_phone(text: str) -> str:
    head, *_, tail = text.split("*")
    head = re.sub(r"(?!^)\+", "", head)
    head = head[:4] if head.startswith("+") else head[:3]
    return f"{head if head != '+' else ''}{HIDDEN}{tail.replace('+', '')[-4:]}"


def _country_code(text: str) -> str:
    if not text.startswith("+"):
        return ""
    try:
        return f"+{phonenumbers.parse(text).country_code}"
    except phonenumbers.NumberParseException:
        return ""


def mask_name(value: str | None) -> str:
    """张*, 张**, 欧阳**, 迪**·**, J*** S***: the family name, or the first letter of two words."""
    text = _plain(value)
    if not text:
        return ""
    if text.startswith("*"):
        return "*" if len(text) == 1 else "**"
    while text and not text[0].isalpha():  # emoji, digits (a phone given as a name), signs
        text = text[1:]
    if len(text) < 2:
        return "*"
    if not _CJK.match(text):
        return _mask_latin(text)
    if "·" in text.translate(NAME_DOTS):
        return f"{text[0]}**·**"
    surname = text[:2] if len(text) > 2 and text[:2] in COMPOUND_SURNAMES else text[0]
    # Two stars at most: the length of a nickname would single a person out.
    return surname + "*" * min(2, len(text) - len(surname))


def _mask_latin(text: str) -> str:
    words = [word for word in text.split() if word[0].isalpha() or word[0] == "*"]
    shown = [words[0], words[-1]] if len(words) > 1 else words
    return " ".join(f"{word[0]}***" if word[0].isalpha() else "***" for word in shown)


def mask_email(value: str | None) -> str:
    """a***@qq.com: the first character and the domain; a one-letter name is hidden whole."""
    text = _plain(value)
    if not text:
        return ""
    local, at, domain = text.rpartition("@")
    if not at or not local or not domain:
        return "***"
    first = local[0] if len(local) > 1 and local[0].isalnum() else ""
    return f"{first}***@{domain}"


def mask_birthday(value: date | str | None) -> str:
    """****-03-15: month and day, for a treat on the day; never the year."""
    text = value.isoformat()[:10] if isinstance(value, date) else _plain(value)
    if not text:
        return ""
    found = re.match(r"[\d*]{4}[-/.年](\d{1,2})[-/.月](\d{1,2})", text, re.ASCII)
    return f"****-{int(found[1]):02}-{int(found[2]):02}" if found else "****-**-**"


def mask_address(value: str | None) -> str:
    """上海市静安区****: down to the district, nothing of street, house or name."""
    text = re.sub(r"[\s,，·/|-]+", "", _plain(value)).removeprefix("中国")
    if not text:
        return HIDDEN if value and value.strip() else ""
    region = _REGION.match(text)
    if region is None or not (region["province"] or region["city"]):
        return HIDDEN  # a "district" with nothing above it may be the name of an estate
    return region[0] + HIDDEN


def mask_id(value: str | None) -> str:
    """ab12****ef90: four characters at each end, two of those under twelve, none of those under eight."""
    text = _plain(value)
    if not text:
        return ""
    if len(text) < 8:
        return HIDDEN
    shown = 4 if len(text) >= 12 else 2
    return f"{text[:shown]}{HIDDEN}{text[-shown:]}"


def mask_card(value: str | None) -> str:
    """****1234: the last four of a bank card."""
    text = re.sub(r"[^\d*]", "", _plain(value))
    if not text:
        return HIDDEN if value and value.strip() else ""
    tail = re.search(r"\d{0,4}$", text, re.ASCII)
    return HIDDEN + (tail[0] if tail and (len(text) >= 12 or text.startswith(HIDDEN)) else "")


def mask_identity(value: str | None) -> str:
    """110101********1234: region and the last four of an identity card; the birthday is hidden."""
    text = _plain(value).upper()
    if not text:
        return ""
    return f"{text[:6]}********{text[-4:]}" if len(text) == 18 else HIDDEN


def mask_ip(value: str | None) -> str:
    """203.0.113.0/24, or the /48 of an IPv6 address: the net, not the machine."""
    text = _plain(value)
    try:
        net = ip_network(text.split("/")[0])
    except ValueError:
        return ""
    six = isinstance(net.network_address, IPv6Address)
    return str(net.supernet(new_prefix=48 if six else 24))


def mask_text(value: Any) -> str:
    """****: free text shows nothing."""
    return HIDDEN if _plain(value) else ""


MASKS: dict[str, Callable[[Any], str]] = {
    "phone": mask_phone,
    "name": mask_name,
    "email": mask_email,
    "birthday": mask_birthday,
    "address": mask_address,
    "id": mask_id,
    "card": mask_card,
    "identity": mask_identity,
    "ip": mask_ip,
    "text": mask_text,
}


def mask(kind: str, value: Any) -> str:
    """Mask a value by the kind that the register names for its field; KeyError for an unknown kind."""
    return MASKS[kind](value)
