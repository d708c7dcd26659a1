"""Any table by a mapping: guesses, what must be mapped, options, and faults that name the header."""

from decimal import Decimal
from typing import Any

import pytest

from members.facts import OrderStatus
from members.formats.errors import MappingIncomplete
from members.formats.mapped import Mapping, format_of, guess_mapping
from members.formats.outcomes import Read, Rejected
from members.formats.reading import open_table
from members.formats.registry import FORMATS
from members.formats.targets import TARGETS


def read(text: str, mapping: Mapping | None = None) -> list[Any]:
    with open_table(text.encode()) as table:
        return list(format_of(mapping or guess_mapping(table.headers), table.headers).read(table.rows))


def test_chinese_and_english_headers_are_guessed():
    assert guess_mapping(("会员卡号", "姓名", "手机号码", "出生日期")).fields == {
        "external_id": "会员卡号",
        "phone": "手机号码",
        "name": "姓名",
        "birthday": "出生日期",
    }
    guess = guess_mapping(
        ("InvoiceNo", "StockCode", "Description", "Quantity", "InvoiceDate", "UnitPrice", "Customer ID")
    )
    assert guess.kind == "orders"
    assert guess.fields["placed_at"] == "InvoiceDate"
    assert guess.missing(tuple(guess.fields.values())) == []


def test_a_header_serves_one_field_only():
    fields = guess_mapping(("订单号", "日期", "金额")).fields
    assert sorted(fields.values()) == sorted({"订单号", "日期", "金额"})


def test_what_is_missing_is_named():
    with pytest.raises(MappingIncomplete) as caught:
        format_of(Mapping(kind="orders", fields={"number": "单号", "nonsense": "x"}), ("单号",))
    assert caught.value.details == {"missing": "placed_at, paid, nonsense, x"}
    with pytest.raises(MappingIncomplete):
        format_of(Mapping(kind="accounts", fields={"name": "姓名"}), ("姓名",))


def test_every_target_has_a_label_and_aliases_of_its_own():
    for targets in TARGETS.values():
        for target in targets.values():
            aliases = target.aliases.split("|")
            assert target.label and len(aliases) == len(set(aliases))


def test_goods_discount_and_postage_follow_from_what_is_told():
    (one,) = read("订单号,下单时间,实付金额,优惠金额,运费\n1,2026-01-01,95.00,10.00,5.00\n")
    amounts = one.fact.amounts
    assert (amounts.goods, amounts.discount, amounts.postage, amounts.paid) == (100, 10, 5, 95)


def test_amounts_on_rows_are_added_up_when_so_mapped():
    text = "订单号,下单时间,金额,商品名称\n1,2026-01-01,95.00,a\n1,2026-01-01,5.00,b\n"
    with open_table(text.encode()) as table:
        fields = guess_mapping(table.headers).fields
    (one,) = read(text, Mapping(kind="orders", fields=fields, amounts_on="row"))
    assert one.fact.amounts.paid == Decimal("100.00")


def test_rows_of_one_order_that_disagree_on_its_total_are_rejected():
    told = read("订单号,下单时间,金额,商品名称\n1,2026-01-01,95.00,a\n1,2026-01-01,5.00,b\n")
    assert told == [Rejected(2, "", "order_part_rejected"), Rejected(3, "金额", "amount_invalid", "5.00")]


def test_states_and_defaults():
    text = "订单号,下单时间,金额,状态\n1,2026-01-01,9,Processing\n2,2026-01-01,9,refunded\n3,2026-01-01,9,?\n"
    first, second, third = read(text)
    assert (first.fact.status, second.fact.status) == (OrderStatus.PAID, OrderStatus.CANCELLED)
    assert (third.column, third.code) == ("状态", "status_unknown")
    mapping = Mapping(
        kind="orders",
        fields={"number": "订单号", "placed_at": "下单时间", "paid": "金额"},
        defaults={"status": "paid", "store": "S9"},
    )
    (one, *_) = read(text, mapping)
    assert (one.fact.status, one.fact.store) == (OrderStatus.PAID, "S9")


def test_dates_by_the_order_that_is_chosen():
    mapping = Mapping(
        kind="accounts", fields={"phone": "tel", "birthday": "dob"}, date_order="dmy", region="US"
    )
    (one,) = read("tel,dob\n(212) 555-0154,02/03/1990\n", mapping)
    assert one.fact.birthday.isoformat() == "1990-03-02"
    assert one.fact.identifiers[0].value == "+12125550154"


def test_nobody_and_masked_phones_are_rejected_by_the_header():
    told = read("手机号,姓名\n,甲\n138****5678,乙\n13911112222,丙\n")
    assert [(one.column, one.code) for one in told if isinstance(one, Rejected)] == [
        ("手机号", "buyer_missing"),
        ("手机号", "phone_masked"),
    ]
    assert isinstance(told[2], Read)


def test_guest_number_nought_is_no_buyer():
    (one,) = read("order id,order date,total,customer id\n7,2026-01-01,9.00,0\n")
    assert one.fact.buyer is None


def test_mapped_without_a_mapping_reads_by_guess():
    with open_table("手机号,姓名\n13911112222,丙\n".encode()) as table:
        told: list[Any] = list(FORMATS["mapped"].read(table.rows))
    (one,) = told
    assert one.fact.identifiers[0].value == "+8613911112222"
