"""Cleaning: one cell or value at a time, the same for files, the API and the desk (A4).

Promises: a value comes out clean, or as `None` when nothing was told, or `Unclean` says by a fixed code
what is wrong with it. Nothing else is ever raised, nothing is guessed, and cleaning what is clean
changes nothing.
"""

import re
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from functools import lru_cache
from typing import Final
from unicodedata import normalize

import phonenumbers
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from members.facts import Gender

# A time without an offset is a time in China. Its clocks have been eight hours ahead all the years that we
# accept, and a fixed offset is several times as quick as looking into the history of a zone.
SHANGHAI: Final = timezone(timedelta(hours=8))
ZERO: Final = Decimal("0.00")

# Why a row or a value was refused. The codes are fixed (docs/api.md).
REJECT_CODES: Final[dict[str, str | Promise]] = {
    "phone_invalid": _("This is not a phone number that can exist."),
    "phone_destroyed": _("A spreadsheet has rounded this phone number; its digits are lost."),
    "phone_masked": _("The phone number is masked, and nothing else says who the buyer is."),
    "email_invalid": _("This is not an e-mail address."),
    "email_masked": _("The e-mail address is masked."),
    "order_no_destroyed": _("A spreadsheet has rounded this number; its digits are lost."),
    "amount_invalid": _("This is not an amount in yuan with at most two decimals."),
    "date_invalid": _("This is not a date that can be right."),
    "gender_invalid": _("This is not a gender we know."),
    "quantity_invalid": _("This is not a whole number of pieces."),
    "status_unknown": _("This state of an order is not known."),
    "version_invalid": _("A version is a whole number."),
    "value_too_long": _("This value is too long."),
    "required_missing": _("A value that is needed is missing."),
    "buyer_missing": _("Nothing in this row says who the buyer is."),
    "row_ragged": _("The row has more or fewer cells than the header."),
    "row_unreadable": _("The row breaks the rules of its file; perhaps a quotation mark is open."),
    "order_part_rejected": _("Another row of the same order was rejected."),
    "order_unknown": _("There is no such order."),
    "currency_unsupported": _("Amounts must be in yuan (CNY)."),
    "duplicate_in_file": _("The same entry is in this file more than once."),
    "version_conflict": _("The same version was told before with other content."),
}


class Unclean(ValueError):
    """A value that cannot be used. `code` is one of `REJECT_CODES`; `value` is what was offered.

    `column` and `line` are filled in where the value came from a file.
    """

    def __init__(self, code: str, value: object = "", column: str = "", line: int = 0) -> None:
        super().__init__(code, value)
        self.code = code
        self.value = str(value)
        self.column = column
        self.line = line

    @property
    def reason(self) -> str:
        """The reason in words, in the language of the reader."""
        return str(REJECT_CODES[self.code])


# ---------------------------------------------------------------------------------------------- text

_NOTHING: Final = frozenset({"null", "NULL", "-", "--", "—", "——", "\uff0d", "/", "无"})
# Characters nobody sees: controls, byte order marks, zero-width and direction marks. A phone copied from
# a contacts list often carries them, PostgreSQL refuses NUL, and a lone surrogate cannot be encoded.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u200b\u200e\u200f\u202a-\u202e\u2060\ufeff\ud800-\udfff]"
)
_WRAPPED = re.compile(r'=?"([^"]*)"')


def _written(value: object) -> str:
    """A value of a spreadsheet or of JSON, as it would stand in a text file."""
    if value is None:
        return ""
    if isinstance(value, float):
        # Spreadsheets keep 15 digits. What needs more comes out in scientific notation and is refused as
        # an id, because its last digits are no longer those that the platform wrote.
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else format(value, ".15g")
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, date):  # also datetime
        return value.isoformat()
    return str(value)


def clean_text(value: object) -> str | None:
    """Text without the wrappers that platforms put round it, or None where nothing was told.

    Takes off `="…"`, a leading `'`, tabs, spaces, byte order marks; `null`, `-`, `——`, `/`, `无` are nothing.
    """
    text = (value if isinstance(value, str) else _written(value)).strip()
    if not text:
        return None
    if text[0] in "='\"" or not text.isprintable():
        text = _unwrapped(text)
    return None if not text or text in _NOTHING else text


def _unwrapped(text: str) -> str:
    text = _UNSEEN.sub("", text)
    while True:
        bare = text.strip().lstrip("'").strip()
        wrapped = _WRAPPED.fullmatch(bare)
        bare = wrapped[1] if wrapped else bare
        if bare == text:
            return bare
        text = bare


def _half(text: str) -> str:
    """Full-width digits, letters and signs as their plain forms; never used on names."""
    return text if text.isascii() else normalize("NFKC", text).strip()


# ----------------------------------------------------------------------------------------------- ids

LONGEST_ID: Final = 64
# A spreadsheet writes 1.93068E+15 or 1E+15; an id such as 12E5 is left alone.
_SCIENTIFIC = re.compile(r"[+-]?\d+(?:\.\d+)?[eE]\+\d+|[+-]?\d+\.\d+[eE]\d+")
_FLOATED = re.compile(r"(\d{5,})\.0+")


def clean_id(value: object, longest: int = LONGEST_ID) -> str | None:
    """An id of a platform: order, buyer, product. Raises `order_no_destroyed`, `value_too_long`."""
    text = value[2:-1] if type(value) is str and value[:2] == '="' and value[-1] == '"' else clean_text(value)
    if text is None or (text.isascii() and text.isalnum() and len(text) <= longest):
        return text
    text = clean_text(value) or ""
    text = _half(text)
    if _SCIENTIFIC.fullmatch(text):
        raise Unclean("order_no_destroyed", text)
    floated = _FLOATED.fullmatch(text)
    text = floated[1] if floated else text
    if len(text) > longest:
        raise Unclean("value_too_long", text)
    return text or None


def is_masked(text: str) -> bool:
    """Whether a platform has hidden a part of it, as in 138****5678, 张**, ****."""
    return "*" in text or "\uff0a" in text or "●" in text


def is_encrypted(text: str) -> bool:
    """Whether it is a platform's cipher: `##…##` for names and addresses, `$$…$$` for phones."""
    return len(text) > 4 and text[:2] == text[-2:] and text[:2] in ("##", "$$")


# ------------------------------------------------------------------------------------ phone and e-mail

_PHONE_FILLING = re.compile(r"[\s\-().·/]+")
_MAINLAND = re.compile(r"(\+86|0086|86)?(1[3-9]\d{9})")
_PLAIN_MOBILE = re.compile(r"'?(1[3-9]\d{9})", re.ASCII)
_COUNTED = frozenset({"12345678901", "12345678910", "1234567890", "01234567890", "0123456789", "10987654321"})


def _is_placeholder(digits: str) -> bool:
    """Numbers that people type to get past a form: one digit all along, or counting."""
    return len(set(digits)) <= 1 or digits in _COUNTED


@lru_cache(maxsize=4096)
def _is_assigned(prefix: str) -> bool:
    """Whether mainland mobiles begin so: five digits decide, whatever follows them."""
    return phonenumbers.is_valid_number(phonenumbers.PhoneNumber(86, int(prefix + "234567")))


def clean_phone(value: object, region: str = "CN") -> str | None:
    """A phone in E.164, as `+8613800138000`; numbers without a country code are of `region` (ISO 3166).

    Raises `phone_invalid` (impossible or a placeholder), `phone_destroyed` (`1.38E+10`), `phone_masked`.
    """
    if type(value) is str and region == "CN":
        plain = _PLAIN_MOBILE.fullmatch(value)
        if plain and len(set(plain[1])) > 1 and _is_assigned(plain[1][:5]):
            return f"+86{plain[1]}"
    text = clean_text(value)
    if text is None:
        return None
    text = _half(text)
    if is_masked(text) or is_encrypted(text):
        raise Unclean("phone_masked", text)
    if _SCIENTIFIC.fullmatch(text):
        raise Unclean("phone_destroyed", text)
    floated = _FLOATED.fullmatch(text)
    bare = _PHONE_FILLING.sub("", floated[1] if floated else text)
    mainland = _MAINLAND.fullmatch(bare)
    # Without +86 eleven digits that begin with 1 may also be a North American number.
    if mainland and bare.isascii() and (region == "CN" or mainland[1]):
        digits = mainland[2]
        if _is_placeholder(digits) or not _is_assigned(digits[:5]):
            raise Unclean("phone_invalid", text)
        return f"+86{digits}"
    return _other_phone(bare, region, text)


def _other_phone(bare: str, region: str, text: str) -> str:
    """Land lines and other countries, by the numbering plans of the world."""
    try:
        number = phonenumbers.parse(bare[:40], region)
    except phonenumbers.NumberParseException:
        raise Unclean("phone_invalid", text) from None
    national = phonenumbers.national_significant_number(number)
    if _is_placeholder(bare) or _is_placeholder(national) or not phonenumbers.is_valid_number(number):
        raise Unclean("phone_invalid", text)
    return f"+{number.country_code}{national}"


_EMAIL = re.compile(
    r"[a-z0-9!#$%&'+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'+/=?^_`{|}~-]+)*"
    r"@(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.)+(?:xn--[a-z0-9-]+|[^\W\d_]{2,63})"
)


def clean_email(value: object) -> str | None:
    """An e-mail address in lower case. Raises `email_invalid`, `email_masked`."""
    text = clean_text(value)
    if text is None:
        return None
    email = normalize("NFKC", normalize("NFKC", text).lower().removeprefix("mailto:"))
    if is_masked(email):
        raise Unclean("email_masked", text)
    if len(email) > 254 or email.find("@") > 64 or not _EMAIL.fullmatch(email):
        raise Unclean("email_invalid", text)
    return email


# ------------------------------------------------------------------------------------------- numbers

MOST_MONEY: Final = Decimal("9999999999.99")
_MONEY = re.compile(r"([+-]?)(\d{1,3}(?:,\d{3})+|\d+)(?:\.(\d{1,2})?0*)?")


def _amount(value: object) -> Decimal | None:
    text = clean_text(value)
    if text is None:
        return None
    plain = re.sub(r"\s+", "", _half(text).upper())
    negative = plain.startswith("(") and plain.endswith(")")
    plain = plain[1:-1] if negative else plain
    sign, plain = (plain[0], plain[1:]) if plain[:1] in ("+", "-") else ("", plain)
    plain = re.sub(r"^(?:¥|RMB|CNY)|(?:元|RMB|CNY)$", "", plain)
    sign, plain = (plain[0], plain[1:]) if not sign and plain[:1] in ("+", "-") else (sign, plain)
    money = _MONEY.fullmatch(plain)
    if not money or money[1] or not plain.isascii() or (negative and sign):
        raise Unclean("amount_invalid", text)
    amount = Decimal(f"{money[2].replace(',', '')}.{(money[3] or '').ljust(2, '0')}")
    if amount > MOST_MONEY:
        raise Unclean("amount_invalid", text)
    return -amount if (negative or sign == "-") and amount else amount


# Prices, pieces and places repeat: most cells of an order file are one of a few. Only short cells are
# remembered, so that what is remembered stays small.
_SHORT: Final = 32
_amount_of_cell = lru_cache(maxsize=65536)(_amount)


def clean_amount(value: object) -> Decimal | None:
    """Yuan with two places, out of `￥1,234.50`, `148.00元`, `(12.00)`. Raises `amount_invalid`."""
    return _amount_of_cell(value) if type(value) is str and len(value) < _SHORT else _amount(value)


def clean_quantity(value: object) -> int | None:
    """A number of pieces, not negative, out of `2`, `2.0`, `1,000`, `3件`. Raises `quantity_invalid`."""
    if type(value) is str and len(value) < 10 and value.isascii() and value.isdigit():
        return int(value)
    text = clean_text(value)
    if text is None:
        return None
    whole = re.fullmatch(r"(\d{1,9}|\d{1,3}(?:,\d{3}){1,2})(?:\.0+)?件?", _half(text), re.ASCII)
    if not whole:
        raise Unclean("quantity_invalid", text)
    return int(whole[1].replace(",", ""))


def clean_version(value: object) -> int | None:
    """A version: a whole number that grows, or a time (epoch milliseconds are made of it)."""
    text = clean_text(value)
    if text is None:
        return None
    if re.fullmatch(r"\d{1,18}", text, re.ASCII):
        return int(text)
    try:
        at = clean_datetime(text)
    except Unclean:
        raise Unclean("version_invalid", text) from None
    return int(at.timestamp() * 1000) if at else None


# --------------------------------------------------------------------------------------------- times

FIRST_YEAR: Final = 2000
LAST_YEAR: Final = 2100
_TIME = (
    r"(?:[T\s]*(?:(上午|下午)\s*)?(\d{1,2})[:时点](\d{1,2})(?:[:分](\d{1,2})(?:[.,]\d+)?秒?|分)?"
    r"\s*(AM|PM)?\s*(Z|UTC|GMT|[+-]\d{2}:?\d{2})?)?"
)
_WHEN = {
    "ymd": re.compile(r"(?P<y>\d{4})[-/.年](?P<m>\d{1,2})[-/.月](?P<d>\d{1,2})日?" + _TIME),
    "dmy": re.compile(r"(?P<d>\d{1,2})[-/.](?P<m>\d{1,2})[-/.](?P<y>\d{4})" + _TIME),
    "mdy": re.compile(r"(?P<m>\d{1,2})[-/.](?P<d>\d{1,2})[-/.](?P<y>\d{4})" + _TIME),
}
_SERIAL = re.compile(r"\d{1,5}(?:\.\d+)?", re.ASCII)
_PACKED = re.compile(r"(\d{4})(\d{2})(\d{2})(?:(\d{2})(\d{2})(\d{2}))?", re.ASCII)
_PLAIN_TIME = re.compile(r"[12]\d{3}-\d\d-\d\d(?: \d\d:\d\d:\d\d)?", re.ASCII)
_SPREADSHEET_EPOCH = datetime(1899, 12, 30)


def _parsed(text: str, order: str) -> datetime:
    """Raises ValueError or OverflowError for what is no time at all."""
    text = re.sub(r"\s+", " ", _half(text).upper())
    packed = _PACKED.fullmatch(text)
    if packed:
        return datetime(*(int(part or 0) for part in packed.groups()), tzinfo=SHANGHAI)  # type: ignore[arg-type,misc]
    if _SERIAL.fullmatch(text):
        seconds = round(float(text) * 86400)
        return (_SPREADSHEET_EPOCH + timedelta(seconds=seconds)).replace(tzinfo=SHANGHAI)
    when = _WHEN["ymd"].fullmatch(text) or _WHEN[order].fullmatch(text)
    if not when:
        raise ValueError(text)
    half_day, hour, minute, second, am_pm, offset = when.groups()[3:]
    moment = datetime(
        int(when["y"]),
        int(when["m"]),
        int(when["d"]),
        _hour_of(int(hour or 0), half_day or am_pm),
        int(minute or 0),
        int(second or 0),
        tzinfo=_zone_of(offset),
    )
    return moment if moment.tzinfo is SHANGHAI else moment.astimezone(SHANGHAI)


def _hour_of(hour: int, half_day: str | None) -> int:
    if half_day is None:
        return hour
    if not 1 <= hour <= 12 and half_day in ("AM", "PM"):
        raise ValueError(hour)
    if half_day in ("PM", "下午"):
        return hour if hour >= 12 else hour + 12
    return 0 if hour == 12 else hour


def _zone_of(offset: str | None) -> timezone:
    if offset is None:
        return SHANGHAI
    if offset[0] not in "+-":
        return UTC
    minutes = int(offset[1:3]) * 60 + int(offset[-2:])
    return timezone(timedelta(minutes=minutes if offset[0] == "+" else -minutes))


def _within(value: object, order: str, first: int, last: int) -> datetime | None:
    # The way nearly every platform writes a time or a day, without the cost of looking for other ways.
    text = value if type(value) is str and _PLAIN_TIME.fullmatch(value) else None
    try:
        if text:
            moment = datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)
        else:
            text = clean_text(value)
            if text is None or text.startswith("0000-00-00"):
                return None
            moment = _parsed(text, order)
    except (ValueError, OverflowError):
        raise Unclean("date_invalid", text) from None
    if not first <= moment.year <= last:
        raise Unclean("date_invalid", text)
    return moment


def clean_datetime(value: object, order: str = "ymd") -> datetime | None:
    """An aware time in Asia/Shanghai, to the second; without an offset it is taken as one there.

    Reads ISO 8601, `2016/5/23 22:02`, `2019年11月12日 10:00:00`, `20191112`, `2024-05-01 10:00:00 +0000`
    and spreadsheet serials (`43781.4166666667`); `order` "dmy" or "mdy" allows those as well.
    Raises `date_invalid` for impossible dates and for years outside 2000..2100.
    """
    return _within(value, order, FIRST_YEAR, LAST_YEAR)


def clean_date(value: object, order: str = "ymd") -> date | None:
    """The day in Asia/Shanghai, from whatever `clean_datetime` reads. Raises `date_invalid`."""
    moment = _within(value, order, FIRST_YEAR, LAST_YEAR)
    return moment.date() if moment else None


def clean_birthday(value: object, order: str = "ymd", today: date | None = None) -> date | None:
    """A birthday from 1900-01-02 to today; masked ones are not told. Raises `date_invalid`."""
    is_short = type(value) is str and len(value) < _SHORT
    born = _birth_of_cell(value, order) if is_short else _birth(value, order)
    if born is not None and born > (today or datetime.now(SHANGHAI).date()):
        raise Unclean("date_invalid", clean_text(value))
    return born


def _birth(value: object, order: str) -> date | None:
    text = clean_text(value)
    if text is None or is_masked(text):
        return None
    moment = _within(text, order, 1900, LAST_YEAR)
    if moment is None:
        return None
    if moment.date() == date(1900, 1, 1):  # what forms and spreadsheets make of an empty date
        raise Unclean("date_invalid", text)
    return moment.date()


# Everybody was born on one of some thirty thousand days.
_birth_of_cell = lru_cache(maxsize=32768)(_birth)


# ------------------------------------------------------------------------------------ gender and region

_GENDERS: Final[dict[str, Gender | None]] = {
    **dict.fromkeys(("女", "女士", "女性", "f", "female", "2", "w", "woman"), Gender.FEMALE),
    **dict.fromkeys(("男", "男士", "先生", "男性", "m", "male", "1", "man"), Gender.MALE),
    **dict.fromkeys(("其他", "其它", "other", "x"), Gender.OTHER),
    **dict.fromkeys(("未知", "保密", "未填写", "unknown", "u", "0"), None),
}


def clean_gender(value: object) -> Gender | None:
    """A gender from the words platforms use; 未知 and 保密 are not told. Raises `gender_invalid`."""
    return _gender_of_cell(value) if type(value) is str and len(value) < _SHORT else _gender(value)


def _gender(value: object) -> Gender | None:
    text = clean_text(value)
    if text is None or is_masked(text):
        return None
    try:
        return _GENDERS[_half(text).lower()]
    except KeyError:
        raise Unclean("gender_invalid", text) from None


_gender_of_cell = lru_cache(maxsize=1024)(_gender)


_LONG_REGIONS: Final = {
    "内蒙古自治区": "内蒙古",
    "广西壮族自治区": "广西",
    "西藏自治区": "西藏",
    "宁夏回族自治区": "宁夏",
    "新疆维吾尔自治区": "新疆",
    "香港特别行政区": "香港",
    "澳门特别行政区": "澳门",
}


def clean_region(value: object) -> str | None:
    """A province or city by its short name: 上海市 → 上海, 广东省 → 广东. Masked ones are not told."""
    return _region_of_cell(value) if type(value) is str and len(value) < _SHORT else _region(value)


def _region(value: object) -> str | None:
    text = clean_text(value)
    if text is None or is_masked(text):
        return None
    text = _LONG_REGIONS.get(text, text)
    while len(text) > 2 and text[-1] in "省市":
        text = text[:-1]
    return text


_region_of_cell = lru_cache(maxsize=4096)(_region)
