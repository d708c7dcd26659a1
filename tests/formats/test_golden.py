"""Every golden file has exactly the outcomes recorded beside it, and each known quirk has a test by name."""

from collections import Counter
from decimal import Decimal
from typing import Any

import pytest

from members.facts import AccountFact, OrderFact, OrderLinesFact, OrderStatus, RefundFact
from members.formats.outcomes import Ignored, Read, Rejected
from tests.formats.golden_files import GOLDEN, PATHS, outcomes_of, plain, recorded


def outcomes(name: str) -> list[Any]:
    return outcomes_of(GOLDEN / name)


def orders(name: str) -> dict[str, Any]:
    facts = (outcome.fact for outcome in outcomes(name) if isinstance(outcome, Read))
    return {fact.number: fact for fact in facts if isinstance(fact, OrderFact)}


def rejects(name: str) -> dict[int, tuple[str, str]]:
    return {one.line: (one.column, one.code) for one in outcomes(name) if isinstance(one, Rejected)}


@pytest.mark.parametrize("path", PATHS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_a_golden_file_has_its_recorded_outcomes(path):
    assert plain(outcomes_of(path)) == list(recorded(path))


@pytest.mark.parametrize("path", PATHS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_every_line_has_exactly_one_outcome(path):
    lines: Counter[int] = Counter()
    for outcome in outcomes_of(path):
        lines.update(outcome.lines if isinstance(outcome, Read) else [outcome.line])
    assert lines and set(lines.values()) == {1}


# ------------------------------------------------------------------------------------ Tmall, Taobao


def test_tmall_headers_with_trailing_spaces_are_found():
    order = orders("tmall-orders/54col_gbk.csv")["3310000000000000011"]
    assert order.receiver.address == "文三路示例巷9号  2幢   301室"
    assert order.paid_at.isoformat() == "2021-03-05T20:15:40+08:00"


def test_tmall_columns_inserted_in_the_middle_change_nothing():
    narrow, wide = orders("tmall-orders/54col_gbk.csv"), orders("tmall-orders/61col_gbk.csv")
    assert len(wide) == 2
    assert all(narrow[number] == order for number, order in wide.items())


def test_tmall_partial_refund_is_what_was_paid_out_less():
    order = orders("tmall-orders/54col_gbk.csv")["3310000000000000012"]
    assert order.status is OrderStatus.COMPLETED
    assert order.refunded_total == Decimal("30.00")


def test_tmall_closed_after_payment_is_cancelled_and_refunded_whole():
    order = orders("tmall-orders/54col_gbk.csv")["3310000000000000014"]
    assert (order.status, order.refunded_total) == (OrderStatus.CANCELLED, Decimal("88.00"))
    assert order.paid_at is not None


def test_tmall_closed_unpaid_was_never_paid_and_has_no_discount():
    order = orders("tmall-orders/54col_gbk.csv")["3310000000000000013"]
    assert (order.paid_at, order.amounts.discount, order.amounts.net) == (None, 0, Decimal("75.00"))


def test_tmall_what_the_platform_paid_is_discount_in_layers_that_add_up():
    order = orders("tmall-orders/54col_gbk.csv")["3310000000000000012"]
    layers = [(part.layer, part.label, part.amount) for part in order.discounts]
    assert layers == [
        ("platform", "天猫卡券抵扣", Decimal("5.00")),
        ("platform", "集分宝抵扣", Decimal("1.00")),
        ("platform", "", Decimal("2.00")),
    ]
    assert order.amounts.net == Decimal("112.00")


def test_tmall_masked_nick_is_no_key():
    assert orders("tmall-orders/54col_gbk.csv")["3310000000000000013"].buyer is None


def test_tmall_clear_alipay_account_is_an_unverified_key_and_a_masked_one_only_evidence():
    found = orders("tmall-orders/54col_gbk.csv")
    (key,) = found["3310000000000000012"].buyer.identifiers
    assert (key.kind, key.value, key.verified) == ("phone", "+8613922223333", False)
    masked = found["3310000000000000014"].buyer
    assert (masked.identifiers, masked.phone_masked) == ((), "139****3333")


def test_the_phone_of_the_receiver_is_never_a_key():
    order = orders("tmall-orders/54col_gbk.csv")["3310000000000000011"]
    assert order.receiver.phone == "+8613911112222"
    assert order.buyer.identifiers == ()


def test_a_bad_phone_of_a_receiver_is_remarked_and_the_order_kept():
    (read,) = (one for one in outcomes("tmall-orders/54col_gbk.csv") if isinstance(one, Read) and one.remarks)
    (remark,) = read.remarks
    assert (remark.line, remark.column, remark.code) == (5, "联系手机", "phone_invalid")
    assert remark.value_masked == "111******11"


def test_an_unknown_state_is_rejected_by_name():
    assert rejects("tmall-orders/54col_gbk.csv") == {6: ("订单状态", "status_unknown")}


def test_tmall_file_of_2016_with_resaved_dates_tells_no_refund():
    order = orders("tmall-orders/41col_gbk.csv")["3310000000000000011"]
    assert order.placed_at.isoformat() == "2016-05-23T22:02:00+08:00"
    assert order.refunded_total is None


@pytest.mark.parametrize("name", ["resaved_gb18030.csv", "resaved_utf16le.txt"])
def test_resaved_files_lose_destroyed_ids_and_nothing_else(name):
    name = f"tmall-orders/{name}"
    assert rejects(name) == {2: ("订单编号", "order_no_destroyed"), 6: ("订单创建时间", "date_invalid")}
    assert list(orders(name)) == ["3310000000000000021", "3310000000000000022", "3310000000000000023"]
    assert [one.reason for one in outcomes(name) if isinstance(one, Ignored)] == ["total"]


def test_resaved_files_say_the_same_in_both_encodings():
    assert orders("tmall-orders/resaved_gb18030.csv") == orders("tmall-orders/resaved_utf16le.txt")


def test_tmall_order_lines_that_are_apart_are_told_twice_and_a_bad_one_takes_its_order_with_it():
    told = outcomes("tmall-order-lines/10col_gbk.csv")
    facts: list[Any] = [one.fact for one in told if isinstance(one, Read)]
    assert all(isinstance(fact, OrderLinesFact) for fact in facts)
    assert [(fact.order_number[-2:], len(fact.lines)) for fact in facts] == [("12", 2), ("14", 1), ("12", 1)]
    assert rejects("tmall-order-lines/10col_gbk.csv") == {
        6: ("购买数量", "quantity_invalid"),
        7: ("", "order_part_rejected"),
    }


# ----------------------------------------------------------------------------------------------- JD


def test_jd_totals_on_every_row_count_once():
    order = orders("jd-orders/30col_gbk.csv")["300000000001"]
    assert (order.amounts.goods, order.amounts.net, len(order.lines)) == (180, 155, 2)
    assert [(part.layer, part.amount) for part in order.discounts] == [("shop", 10), ("platform", 15)]


def test_jd_postage_is_within_what_is_due_where_that_is_more_than_the_goods():
    order = orders("jd-orders/30col_gbk.csv")["300000000003"]
    assert (order.amounts.net, order.amounts.postage, order.amounts.paid) == (60, 6, 66)
    assert [(part.means, part.amount) for part in order.payments] == [("在线支付", 46), ("余额支付", 20)]


def test_jd_deleted_is_cancelled_and_locked_is_as_far_as_it_had_come():
    found = orders("jd-orders/30col_gbk.csv")
    assert found["300000000002"].status is OrderStatus.CANCELLED
    assert found["300000000003"].status is OrderStatus.PAID


def test_jd_masked_pin_is_no_key():
    assert orders("jd-orders/30col_gbk.csv")["300000000002"].buyer is None


def test_jd_bad_row_takes_the_whole_order_with_it():
    assert rejects("jd-orders/30col_gbk.csv") == {
        6: ("", "order_part_rejected"),
        7: ("京东价", "amount_invalid"),
    }


def test_jd_settlement_under_a_title_row_tells_refunds_only():
    told = outcomes("jd-settlement/22col_title_row.xlsx")
    refunds: list[Any] = [one.fact for one in told if isinstance(one, Read)]
    assert all(isinstance(refund, RefundFact) for refund in refunds)
    assert [(one.number, one.goods, one.postage) for one in refunds] == [
        ("9900001", 60, 0),
        ("2026021300002", 0, 6),
    ]
    reasons = [one.reason for one in told if isinstance(one, Ignored)]
    assert reasons == ["not_a_refund", "not_a_refund", "total"]


# ------------------------------------------------------------------------------- Pinduoduo, Douyin


def test_pinduoduo_date_comes_from_the_number_only_when_no_time_is_told():
    found = orders("pinduoduo-orders/23col_utf8bom.csv")
    assert found["260501-100000000000002"].placed_at.isoformat() == "2026-05-01T00:00:00+08:00"
    assert found["260520-100000000000001"].placed_at.isoformat() == "2026-05-20T12:00:01+08:00"


def test_pinduoduo_stray_tabs_and_thousands_are_read():
    order = orders("pinduoduo-orders/23col_utf8bom.csv")["260501-100000000000002"]
    assert (order.amounts.paid, order.lines[0].product) == (Decimal("1299.00"), "880000000002")


def test_pinduoduo_cancelled_and_refunded_was_paid_and_cancelled_alone_was_not():
    found = orders("pinduoduo-orders/23col_utf8bom.csv")
    assert found["260501-100000000000002"].refunded_total == Decimal("1299.00")
    assert found["260522-100000000000004"].paid_at is None


def test_pinduoduo_without_a_phone_says_nobody_and_with_one_an_unverified_key():
    assert all(order.buyer is None for order in orders("pinduoduo-orders/23col_utf8bom.csv").values())
    (key,) = orders("pinduoduo-orders/wide_gbk.csv")["260601-100000000000005"].buyer.identifiers
    assert (key.value, key.verified) == ("+8613933334444", False)


def test_pinduoduo_fees_for_carrying_in_are_postage_and_masked_places_not_told():
    order = orders("pinduoduo-orders/wide_gbk.csv")["260601-100000000000005"]
    assert (order.amounts.net, order.amounts.postage, order.receiver) == (199, 30, None)


def test_douyin_sub_orders_are_one_order_and_one_of_them_refunded():
    order = orders("douyin-orders/74col_utf8bom.csv")["6920000000000000001"]
    assert (order.amounts.goods, order.amounts.net, len(order.lines)) == (
        Decimal("64.80"),
        Decimal("59.80"),
        2,
    )
    assert (order.status, order.refunded_total) == (OrderStatus.COMPLETED, Decimal("34.80"))


def test_douyin_ciphers_are_left_out():
    for name in ("74col_utf8bom.csv", "75col_by_order_utf8bom.csv"):
        for order in orders(f"douyin-orders/{name}").values():
            assert order.buyer is None
            assert (order.receiver.phone, order.receiver.address) == (None, None)


def test_douyin_joined_parts_come_apart_where_they_can():
    found = orders("douyin-orders/75col_by_order_utf8bom.csv")
    assert [line.product for line in found["6920000000000000010"].lines] == ["LJ-1", "DB-1"]
    (line,) = found["6920000000000000013"].lines
    assert line.quantity == 3


def test_douyin_closed_unpaid_is_not_refunded():
    order = orders("douyin-orders/74col_utf8bom.csv")["6920000000000000003"]
    assert (order.status, order.paid_at, order.refunded_total) == (OrderStatus.CANCELLED, None, 0)


def test_douyin_row_of_descriptions_is_ignored_and_open_cases_too():
    told = outcomes("douyin-aftersales/50col_described_utf8bom.csv")
    assert [(one.line, one.reason) for one in told if isinstance(one, Ignored)] == [
        (2, "description"),
        (4, "not_refunded"),
    ]
    assert rejects("douyin-aftersales/50col_described_utf8bom.csv") == {
        5: ("退商品金额（元）", "required_missing")
    }


# ------------------------------------------------------------------- Youzan, Shopify, WooCommerce


def test_youzan_customers_without_a_clear_phone_are_rejected_by_reason():
    assert rejects("youzan-customers/34col_utf8.csv") == {
        3: ("客户手机号", "buyer_missing"),
        6: ("客户手机号", "phone_masked"),
        7: ("客户生日", "date_invalid"),
    }


def test_youzan_orders_with_a_header_twice_read_the_right_columns():
    order = orders("youzan-orders/60col_utf8.csv")["E20260701100000000000001"]
    assert (order.amounts.goods, order.amounts.net, order.amounts.paid) == (150, 125, 135)
    assert order.buyer.identifiers[0].value == "+8613944445555"
    assert order.receiver.phone == "+8613977778888"
    assert order.refunded_total == Decimal("15.00")


def test_shopify_order_cells_on_the_first_row_only_and_newlines_in_notes():
    order = orders("shopify-orders/79col_utf8.csv")["6001"]
    assert [line.name for line in order.lines] == ["Tote", "Mug, large"]
    (read,) = (
        one
        for one in outcomes("shopify-orders/79col_utf8.csv")
        if isinstance(one, Read) and one.fact == order
    )
    assert read.lines == (2, 4)  # the note goes on in line 3


def test_shopify_times_with_an_offset_are_told_in_china():
    assert orders("shopify-orders/79col_utf8.csv")["6001"].paid_at.isoformat() == "2025-06-01T10:00:00+08:00"


def test_shopify_voided_was_never_paid_and_authorised_not_yet():
    found = orders("shopify-orders/79col_utf8.csv")
    assert (found["6003"].status, found["6003"].paid_at) == (OrderStatus.CANCELLED, None)
    assert (found["6005"].status, found["6005"].paid_at) == (OrderStatus.PLACED, None)


def test_shopify_other_currencies_are_rejected_with_all_their_rows():
    assert rejects("shopify-orders/79col_utf8.csv") == {
        7: ("Currency", "currency_unsupported"),
        8: ("", "order_part_rejected"),
    }


def test_shopify_guarded_ids_and_foreign_phones():
    (first, foreign, doubtful, nobody) = outcomes("shopify-customers/20col_utf8bom.csv")
    assert isinstance(first, Read) and isinstance(first.fact, AccountFact)
    assert first.fact.external_id == "7300000000001"
    assert foreign.fact.identifiers[0].value == "+12125550154"
    assert [key.kind for key in doubtful.fact.identifiers] == ["email"]
    assert [remark.code for remark in doubtful.remarks] == ["phone_invalid"]
    assert nobody.code == "buyer_missing"


def test_shopify_older_headers_and_metafields_are_the_same_format():
    (older,) = outcomes("shopify-customers/21col_2022_utf8.csv")
    assert (older.fact.province, older.fact.city) == ("广东", "深圳")
    (extended,) = outcomes("shopify-customers/metafields_utf8.csv")
    assert extended.fact.external_id == "7300000000005"


def test_woocommerce_in_chinese_says_what_it_says_in_english():
    english: list[Any] = [
        one.fact for one in outcomes("woocommerce-customers/15col_utf8.csv") if isinstance(one, Read)
    ]
    chinese = [one.fact for one in outcomes("woocommerce-customers/12col_chinese_utf8.csv")]
    assert [fact.name for fact in chinese] == [fact.name for fact in english]
    assert chinese[0] == english[0]
    assert chinese[1].province == "上海"  # CN10


# ------------------------------------------------------------------------------------------- mapped


def test_mapped_spreadsheet_of_numbers_and_dates():
    first, *_ = outcomes("mapped/members.xlsx")
    assert first.fact.identifiers[0].value == "+8613911112222"
    assert first.fact.birthday.isoformat() == "1988-08-08"
    assert rejects("mapped/members.xlsx") == {
        3: ("手机号", "phone_invalid"),
        4: ("生日", "date_invalid"),
        5: ("会员卡号", "order_no_destroyed"),
    }
    ignored = [one.reason for one in outcomes("mapped/members.xlsx") if isinstance(one, Ignored)]
    assert ignored == ["blank", "total"]


def test_mapped_rows_of_one_receipt_are_one_order():
    found = orders("mapped/pos_orders_semicolon_gbk.csv")
    assert (found["P0001"].amounts.goods, len(found["P0001"].lines)) == (66, 2)
    assert found["P0002"].buyer is None
    assert rejects("mapped/pos_orders_semicolon_gbk.csv") == {5: ("会员手机号", "phone_invalid")}
