from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privacy.masking import MASKS, mask

TABLE: dict[str, list[tuple[Any, str]]] = {
    "phone": [
        ("+8613812345678", "138****5678"),
        ("13812345678", "138****5678"),
        ("8613812345678", "138****5678"),
        ("１３８１２３４５６７８", "138****5678"),
        ("138 1234-5678", "138****5678"),
        ("+14155552671", "+1****2671"),
        ("+85291234567", "+852****4567"),
        ("+862112345678", "+86****5678"),
        ("021-12345678", "****5678"),
        ("12345", "****45"),
        ("95588", "****88"),
        ("110", "****"),
        ("138****5678", "138****5678"),
        ("138******78", "138****78"),
        ("13812345*78", "138****78"),
        ("1*3812345678", "1****5678"),
        ("unknown", "****"),
    ],
    "name": [
        ("张三", "张*"),
        ("张三丰", "张**"),
        ("欧阳娜", "欧阳*"),
        ("欧阳娜娜", "欧阳**"),
        ("欧阳", "欧*"),
        ("諸葛孔明", "諸葛**"),
        ("张", "*"),
        ("买买提·阿不都热合曼", "买**·**"),
        ("迪丽热巴•迪力木拉提", "迪**·**"),
        ("John Smith", "J*** S***"),
        ("Madonna", "M***"),
        ("Maria del Carmen Lopez", "M*** L***"),
        ("X", "*"),
        ("김민수", "김**"),
        ("😀小明", "小*"),
        ("👨‍👩‍👧‍👦", "*"),
        ("小🐱", "小*"),
        ("𠮷野家", "𠮷**"),
        ("张*", "张*"),
        ("小**", "小**"),
        ("*三丰", "**"),
        ("13812345678", "*"),
        ("tb12345678", "t***"),
        ("爱买包的小猫咪呀", "爱**"),
    ],
    "email": [
        ("alice@qq.com", "a***@qq.com"),
        ("a@qq.com", "***@qq.com"),
        ("a***@qq.com", "a***@qq.com"),
        ("13812345678@139.com", "1***@139.com"),
        ("no-at-sign", "***"),
        ("@qq.com", "***"),
    ],
    "birthday": [
        (date(1990, 3, 15), "****-03-15"),
        ("1990-03-15", "****-03-15"),
        ("1990年3月5日", "****-03-05"),
        ("****-03-15", "****-03-15"),
        ("1990-**-**", "****-**-**"),
        ("32 years", "****-**-**"),
    ],
    "address": [
        ("上海市静安区南京西路1266号恒隆广场", "上海市静安区****"),
        ("广东省深圳市南山区科技园科苑路15号", "广东省深圳市南山区****"),
        ("广东省 深圳市 南山区 科技园", "广东省深圳市南山区****"),
        ("内蒙古自治区呼和浩特市赛罕区大学西街", "内蒙古自治区呼和浩特市赛罕区****"),
        ("新疆维吾尔自治区伊犁哈萨克自治州伊宁市解放路", "新疆维吾尔自治区伊犁哈萨克自治州伊宁市****"),
        ("江苏省昆山市玉山镇", "江苏省昆山市****"),
        ("上海阳光小区3号楼", "上海****"),
        ("阳光小区3号楼501室", "****"),
        ("221B Baker Street, London", "****"),
        ("上海市静安区****", "上海市静安区****"),
    ],
    "id": [
        ("oABCDEFGHIJKLMNOPQRSTUVWXYZa", "oABC****XYZa"),
        ("ab12****ef90", "ab12****ef90"),
        ("12345678", "12****78"),
        ("1234567", "****"),
        ("买家小明2019号店", "买家****号店"),
    ],
    "card": [
        ("6222 0212 3456 7890 123", "****0123"),
        ("****1234", "****1234"),
        ("12345", "****"),
    ],
    "identity": [
        ("110101199003151234", "110101********1234"),
        ("11010119900315123x", "110101********123X"),
        ("110101900315123", "****"),
        ("110101********1234", "110101********1234"),
    ],
    "ip": [
        ("203.0.113.77", "203.0.113.0/24"),
        ("203.0.113.0/24", "203.0.113.0/24"),
        ("2001:db8:1:2::77", "2001:db8:1::/48"),
        ("not an address", ""),
    ],
    "text": [("she asked for a refund", "****")],
}


@pytest.mark.parametrize(
    ("kind", "value", "shown"), [(kind, *row) for kind, rows in TABLE.items() for row in rows]
)
def test_masks(kind, value, shown):
    assert mask(kind, value) == shown
    assert mask(kind, shown) == shown


def test_every_mask_is_in_the_table_and_takes_nothing_for_nothing():
    assert set(TABLE) == set(MASKS)
    for kind in MASKS:
        assert mask(kind, None) == mask(kind, "") == ""


def test_an_unknown_kind_is_a_mistake_and_not_a_clear_value():
    with pytest.raises(KeyError):
        mask("nickname", "小明")


def digits_of(text: str) -> str:
    return "".join(letter for letter in text if letter.isdecimal())


ANYTHING = st.text() | st.text(alphabet="0123456789+* -") | st.text(alphabet="张欧阳三·*aB 省市区县1@.")


@pytest.mark.parametrize("kind", list(MASKS))
@given(value=ANYTHING)
def test_masking_twice_is_masking_once(kind, value):
    once = mask(kind, value)
    assert mask(kind, once) == once


@given(st.text(alphabet="0123456789", min_size=1, max_size=15), st.sampled_from(["", "+", "+86", "00"]))
def test_a_phone_shows_at_most_seven_digits_and_never_more_than_its_ends(number, prefix):
    shown = mask("phone", prefix + number)
    head, tail = shown.split("****")
    assert len(digits_of(head)) <= 3
    assert len(tail) <= 4
    assert number.endswith(tail)
    visible = len(digits_of(shown))
    assert visible == 0 or len(digits_of(prefix + number)) - visible >= 3


@given(st.text(alphabet="0123456789*", min_size=1, max_size=20))
def test_a_badly_masked_phone_does_not_show_more_than_a_well_masked_one(number):
    head, tail = mask("phone", number).split("****")
    assert len(head) <= 3
    assert len(tail) <= 4


@given(st.text(min_size=1))
def test_a_name_shows_at_most_two_letters_and_no_digit_of_a_phone(name):
    shown = mask("name", name)
    assert len(shown.replace("*", "").replace("·", "").replace(" ", "")) <= 2
    assert "*" in shown or not name.strip()


@given(st.from_regex(r"[a-z0-9.]{1,30}@[a-z]{1,10}\.(com|cn)", fullmatch=True))
def test_an_email_shows_one_character_before_the_at(email):
    local, _, domain = mask("email", email).partition("@")
    assert local in {"***", f"{email[0]}***"}
    assert domain == email.split("@")[1]


@given(st.dates())
def test_a_birthday_never_shows_the_year(day):
    assert mask("birthday", day) == f"****-{day.month:02}-{day.day:02}"


@given(
    st.sampled_from(["上海市静安区", "广东省深圳市南山区", "北京市", "江苏省昆山市", ""]),
    st.text(alphabet="南京西路人民大道阳光花园小区单元层室号楼座0123456789-", min_size=1, max_size=30),
)
def test_an_address_never_shows_a_number_or_a_road(region, rest):
    shown = mask("address", region + rest).removesuffix("****")
    assert digits_of(shown) == ""
    assert not set(shown.removeprefix(region)) & set("路道号楼室座")


@given(st.text(min_size=1, max_size=60))
def test_an_id_shows_two_thirds_at_most_and_eight_characters_at_most(value):
    shown = mask("id", value).replace("****", "", 1)
    assert len(shown) <= 8
    assert len(shown) * 3 <= len(value.strip()) * 2 or "*" in value or not value.isascii()
