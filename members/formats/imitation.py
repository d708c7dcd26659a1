"""Imitation: what each platform would have written for a fact, as cells by the name of their column."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Final

from members.cleaning import ZERO
from members.facts import (
    AccountFact,
    Gender,
    IdentifierKind,
    LineFact,
    OrderFact,
    OrderLinesFact,
    OrderStatus,
    ReceiverFact,
    RefundFact,
)
from members.formats import jd, tmall

Cells = Mapping[str, object]
_NO_RECEIVER: Final = ReceiverFact()


def _national(phone: str | None) -> str:
    """A phone as people in China write it."""
    return (phone or "").removeprefix("+86")


def _key(buyer: AccountFact | None, kind: IdentifierKind) -> str | None:
    keys = buyer.identifiers if buyer else ()
    return next((key.value for key in keys if key.kind is kind), None)


def _phone_of(buyer: AccountFact | None) -> str:
    return _national(_key(buyer, IdentifierKind.PHONE))


def _layer(order: OrderFact, layer: str, label: str = "") -> Decimal:
    found = (part.amount for part in order.discounts if part.layer == layer and label in ("", part.label))
    return sum(found, ZERO)


def _means(order: OrderFact) -> str | None:
    return order.payments[0].means if order.payments else None


# -------------------------------------------------------------------------------------------- Tmall

_TMALL_STATES: Final = {
    OrderStatus.PLACED: tmall.WAITING_FOR_PAYMENT,
    OrderStatus.PAID: "买家已付款，等待卖家发货",
    OrderStatus.SHIPPED: "卖家已发货，等待买家确认",
    OrderStatus.RECEIVED: "交易成功",
    OrderStatus.COMPLETED: "交易成功",
    OrderStatus.CANCELLED: "交易关闭",
}


def tmall_order(order: OrderFact) -> Iterator[Cells]:
    """One row an order."""
    amounts, buyer, receiver = order.amounts, order.buyer, order.receiver or _NO_RECEIVER
    paid = amounts.paid if order.paid_at else ZERO
    closed = order.status is OrderStatus.CANCELLED
    refunded = order.refunded_total or ZERO
    account = _key(buyer, IdentifierKind.EMAIL) or _phone_of(buyer) or (buyer and buyer.phone_masked)
    place = " ".join(filter(None, (receiver.province, receiver.city, receiver.district, receiver.address)))
    yield {
        "订单编号": order.number,
        "买家会员名": buyer and buyer.external_id,
        "买家支付宝账号": account,
        "买家应付货款": amounts.goods,
        "买家应付邮费": amounts.postage,
        "买家支付积分": "0",
        "总金额": amounts.goods + amounts.postage,
        "返点积分": "0",
        "买家实际支付金额": paid,
        "买家实际支付积分": "0",
        "订单状态": _TMALL_STATES[order.status],
        "收货人姓名": receiver.name,
        "收货地址": f"{place}(000000)" if place else "",
        "运送方式": "快递",
        "联系手机": f"'{_national(receiver.phone)}",
        "订单创建时间": order.placed_at,
        "订单付款时间": order.paid_at,
        "宝贝标题": "，".join(line.name for line in order.lines),
        "宝贝种类": len(order.lines) or None,
        "宝贝总数量": sum(line.quantity for line in order.lines),
        "店铺Id": "0",
        "订单关闭原因": ("退款" if order.paid_at else "买家未付款") if closed else "订单未关闭",
        "卖家服务费": "0",
        "买家服务费": "0元",
        "是否手机订单": "手机订单",
        "是否代付": "否",
        "异常信息": "null",
        "天猫卡券抵扣": _layer(order, "platform", "天猫卡券抵扣"),
        "集分宝抵扣": _layer(order, "platform", "集分宝抵扣"),
        "退款金额": order.refunded_total,
        "确认收货时间": order.received_at,
        "打款商家金额": f"{paid - refunded if order.status is OrderStatus.COMPLETED else ZERO}元",
    }


def tmall_lines(fact: OrderLinesFact) -> Iterator[Cells]:
    """One row for each line of an order."""
    for line in fact.lines:
        yield {
            "订单编号": fact.order_number,
            "标题": line.name,
            "价格": line.price,
            "购买数量": line.quantity,
            "外部系统编号": line.product,
            "订单状态": "交易成功",
            "商家编码": line.product or "null",
        }


# ----------------------------------------------------------------------------------------------- JD

_JD_STATES: Final = {
    OrderStatus.PLACED: "等待付款",
    OrderStatus.PAID: "等待出库",
    OrderStatus.SHIPPED: "等待确认收货",
    OrderStatus.RECEIVED: "完成",
    OrderStatus.COMPLETED: "完成",
    OrderStatus.CANCELLED: "(删除)等待出库",
}


def jd_order(order: OrderFact) -> Iterator[Cells]:
    """One row for each line, with the totals of the order on each."""
    amounts, receiver = order.amounts, order.receiver or _NO_RECEIVER
    balance = sum((part.amount or ZERO for part in order.payments if part.means == "余额支付"), ZERO)
    means = _means(order) or "在线支付"
    status = _JD_STATES[order.status]
    if means == jd.ON_DELIVERY and order.status is OrderStatus.PLACED:
        status = "等待出库"
    for line in order.lines or (LineFact(product=""),):
        yield {
            "订单号": order.number,
            "商品ID": line.product,
            "商品名称": line.name,
            "订购数量": line.quantity,
            "支付方式": means,
            "下单时间": order.placed_at,
            "京东价": line.price,
            "订单金额": amounts.goods,
            "结算金额": amounts.goods - _layer(order, "shop"),
            "余额支付": balance,
            "应付金额": amounts.net - balance,
            "订单状态": status,
            "订单类型": "POP订单",
            "下单帐号": order.buyer and order.buyer.external_id,
            "客户姓名": receiver.name,
            "客户地址": receiver.address,
            "联系电话": _national(receiver.phone),
            "运费金额": amounts.postage,
            "付款确认时间": order.paid_at,
            "货号": line.product,
            "订单完成时间": order.completed_at,
            "订单来源": "手机",
        }


# ---------------------------------------------------------------------------------------- Pinduoduo

_PINDUODUO_STATES: Final = {
    OrderStatus.PLACED: "待付款",
    OrderStatus.PAID: "待发货",
    OrderStatus.SHIPPED: "已发货",
    OrderStatus.RECEIVED: "已收货",
    OrderStatus.COMPLETED: "已完成",
    OrderStatus.CANCELLED: "已取消",
}


def pinduoduo_order(order: OrderFact) -> Iterator[Cells]:
    """One row an order, of its first line."""
    amounts = order.amounts
    line = order.lines[0] if order.lines else LineFact(product="")
    is_refunded = bool(order.refunded_total)
    yield {
        "订单成交时间": order.placed_at,
        "商品": line.name,
        "订单号": f"{order.number}\t",
        "订单状态": _PINDUODUO_STATES[order.status] + ("，退款成功" if is_refunded else ""),
        "商品总价(元)": f"{amounts.goods:,}",
        "邮费(元)": amounts.postage,
        "店铺优惠折扣(元)": _layer(order, "shop"),
        "平台优惠折扣(元)": _layer(order, "platform"),
        "多多支付立减金额(元)": _layer(order, "payment"),
        "用户实付金额(元)": f"{amounts.paid:,}",
        "商家实收金额(元)": f"{amounts.paid + _layer(order, 'platform'):,}",
        "商品数量(件)": line.quantity,
        "发货时间": order.shipped_at,
        "确认收货时间": order.received_at,
        "商品id": f"{line.product}\t" if line.product else "",
        "商家编码-商品维度": line.product,
        "售后状态": "退款成功" if is_refunded else "无售后或售后取消",
    }


# ------------------------------------------------------------------------------------------- Douyin

_DOUYIN_STATES: Final = {
    OrderStatus.PLACED: "待支付",
    OrderStatus.PAID: "待发货",
    OrderStatus.SHIPPED: "已发货",
    OrderStatus.RECEIVED: "已签收",
    OrderStatus.COMPLETED: "已完成",
    OrderStatus.CANCELLED: "已关闭",
}


def douyin_order(order: OrderFact) -> Iterator[Cells]:
    """A row for each line; the discount of a line stands in one column, a refund is of the whole order."""
    receiver = order.receiver or _NO_RECEIVER
    for place, line in enumerate(order.lines):
        postage = order.amounts.postage if place == 0 else ZERO
        yield {
            "主订单编号": order.number,
            "子订单编号": f"{order.number}{place}" if place else order.number,
            "选购商品": line.name,
            "商品数量": line.quantity,
            "商家编码": line.product,
            "商品单价": line.price,
            "订单应付金额": (line.amount or ZERO) + postage,
            "运费": postage,
            "优惠总金额": line.discount,
            "商家优惠": line.discount,
            "支付方式": _means(order),
            "收件人": "##HYQbwO6YMJy3kWZwt/D9719M##",
            "收件人手机号": "$$OK7ZBIFAsOQ36oFGHZ6kUkFp$$",
            "省": receiver.province,
            "市": receiver.city,
            "区": receiver.district,
            "详细地址": "##tn9emhPrizGDV0fMFWwDOLfQ##",
            "订单提交时间": order.placed_at,
            "订单完成时间": order.completed_at or "-",
            "支付完成时间": order.paid_at or "-",
            "APP渠道": "抖音",
            "订单状态": _DOUYIN_STATES[order.status],
            "订单类型": "普通订单",
            "售后状态": "退款成功" if order.refunded_total else "-",
            "发货时间": order.shipped_at,
        }


def douyin_refund(refund: RefundFact) -> Iterator[Cells]:
    """One row an after-sale."""
    line = refund.lines[0] if refund.lines else LineFact(product="")
    yield {
        "售后单号": refund.number,
        "订单号": refund.order_number,
        "商品单号": refund.order_number,
        "商品名称": line.name,
        "售后类型": "仅退款",
        "退商品金额（元）": refund.goods,
        "退运费金额（元）": refund.postage,
        "售后状态": "售后完成，退款成功",
        "商家退款时间": refund.refunded_at,
        "商家编码": line.product,
    }


# ------------------------------------------------------------------------------------------- Youzan

_YOUZAN_STATES: Final = {
    OrderStatus.PLACED: "待付款",
    OrderStatus.PAID: "待发货",
    OrderStatus.SHIPPED: "已发货",
    OrderStatus.RECEIVED: "交易完成",
    OrderStatus.COMPLETED: "交易完成",
    OrderStatus.CANCELLED: "交易关闭",
}


def youzan_order(order: OrderFact) -> Iterator[Cells]:
    """One row an order."""
    amounts, receiver = order.amounts, order.receiver or _NO_RECEIVER
    shop = _layer(order, "shop")
    yield {
        "订单号": order.number,
        "销售渠道": "网店",
        "订单类型": "普通订单",
        "订单状态": _YOUZAN_STATES[order.status],
        "订单来源": "商家小程序",
        "订单创建时间": order.placed_at,
        "买家付款时间": order.paid_at,
        "交易成功时间": order.completed_at,
        "付款方式": _means(order),
        "商品金额合计": amounts.goods,
        "运费": amounts.postage,
        "店铺优惠合计": shop,
        "应收订单金额": amounts.goods + amounts.postage - shop,
        "订单实付金额": amounts.paid,
        "支付优惠合计": _layer(order, "payment"),
        "订单实收金额": amounts.paid,
        "订单抵用积分数": order.points_spent.points if order.points_spent else 0,
        "全部商品名称": ";".join(line.name for line in order.lines),
        "商品种类数": len(order.lines),
        "收货人省份": receiver.province,
        "收货人城市": receiver.city,
        "收货人地区": receiver.district,
        "详细收货地址/提货地址": receiver.address,
        "收货人/提货人": receiver.name,
        "收货人手机号/提货人手机号": _national(receiver.phone),
        "买家昵称": order.buyer and order.buyer.nick,
        "买家手机号": _phone_of(order.buyer),
        "订单退款状态": "全额退款成功" if order.refunded_total == amounts.paid else "",
        "订单已退款金额": order.refunded_total,
        "团长订单": "否",
        "订单风险标签": "——",
    }


_YOUZAN_GENDERS: Final = {Gender.FEMALE: "女", Gender.MALE: "男", Gender.OTHER: "其他"}


def youzan_customer(account: AccountFact) -> Iterator[Cells]:
    """One row a customer."""
    yield {
        "客户姓名": account.name,
        "客户昵称": account.nick,
        "客户手机号": _phone_of(account) or account.phone_masked,
        "客户生日": account.birthday,
        "客户性别": _YOUZAN_GENDERS[account.gender] if account.gender else "",
        "标签": ";".join(account.tags),
        "是否会员": "是" if account.joined_at else "否",
        "成为客户时间": account.joined_at,
        "成为会员时间": account.joined_at,
        "所属区域": account.province,
    }


# --------------------------------------------------------------------------- Shopify and WooCommerce


def shopify_customer(account: AccountFact) -> Iterator[Cells]:
    """One row a customer."""
    first, _, last = (account.name or "").partition(" ")
    phone = _key(account, IdentifierKind.PHONE)
    consents = {consent.channel: "yes" if consent.granted else "no" for consent in account.consents}
    yield {
        "Customer ID": f"'{account.external_id}" if account.external_id else "",
        "First Name": first,
        "Last Name": last,
        "Email": _key(account, IdentifierKind.EMAIL),
        "Accepts Email Marketing": consents.get("email"),
        "Default Address City": account.city,
        "Default Address Country Code": "CN",
        "Phone": f"'{phone}" if phone else "",
        "Accepts SMS Marketing": consents.get("sms"),
        "Tags": ", ".join(account.tags),
    }


def _shopify_time(moment: datetime | None) -> str | None:
    return moment.strftime("%Y-%m-%d %H:%M:%S %z") if moment else None


def shopify_order(order: OrderFact) -> Iterator[Cells]:
    """Cells of the order on its first row only."""
    amounts, refunded = order.amounts, order.refunded_total or ZERO
    is_shipped = order.status in (OrderStatus.SHIPPED, OrderStatus.RECEIVED, OrderStatus.COMPLETED)
    financial = "partially_refunded" if refunded else "paid"
    phone = _key(order.buyer, IdentifierKind.PHONE)
    of_order: Cells = {
        "Financial Status": ("refunded" if refunded == amounts.paid else financial)
        if order.paid_at
        else "pending",
        "Paid at": _shopify_time(order.paid_at),
        "Fulfillment Status": "fulfilled" if is_shipped else "unfulfilled",
        "Fulfilled at": _shopify_time(order.shipped_at),
        "Currency": "CNY",
        "Subtotal": amounts.net,
        "Shipping": amounts.postage,
        "Taxes": ZERO,
        "Total": amounts.paid,
        "Discount Code": order.discounts[0].label if order.discounts else "",
        "Discount Amount": amounts.discount,
        "Cancelled at": _shopify_time(order.placed_at) if order.status is OrderStatus.CANCELLED else "",
        "Payment Method": _means(order),
        "Refunded Amount": order.refunded_total,
        "Id": order.number,
        "Phone": f"'{phone}" if phone else "",
    }
    for place, line in enumerate(order.lines):
        of_line: Cells = {
            "Name": f"#{order.number}",
            "Email": _key(order.buyer, IdentifierKind.EMAIL),
            "Created at": _shopify_time(order.placed_at),
            "Lineitem quantity": line.quantity,
            "Lineitem name": line.name,
            "Lineitem price": line.price,
            "Lineitem sku": line.product,
            "Lineitem discount": line.discount,
        }
        yield of_line if place else {**of_order, **of_line}


def woocommerce_customer(account: AccountFact) -> Iterator[Cells]:
    """One row a customer."""
    yield {
        "Name": account.name,
        "Username": account.external_id,
        "Sign Up": account.joined_at,
        "Email": _key(account, IdentifierKind.EMAIL),
        "Orders": 0,
        "Total Spend": ZERO,
        "AOV": ZERO,
        "Country / Region": "CN",
        "City": account.city,
        "Region": account.province,
        "Billing Phone": _phone_of(account),
    }
