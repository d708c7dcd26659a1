"""Files as platforms write them, made for a test row by row."""

import csv
import io
from datetime import datetime, timedelta
from typing import Any

TMALL = [
    "订单编号",
    "买家会员名",
    "买家支付宝账号",
    "买家应付货款",
    "买家应付邮费",
    "总金额",
    "买家实际支付金额",
    "订单状态",
    "收货人姓名",
    "收货地址 ",
    "联系手机",
    "订单创建时间",
    "订单付款时间 ",
    "宝贝标题 ",
    "宝贝种类 ",
    "宝贝总数量",
    "退款金额",
    "确认收货时间",
]
JD = [
    "订单号",
    "商品ID",
    "商品名称",
    "订购数量",
    "支付方式",
    "下单时间",
    "京东价",
    "订单金额",
    "结算金额",
    "余额支付",
    "应付金额",
    "订单状态",
    "订单类型",
    "下单帐号",
    "客户姓名",
    "客户地址",
    "联系电话",
    "订单备注",
    "运费金额",
    "付款确认时间",
    "货号",
    "订单完成时间",
    "订单来源",
    "订单渠道",
]
START = datetime(2026, 6, 1, 10)


def text(header: list[str], rows: list[dict[str, Any]], encoding: str = "gb18030") -> bytes:
    """A CSV file with this header."""
    stream = io.StringIO(newline="")
    writer = csv.DictWriter(stream, header, restval="")
    writer.writeheader()
    writer.writerows(rows)
    return stream.getvalue().encode(encoding)


def order(number: int, buyer: Any = "", paid: Any = "100.00", day: Any = 0, **cells: Any) -> dict[str, Any]:
    """One row of a Tmall order file; a finished order unless `cells` say otherwise."""
    at = START + timedelta(days=day, minutes=number % 600)
    return {
        "订单编号": f'="{3026000000000000000 + number}"',
        "买家会员名": buyer,
        "买家应付货款": paid,
        "买家应付邮费": "0",
        "总金额": paid,
        "买家实际支付金额": paid,
        "订单状态": "交易成功",
        "订单创建时间": f"{at:%Y-%m-%d %H:%M:%S}",
        "订单付款时间 ": f"{at:%Y-%m-%d %H:%M:%S}",
        "退款金额": "0",
        "确认收货时间": f"{at + timedelta(days=3):%Y-%m-%d %H:%M:%S}",
        **cells,
    }


def tmall(*rows: dict[str, Any]) -> bytes:
    """A Tmall order file in GBK."""
    return text(TMALL, list(rows))


def jd_row(number: str, sku: str, total: str, buyer: str = "jd_mei") -> dict[str, Any]:
    """One row of a JD order file: one SKU, and the totals of the order."""
    return {
        "订单号": number,
        "商品ID": sku,
        "商品名称": f"商品{sku}",
        "订购数量": "1",
        "支付方式": "在线支付",
        "下单时间": "2026-06-01 10:00:00",
        "京东价": "50.00",
        "订单金额": total,
        "结算金额": total,
        "余额支付": "0.00",
        "应付金额": total,
        "订单状态": "完成",
        "下单帐号": buyer,
        "运费金额": "0.00",
        "付款确认时间": "2026-06-01 10:01:00",
        "订单完成时间": "2026-06-05 10:00:00",
    }
