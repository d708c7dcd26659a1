"""WooCommerce: the customer report of WooCommerce Analytics. WooCommerce itself exports no orders."""

from typing import Final

from django.utils.translation import gettext_lazy as _

from members.facts import AccountFact, IdentifierFact, IdentifierKind
from members.formats import columns
from members.formats.format import Format
from members.formats.rows import Row

# The labels are translated with the language of the site, and translations change between versions.
_CHINESE: Final = {
    "Name": "姓名|名称|名字",
    "Username": "用户名|用户名称",
    "Last Active": "上次活跃|最后活跃|最近活跃|上次活动时间",
    "Sign Up": "注册|注册时间|注册日期",
    "Email": "邮箱|电子邮件|电子邮箱|邮件|邮箱地址",
    "Orders": "订单|订单数",
    "Total Spend": "总支出|总消费|总花费|消费总额",
    "AOV": "平均订单价值|平均订单金额|平均订单额|客单价",
    "Country / Region": "国家/地区|国家 / 地区|国家／地区",
    "City": "城市|市",
    "Region": "地区|省份|省/州",
    "Postal Code": "邮政编码|邮编",
    "Billing Phone": "账单电话|帐单电话|账单手机号",
    "Shipping Phone": "配送电话|收货电话|送货电话",
    "Role": "角色|用户角色",
}
# WooCommerce numbers the provinces of China by their names in Latin letters, with a few exceptions.
PROVINCES: Final = {
    f"CN{number}": name
    for number, name in enumerate(
        (
            *("云南", "北京", "天津", "河北", "山西", "内蒙古", "辽宁", "吉林", "黑龙江", "上海", "江苏"),
            *("浙江", "安徽", "福建", "江西", "山东", "河南", "湖北", "湖南", "广东", "广西", "海南"),
            *("重庆", "四川", "贵州", "陕西", "甘肃", "青海", "宁夏", "澳门", "西藏", "新疆"),
        ),
        start=1,
    )
}


def read_customer(row: Row) -> AccountFact:
    """One row, one customer: by user name, e-mail and billing phone; guests have no user name."""
    username = row.code("Username")
    region = (row.text("Country / Region") or "CN").upper()
    phone = row.spare_phone("Billing Phone", region if len(region) == 2 else "CN")
    email = row.spare_email("Email")
    if not (username or phone or email):
        remark = row.remarks[0] if row.remarks else None
        raise row.unclean(remark.code if remark else "buyer_missing", remark.column if remark else "Email")
    keys = ((IdentifierKind.PHONE, phone), (IdentifierKind.EMAIL, email))
    province = row.region("Region")
    return AccountFact(
        external_id=username,
        identifiers=tuple(IdentifierFact(kind=kind, value=value) for kind, value in keys if value),
        name=row.text("Name"),
        province=PROVINCES.get(province, province) if province else None,
        city=row.region("City"),
        joined_at=row.time("Sign Up"),
    )


CUSTOMERS: Final = Format(
    name="woocommerce-customers",
    platforms=("woocommerce",),
    kind="accounts",
    label=_("WooCommerce customers"),
    key="Email",
    required=("Name", "Username", "Sign Up", "Email", "Total Spend"),
    known=frozenset(columns.WOOCOMMERCE_CUSTOMERS),
    build=read_customer,
    synonyms={label: name for name, labels in _CHINESE.items() for label in labels.split("|")},
)
