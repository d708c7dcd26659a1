"""Targets: the fields that a column of any table can be mapped to, and the headers they often have."""

from dataclasses import dataclass
from typing import Final, Literal

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

MappedKind = Literal["accounts", "orders"]


@dataclass(frozen=True, slots=True)
class Target:
    """A field of a fact. `aliases` are headers by which a column is guessed, parted by `|`."""

    label: str | Promise
    aliases: str
    needed: bool = False


_BUYER: Final[dict[str, Target]] = {
    "external_id": Target(
        _("Buyer id in the channel"),
        "会员编号|会员号|会员id|会员卡号|客户编号|客户id|用户id|买家id|customer id|customer|"
        "customer_id|user id",
    ),
    "phone": Target(
        _("Phone"), "手机号|手机|手机号码|电话|联系电话|联系手机|会员手机号|phone|mobile|tel|billing phone"
    ),
    "email": Target(
        _("E-mail"), "邮箱|电子邮箱|电子邮件|邮箱地址|email|e-mail|mail|email address|billing email"
    ),
    "unionid": Target(_("WeChat unionid"), "unionid|微信unionid"),
    "openid": Target(_("WeChat openid"), "openid|微信openid"),
    "name": Target(_("Name"), "姓名|名字|客户姓名|会员姓名|真实姓名|name|full name|customer name"),
}
TARGETS: Final[dict[MappedKind, dict[str, Target]]] = {
    "accounts": {
        **_BUYER,
        "nick": Target(_("Nickname"), "昵称|客户昵称|微信昵称|nick|nickname"),
        "gender": Target(_("Gender"), "性别|gender|sex"),
        "birthday": Target(_("Birthday"), "生日|出生日期|birthday|date of birth|dob|birth date"),
        "province": Target(_("Province"), "省|省份|所在省份|province|state|region"),
        "city": Target(_("City"), "市|城市|所在城市|city"),
        "occupation": Target(_("Occupation"), "职业|occupation|job"),
        "tags": Target(_("Tags"), "标签|会员标签|tags|labels"),
        "referred_by": Target(
            _("Referral code of who brought them"),
            "推荐码|邀请码|推荐人码|邀请人码|referred by|referral code|invite code|invitation code",
        ),
        "joined_at": Target(
            _("Joined at"),
            "入会时间|注册时间|成为会员时间|开卡时间|加入时间|joined at|created at|sign up|signup date",
        ),
    },
    "orders": {
        "number": Target(
            _("Order number"),
            "订单号|订单编号|单号|小票号|order|order no|order number|order id|invoice|invoiceno|invoice no",
            needed=True,
        ),
        **_BUYER,
        "status": Target(_("State of the order"), "订单状态|状态|order status|status"),
        "placed_at": Target(
            _("Placed at"),
            "下单时间|订单创建时间|创建时间|订单时间|交易时间|日期|时间|placed at|order date|"
            "created at|date|invoicedate|invoice date",
            needed=True,
        ),
        "paid_at": Target(_("Paid at"), "付款时间|支付时间|paid at|payment date"),
        "received_at": Target(_("Received at"), "收货时间|确认收货时间|received at|delivered at"),
        "goods": Target(_("Goods before discounts"), "商品金额|商品总价|商品金额合计|goods|subtotal"),
        "discount": Target(_("Discount"), "优惠|优惠金额|折扣金额|discount|discount amount"),
        "postage": Target(_("Postage"), "运费|邮费|运费金额|postage|shipping"),
        "paid": Target(
            _("Paid in all"),
            "实付金额|实付|支付金额|付款金额|订单金额|金额|消费金额|paid|total|amount|order total",
        ),
        "refunded": Target(_("Refunded in all"), "退款金额|已退款金额|refunded|refunded amount|refund"),
        "means": Target(_("Means of payment"), "支付方式|付款方式|payment method"),
        "store": Target(_("Store code"), "门店编码|门店代码|门店编号|store|store code"),
        "product": Target(
            _("Product code"),
            "商品编码|商品id|货号|商家编码|条码|sku|product code|stockcode|product id",
        ),
        "product_name": Target(
            _("Product name"),
            "商品名称|商品|品名|product|product name|item|description",
        ),
        "category": Target(_("Category"), "类目|商品类目|分类|品类|category"),
        "quantity": Target(_("Quantity"), "数量|商品数量|购买数量|quantity|qty"),
        "price": Target(_("Unit price"), "单价|商品单价|价格|unit price|unitprice|price"),
    },
}
