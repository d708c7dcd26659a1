"""Platform files as they come into a story: in local time, and all the way in at once."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from members import imports
from members.importing import report
from members.models import Channel, ImportRun
from tests.members import platform_files

SHANGHAI = ZoneInfo("Asia/Shanghai")

PINDUODUO = [
    "订单成交时间",
    "商品",
    "订单号",
    "订单状态",
    "商品总价(元)",
    "邮费(元)",
    "店铺优惠折扣(元)",
    "平台优惠折扣(元)",
    "多多支付立减金额(元)",
    "用户实付金额(元)",
    "商家实收金额(元)",
    "商品数量(件)",
    "发货时间",
    "确认收货时间",
    "商品id",
    "售后状态",
]


def local(at: datetime) -> str:
    """A time as the platforms' files write it."""
    return f"{at.astimezone(SHANGHAI):%Y-%m-%d %H:%M:%S}"


def tmall_row(number: int, buyer: str, paid: str, at: datetime) -> dict[str, Any]:
    """A finished order in a Tmall file."""
    times = {"订单创建时间": local(at), "订单付款时间 ": local(at), "确认收货时间": local(at)}
    return platform_files.order(number, buyer, paid, **times)


def pinduoduo_row(number: str, goods: str, at: datetime) -> dict[str, Any]:
    """A received order in a Pinduoduo file, which names no buyer."""
    return {
        "订单成交时间": local(at),
        "商品": "示例毛巾",
        "订单号": f"{number}\t",
        "订单状态": "已收货",
        "商品总价(元)": goods,
        "邮费(元)": "0",
        "店铺优惠折扣(元)": "0",
        "平台优惠折扣(元)": "0",
        "多多支付立减金额(元)": "0",
        "用户实付金额(元)": goods,
        "商家实收金额(元)": goods,
        "商品数量(件)": "1",
        "发货时间": local(at),
        "确认收货时间": local(at),
        "商品id": "880000000001\t",
        "售后状态": "无售后或售后取消",
    }


def bring_in(channel: Channel, content: bytes) -> dict[str, Any]:
    """A file read, looked at and applied; its report."""
    run = imports.read(imports.take_in(channel, "orders.csv", [content]).pk)
    assert run.state == ImportRun.State.READY, report.document(run)
    imports.start(run.pk)
    run = imports.carry_out(run.pk)
    assert run.state == ImportRun.State.DONE, report.document(run)
    return report.document(run)
