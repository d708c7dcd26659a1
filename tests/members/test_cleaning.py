"""One value at a time: what comes out clean, what is nothing, and what is refused by which code (A4)."""

from datetime import date, datetime
from decimal import Decimal

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from members.cleaning import (
    REJECT_CODES,
    Unclean,
    clean_amount,
    clean_birthday,
    clean_date,
    clean_datetime,
    clean_email,
    clean_gender,
    clean_id,
    clean_phone,
    clean_quantity,
    clean_region,
    clean_text,
    clean_version,
    is_encrypted,
    is_masked,
)
from members.facts import Gender

WIDE = str.maketrans("0123456789", "".join(map(chr, range(0xFF10, 0xFF1A))))


def code_of(clean, value, *more):
    with pytest.raises(Unclean) as caught:
        clean(value, *more)
    assert caught.value.code in REJECT_CODES
    return caught.value.code


@pytest.mark.parametrize(
    ("told", "text"),
    [
        ('="3310000000000000011"', "3310000000000000011"),
        ("'138", "138"),
        ('"quoted"', "quoted"),
        ('=""', None),
        ("\t69170000", "69170000"),
        ("\ufeff订单", "订单"),
        ("\xa0 a \u3000", "a"),
        ("\u202d13911112222\u202c", "13911112222"),
        ("a\x00b", "ab"),
        ("羊绒（大）", "羊绒（大）"),
        (13911112222.0, "13911112222"),
        (0.1 + 0.2, "0.3"),
        (Decimal("1.50"), "1.50"),
        (None, None),
        ("  ", None),
        *((word, None) for word in ("null", "NULL", "-", "--", "——", "/", "无")),
    ],
)
def test_text_loses_its_wrappers(told, text):
    assert clean_text(told) == text


@pytest.mark.parametrize(
    ("told", "code"),
    [
        ("='1'", "='1'"),
        ("260517-607198974342268\t", "260517-607198974342268"),
        ("745213389012345678".translate(WIDE), "745213389012345678"),
        ("13800138000.0", "13800138000"),
        ("12E5", "12E5"),
        ("0012", "0012"),
        ('="abc', '="abc'),
        ("—", None),
    ],
)
def test_ids_are_kept_to_the_letter(told, code):
    assert clean_id(told) == code


@pytest.mark.parametrize("told", ["1.93068E+15", "1E+15", "7.45213389012346e+17", 745213389012345678.0])
def test_a_destroyed_id_is_refused_and_never_guessed(told):
    assert code_of(clean_id, told) == "order_no_destroyed"


def test_an_id_that_is_too_long_is_refused():
    assert code_of(clean_id, "9" * 65) == "value_too_long"


@pytest.mark.parametrize(
    "told",
    [
        "13800138000",
        "+8613800138000",
        "008613800138000",
        "8613800138000",
        "+86 138-0013-8000",
        "138 0013 8000",
        "13800138000".translate(WIDE),
        "'13800138000",
        '="13800138000"',
        "13800138000.0",
        13800138000.0,
        "\u202a13800138000\u202c",
    ],
)
def test_a_phone_in_any_writing_is_one_phone(told):
    assert clean_phone(told) == "+8613800138000"


@pytest.mark.parametrize(
    ("told", "region", "phone"),
    [
        ("021-62345678", "CN", "+862162345678"),
        ("(212) 555-0154", "US", "+12125550154"),
        ("17755550154", "US", "+17755550154"),
        ("8613911112222", "US", "+8613911112222"),
        ("+852 9123 4567", "CN", "+85291234567"),
        ("", "CN", None),
        ("无", "CN", None),
    ],
)
def test_phones_of_other_kinds_and_countries(told, region, phone):
    assert clean_phone(told, region) == phone


@pytest.mark.parametrize(
    ("told", "code"),
    [
        ("11111111111", "phone_invalid"),
        ("12345678901", "phone_invalid"),
        ("00000000000", "phone_invalid"),
        ("1380013800", "phone_invalid"),
        ("12800138000", "phone_invalid"),
        ("+15550100", "phone_invalid"),
        ("call me", "phone_invalid"),
        ("1.38E+10", "phone_destroyed"),
        ("138****8000", "phone_masked"),
        ("$$OK7ZBIFAsOQ36oFGHZ6kUkFp$$", "phone_masked"),
    ],
)
def test_phones_that_cannot_be_right_are_refused(told, code):
    assert code_of(clean_phone, told) == code


@given(st.integers(13_000_000_000, 19_999_999_999))
def test_the_quick_way_agrees_with_the_numbering_plan(number):
    try:
        quick = clean_phone(str(number))
    except Unclean:
        quick = None
    try:
        is_number = phonenumbers.is_valid_number(phonenumbers.parse(str(number), "CN"))
    except phonenumbers.NumberParseException:  # 179xx0 is a dialling prefix, and what is left too short
        is_number = False
    expected = f"+86{number}" if is_number else None
    assert quick == (None if len(set(str(number))) == 1 else expected)


def test_masks_and_ciphers_are_recognised():
    assert is_masked("138****5678") and is_masked("张**") and not is_masked("张三")
    assert is_encrypted("##HYQb==##") and is_encrypted("$$OK7Z$$") and not is_encrypted("#1001")


@pytest.mark.parametrize(
    ("told", "email"),
    [
        (" Ann@Example.COM ", "ann@example.com"),
        ("mailto:a.b+c@mail.example.cn", "a.b+c@mail.example.cn"),
        ("ａ＠example.com", "a@example.com"),
        ("-", None),
    ],
)
def test_emails_in_lower_case(told, email):
    assert clean_email(told) == email


@pytest.mark.parametrize(
    "told", ["ann", "a@b", "a..b@example.com", ".a@example.com", "a@-x.com", "a b@example.com"]
)
def test_emails_that_are_none_are_refused(told):
    assert code_of(clean_email, told) == "email_invalid"


def test_a_masked_email_is_named_so():
    assert code_of(clean_email, "tes***@qq.com") == "email_masked"


@pytest.mark.parametrize(
    ("told", "amount"),
    [
        ("￥1,234.50", "1234.50"),
        ("¥ 1,217.80", "1217.80"),
        ("148.00元", "148.00"),
        ("0元", "0.00"),
        ("168.00".translate(WIDE), "168.00"),
        ("１，２３４．５", "1234.50"),
        ("99 ", "99.00"),
        ("(12.50)", "-12.50"),
        ("（12.50）", "-12.50"),
        ("-3", "-3.00"),
        ("￥-3.00", "-3.00"),
        ("28.9000", "28.90"),
        ("-0.00", "0.00"),
        (17.8, "17.80"),
        (Decimal("5.5"), "5.50"),
    ],
)
def test_amounts_are_yuan_with_two_places(told, amount):
    clean = clean_amount(told)
    assert str(clean) == amount


@pytest.mark.parametrize(
    "told",
    ["12.345", "NaN", "inf", "1E+3", "1,23.00", "12.5.0", "$5", "五元", "1.2万", "--5", "10000000000.00"],
)
def test_amounts_that_are_none_are_refused(told):
    assert code_of(clean_amount, told) == "amount_invalid"


@pytest.mark.parametrize(
    ("told", "moment"),
    [
        ("2019-11-12 10:00:00", "2019-11-12T10:00:00+08:00"),
        ("2016/5/23 22:02", "2016-05-23T22:02:00+08:00"),
        ("2019年11月12日 10:00:00", "2019-11-12T10:00:00+08:00"),
        ("2019年11月12日 10时05分", "2019-11-12T10:05:00+08:00"),
        ("2019-11-12T10:00:00+08:00", "2019-11-12T10:00:00+08:00"),
        ("2019-11-12T02:00:00Z", "2019-11-12T10:00:00+08:00"),
        ("2024-05-01 10:00:00 +0000", "2024-05-01T18:00:00+08:00"),
        ("2024-05-01 10:00:00.123", "2024-05-01T10:00:00+08:00"),
        ("43781.4166666667", "2019-11-12T10:00:00+08:00"),
        ("20191112", "2019-11-12T00:00:00+08:00"),
        ("20191112100000", "2019-11-12T10:00:00+08:00"),
        ("2019/1/2 下午 3:04", "2019-01-02T15:04:00+08:00"),
        ("２０１９-１１-１２ １０：００", "2019-11-12T10:00:00+08:00"),
        (datetime(2019, 11, 12, 10), "2019-11-12T10:00:00+08:00"),
    ],
)
def test_times_of_all_writings(told, moment):
    clean = clean_datetime(told)
    assert clean is not None and clean.isoformat() == moment


@pytest.mark.parametrize(
    "told",
    [
        "2019-02-30 10:00:00",
        "2019-11-12 25:00:00",
        "1970-01-01 08:00:00",
        "1999-12-31 23:59:59",
        "2101-01-01 00:00:00",
        "05/01/2026",
        "yesterday",
        "12",
        "2019-11-12 10:00:00 +9900",
    ],
)
def test_times_that_cannot_be_right_are_refused(told):
    assert code_of(clean_datetime, told) == "date_invalid"


def test_the_order_of_day_and_month_is_never_guessed():
    assert clean_date("05/01/2026", "dmy") == date(2026, 1, 5)
    assert clean_date("05/01/2026 10:00:00 AM", "mdy") == date(2026, 5, 1)
    midnight = clean_datetime("05/01/2026 12:00:00 AM", "mdy")
    assert midnight is not None and midnight.hour == 0


def test_nothing_told_is_no_time():
    assert clean_datetime("") is clean_datetime("-") is clean_datetime("0000-00-00 00:00:00") is None


def test_a_day_is_the_day_in_china():
    assert clean_date("2024-05-01 20:00:00 +0000") == date(2024, 5, 2)


@pytest.mark.parametrize(
    ("told", "birthday"),
    [
        ("1990-01-01", date(1990, 1, 1)),
        ("1990年1月1日", date(1990, 1, 1)),
        ("19900101", date(1990, 1, 1)),
        ("32874", date(1990, 1, 1)),
        ("1992-02-29", date(1992, 2, 29)),
        ("1990-**-**", None),
        ("", None),
    ],
)
def test_birthdays(told, birthday):
    assert clean_birthday(told) == birthday


@pytest.mark.parametrize("told", ["1991-02-29", "1900-01-01", "1899-05-05", "2090-01-01", "01-02"])
def test_birthdays_that_cannot_be_right_are_refused(told):
    assert code_of(clean_birthday, told) == "date_invalid"


def test_a_birthday_is_not_after_today():
    today = date(2026, 7, 1)
    assert clean_birthday("2026-07-01", today=today) == today
    assert code_of(lambda told: clean_birthday(told, today=today), "2026-07-02") == "date_invalid"


@pytest.mark.parametrize(
    ("told", "gender"),
    [
        ("男", Gender.MALE),
        ("女士", Gender.FEMALE),
        ("F", Gender.FEMALE),
        ("male", Gender.MALE),
        ("1", Gender.MALE),
        ("其他", Gender.OTHER),
        ("未知", None),
        ("保密", None),
        ("", None),
    ],
)
def test_genders(told, gender):
    assert clean_gender(told) is gender


def test_an_unknown_gender_is_refused():
    assert code_of(clean_gender, "猫") == "gender_invalid"


def test_quantities():
    told = ["2", "2.0", "1,000", "3件", "０３", " 7 ", ""]
    assert [clean_quantity(one) for one in told] == [2, 2, 1000, 3, 3, 7, None]
    assert {code_of(clean_quantity, one) for one in ("-1", "1.5", "两", "1e3")} == {"quantity_invalid"}


def test_versions_are_numbers_or_times():
    assert clean_version("17") == 17
    assert clean_version("2019-11-12T10:00:00+08:00") == 1573524000000
    assert code_of(clean_version, "v2") == "version_invalid"


def test_regions_by_their_short_names():
    told = ["上海市", "广东省", "内蒙古自治区", "新疆维吾尔自治区", "深圳市", "津市", "Ohio", "****", ""]
    short = ["上海", "广东", "内蒙古", "新疆", "深圳", "津市", "Ohio", None, None]
    assert [clean_region(one) for one in told] == short


CLEANERS = [
    clean_text,
    clean_id,
    clean_phone,
    clean_email,
    clean_amount,
    clean_quantity,
    clean_version,
    clean_datetime,
    clean_date,
    clean_birthday,
    clean_gender,
    clean_region,
]
MESSY = st.one_of(
    st.text(),
    st.text(alphabet="0123456789.,-/:+E年月日 '\"=\t￥元()*", max_size=30),
    st.floats(),
    st.integers(),
    st.decimals(),
    st.datetimes(),
    st.none(),
    st.from_regex(r"\d{1,4}[-/]\d{1,2}[-/]\d{1,2} \d{1,2}:\d{2}( [+-]\d{4})?", fullmatch=True),
)


@pytest.mark.parametrize("clean", CLEANERS, ids=lambda clean: clean.__name__)
@given(value=MESSY)
def test_nothing_but_unclean_is_raised_and_what_is_clean_stays_so(clean, value):
    try:
        once = clean(value)
    except Unclean as fault:
        assert fault.code in REJECT_CODES
        return
    assert clean(once) == once


@given(st.text())
def test_clean_text_can_be_stored(value):
    text = clean_text(value)
    if text is not None:
        assert "\x00" not in text
        assert text.encode("utf-8")
