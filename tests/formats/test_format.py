"""How rows become outcomes: one by one, or grouped into orders; recognition of headers."""

from typing import Any

import pytest
from django.utils import translation
from django.utils.functional import Promise

from members.cleaning import REJECT_CODES, Unclean
from members.formats.errors import FormatUnknown
from members.formats.outcomes import Ignored, Read, Rejected, mask
from members.formats.reading import open_table
from members.formats.registry import FORMATS, choose, recognise

NAMES = (
    *("tmall-orders", "tmall-order-lines", "jd-orders", "jd-settlement", "pinduoduo-orders", "douyin-orders"),
    *("douyin-aftersales", "youzan-customers", "youzan-orders", "shopify-customers", "shopify-orders"),
    *("woocommerce-customers", "mapped"),
)
JD = "订单号,商品名称,订购数量,京东价,下单时间,订单金额,订单状态,下单帐号\n"


def read(text: str) -> list[Any]:
    with open_table(text.encode()) as table:
        return list(choose(table.headers).read(table.rows))


def jd(*rows: str) -> list[Any]:
    return read(JD + "".join(f"{row}\n" for row in rows))


def row(number, name="杯", price="5.00", total="10.00", status="完成"):
    return f"{number},{name},1,{price},2026-01-01 10:00:00,{total},{status},jd_a"


def test_the_formats_are_those_that_were_promised():
    assert tuple(FORMATS) == NAMES


@pytest.mark.parametrize("name", [name for name in NAMES if name != "mapped"])
def test_a_format_is_recognised_by_its_needed_columns_alone(name):
    assert recognise(FORMATS[name].required) is FORMATS[name]


@pytest.mark.parametrize("name", [name for name in NAMES if name != "mapped"])
def test_a_format_that_lacks_a_needed_column_is_named_with_it(name):
    required = FORMATS[name].required
    if name in ("tmall-order-lines", "shopify-customers"):
        required = FORMATS[name].required[::-1]
    with pytest.raises(FormatUnknown) as caught:
        choose(required[1:], name)
    assert caught.value.details == {"nearest": name, "missing": required[0]}


def test_an_unknown_header_is_compared_with_the_nearest():
    with pytest.raises(FormatUnknown) as caught:
        choose(("订单号", "订单状态", "商品总价(元)", "x"))
    assert caught.value.details == {"nearest": "pinduoduo-orders", "missing": "用户实付金额(元)"}


def test_the_order_of_columns_does_not_matter():
    lines = JD.strip().split(",")
    values = row("1").split(",")
    (outcome,) = read("\n".join(",".join(reversed(part)) for part in (lines, values)))
    assert outcome.fact == jd(row("1"))[0].fact


def test_rows_side_by_side_are_one_order_and_those_apart_are_told_again():
    told = jd(row("1"), row("1", "盘"), row("2", total="5.00"), row("1", "碗"))
    assert [(one.lines, one.fact.number) for one in told] == [((2, 3), "1"), ((4,), "2"), ((5,), "1")]
    combine = FORMATS["jd-orders"].combine
    assert combine is not None
    whole: Any = combine(told[0].fact, told[2].fact)
    assert [line.name for line in whole.lines] == ["杯", "盘", "碗"]
    assert whole.amounts == told[0].fact.amounts


def test_one_bad_row_rejects_its_order_and_no_other():
    told = jd(row("1"), row("1", price="x"), row("2"))
    assert told[:2] == [
        Rejected(2, "", "order_part_rejected"),
        Rejected(3, "京东价", "amount_invalid", "x"),
    ]
    assert isinstance(told[2], Read)


def test_a_ragged_row_between_rejects_the_order_it_stands_in():
    told = jd(row("1"), "1,杯", row("1"), row("2"))
    assert [one.code for one in told[:3]] == ["order_part_rejected", "row_ragged", "order_part_rejected"]
    assert isinstance(told[3], Read)


def test_an_unreadable_row_is_rejected_with_the_order_before_it():
    told = jd(row("1"), '1,"a"b', row("2"))
    assert [one.code for one in told[:2]] == ["order_part_rejected", "row_unreadable"]
    assert told[2].fact.number == "2"


def test_blank_rows_and_totals_are_ignored_and_divide_orders():
    told = jd(row("1"), ",,,,,,,", row("1"), "小计：,,,,,10,,", "")
    assert [type(one) for one in told] == [Read, Ignored, Read, Ignored, Ignored]
    assert [one.reason for one in told if isinstance(one, Ignored)] == ["blank", "total", "blank"]


def test_a_row_without_a_number_is_rejected_alone():
    told = jd(row("1"), row(""), row("2"))
    assert told[1] == Rejected(3, "订单号", "required_missing")
    assert isinstance(told[0], Read) and isinstance(told[2], Read)


def test_full_width_brackets_in_a_header_are_the_same_column():
    (one,) = read("订单号,订单状态,商品总价（元）,用户实付金额（元）\n260517-1,待发货,9,9\n")
    assert one.fact.amounts.paid == 9


def test_masks_show_enough_to_find_a_cell_and_no_more():
    assert mask("13911112222") == "139******22"
    assert mask("ann@example.com") == "a***@example.com"
    assert mask("1.93068E+15") == "1.93068E+15"
    assert len(mask("x" * 500)) == 40


def test_every_reject_code_has_a_reason_to_translate():
    with translation.override(None):
        reasons = [str(reason) for reason in REJECT_CODES.values()]
    assert all(isinstance(reason, Promise) for reason in REJECT_CODES.values())
    assert len(set(reasons)) == len(reasons) and all(reason.endswith(".") for reason in reasons)


def test_rejected_cells_name_their_reason():
    assert Unclean("phone_invalid", "x").reason == str(REJECT_CODES["phone_invalid"])
