"""What is shown of a file's cells before anybody has said what its columns mean (D5, E2)."""

import pytest

from members.importing.samples import shown


@pytest.mark.parametrize(
    ("header", "value", "seen"),
    [
        ("客户姓名", "朱一建", "朱**"),
        ("收货地址 ", "上海市静安区南京西路1号", "上海市静安区****"),
        ("客户地址", "文昌街59号11幢1063室", "****"),
        ("联系电话", "13800138001", "138****8001"),
        ("下单帐号", "jd_1eab4eacfc", "jd_1****acfc"),
        ("Shipping Name", "Ann Lee", "A*** L***"),
        ("Email Address", "ann.lee@qq.com", "a***@qq.com"),
        ("生日", "1990-03-15", "****-03-15"),
        ("订单备注", "请放门口", "****"),
    ],
)
def test_a_column_that_is_called_personal_is_masked(header: str, value: str, seen: str) -> None:
    assert shown(header, value) == seen


@pytest.mark.parametrize(
    ("header", "value"),
    [("商品名称", "正山小种 100g"), ("店铺名称", "静安店"), ("Product name", "Tea"), ("订单金额", "884.00")],
)
def test_what_was_bought_is_shown_to_choose_by(header: str, value: str) -> None:
    assert shown(header, value) == value


def test_a_long_number_is_masked_whatever_its_column_is_called() -> None:
    assert shown("Wer", "13800138001") == "138******01"
