"""Columns: the headers of the platforms' files, letter by letter and in their order.

Reading goes by name and never by position; the order is for files that we write in their form.
Names keep the spaces that some platforms put after them.
"""

from typing import Final


def _names(text: str) -> tuple[str, ...]:
    return tuple(text.split("|"))


TMALL_ORDERS: Final = _names(
    "订单编号|买家会员名|买家支付宝账号|买家应付货款|买家应付邮费|买家支付积分|总金额|返点积分|"
    "买家实际支付金额|买家实际支付积分|订单状态|买家留言|收货人姓名|收货地址 |运送方式|联系电话 |"
    "联系手机|订单创建时间|订单付款时间 |宝贝标题 |宝贝种类 |物流单号 |物流公司|订单备注|宝贝总数量|"
    "店铺Id|店铺名称|订单关闭原因|卖家服务费|买家服务费|发票抬头|是否手机订单|分阶段订单信息|"
    "特权订金订单id|是否上传合同照片|是否上传小票|是否代付|定金排名|修改后的sku|修改后的收货地址|"
    "异常信息|天猫卡券抵扣|集分宝抵扣|是否是O2O交易|新零售交易类型|新零售导购门店名称|新零售导购门店id|"
    "新零售发货门店名称|新零售发货门店id|退款金额|预约门店|确认收货时间|打款商家金额|"
    "含应开票给个人的个人红包"
)
TMALL_ORDERS_LATER: Final = _names(
    "支付单号|支付详情|是否信用购|体验期结束时间|前N有礼|配送类型|主订单编号|直播返现状态|返现金额|"
    "延迟发货自动赔付金额|预售订单|发货时间|商家备忘"
)
TMALL_ORDER_LINES: Final = _names(
    "订单编号|标题|价格|购买数量|外部系统编号|商品属性|套餐信息|备注|订单状态|商家编码"
)
JD_ORDERS: Final = _names(
    "订单号|商品ID|商品名称|订购数量|支付方式|下单时间|京东价|订单金额|结算金额|余额支付|应付金额|"
    "订单状态|订单类型|下单帐号|客户姓名|客户地址|联系电话|订单备注|发票类型|发票抬头|发票内容|"
    "商家备注|商家备注等级（等级1-5为由高到低）|运费金额|付款确认时间|增值税发票|货号|订单完成时间|"
    "订单来源|订单渠道"
)
JD_SETTLEMENT: Final = _names(
    "订单编号|父单号|订单状态|订单下单时间|订单完成时间|售后服务单号|售后退款时间|商品编号|商品名称|"
    "商品数量|扣点类型|佣金比例|费用名称|应结金额|币种|收支方向|结算状态|预计结算时间|账单生成时间|"
    "到账时间|商户订单号|资金动账备注"
)
PINDUODUO_ORDERS: Final = _names(
    "订单成交时间|商品|订单号|订单状态|商品总价(元)|邮费(元)|店铺优惠折扣(元)|平台优惠折扣(元)|"
    "多多支付立减金额(元)|用户实付金额(元)|商家实收金额(元)|商品数量(件)|发货时间|确认收货时间|商品id|"
    "商品规格|样式ID|商家编码-规格维度|商家编码-商品维度|商家备注|售后状态|快递单号|快递公司"
)
PINDUODUO_ORDERS_WIDE: Final = _names(
    "上门安装费(元)|送货入户费(元)|送货入户并安装费(元)|是否审核中|支付时间|承诺发货时间|承诺送达时间|"
    "商品一级类目|商品二级类目|商品三级类目|商品四级类目|买家留言|消费者资料|消费者资料上传时间|"
    "赠品名称|赠品id|赠品规格|赠品数量|团ID|团身份|省|市|区|街道/镇|是否抽奖或0元试用|是否顺丰加价|"
    "用户购买手机号|支付ID|支付方式|是否分期|分期期数|订单来源"
)
DOUYIN_ORDERS: Final = _names(
    "主订单编号|子订单编号|选购商品|商品规格|商品数量|商品ID|商家编码|商品单价|订单应付金额|运费|"
    "优惠总金额|平台优惠|商家优惠|达人优惠|商家改价|支付优惠|红包抵扣|支付方式|手续费|收件人|"
    "收件人手机号|省|市|区|街道|详细地址|是否修改过地址|地址修改时段|买家留言|订单提交时间|旗帜颜色|"
    "商家备注|订单完成时间|支付完成时间|APP渠道|流量来源|订单状态|承诺发货时间|订单类型|鲁班落地页ID|"
    "达人ID|达人昵称|所属门店ID|售后状态|取消原因|预约发货时间|仓库ID|仓库名称|序列号|是否安心购|"
    "广告渠道|流量类型|流量体裁|流量渠道|发货主体|发货主体明细|发货时间|降价类优惠|"
    "平台实际承担优惠金额|商家实际承担优惠金额|达人实际承担优惠金额|预计送达时间|是否平台仓自流转|车型|"
    "商品69码|发货SN码|发货IMEI码1|发货IMEI码2|预约送达时间|建议发货时间（起）|建议发货时间（止）|"
    "物流SN码|物流IMEI码1|物流IMEI码2"
)
DOUYIN_ORDERS_BY_ORDER: Final = _names(
    "货号|商品金额|是否是以旧换新|换新额外补贴|换新额外补贴发放状态|快递信息|拼团订单团编号|"
    "商品单价是否含税|税费|教育优惠|是否是渠道商品"
)
DOUYIN_AFTERSALES: Final = _names(
    "售后单号|订单号|商品单号|商品名称|商品ID|应付金额（元）|商品运费（元）|支付优惠（元）|"
    "商品税费（元）|商品发货状态|售后类型|退商品金额（元）|退运费金额（元）|退支付优惠（元）|"
    "退税费金额（元）|售后状态|售后申请时间|退款方式|是否已上传退款凭证|售后原因|售后原因标签|"
    "退货物流单号|退货异常|退货发货时间|退货物流公司|自动处理截止时间|同意售后申请时间|商家退款时间|"
    "用户到账时间|售后关闭时间|商家退货地址|商家退货联系人姓名|商家退货联系人电话|仲裁状态|纠纷责任方|"
    "是否极速退款|是否拒签后退款|发货物流单号|发货物流状态|换货物流单号|退货物流状态|售后完结时间|"
    "订单备注|用户售后说明|售后备注|操作人|协商记录|换货商品信息|商家编码|门店名称"
)
YOUZAN_ORDERS: Final = _names(
    "订单号|销售渠道|归属店铺|订单类型|订单状态|推广方式|订单来源|订单创建时间|买家付款时间|"
    "交易成功时间|付款方式|支付流水号|商品金额合计|运费|店铺优惠合计|应收订单金额|订单实付金额|"
    "支付优惠合计|订单实收金额|订单抵用积分数|店铺优惠方式|支付优惠方式|全部商品名称|商品种类数|"
    "订单配送方式|同城送达时间/提货时间|收货人省份|收货人城市|收货人地区|详细收货地址/提货地址|"
    "收货人/提货人|收货人手机号/提货人手机号|买家备注|订单星级|买家昵称|买家是否会员|买家手机号|"
    "下单网点|收银员|分销员|销售导购|专属导购|订单退款状态|订单已退款金额|商家订单备注|桌号|挂账主体|"
    "挂账手机号|团长订单|订单风险标签|分销员|分销员手机号|分销员所属店铺|分销员所属团队|分销员所属分组|"
    "分销员等级|订单佣金类型|订单佣金金额|订单下级卖货提成类型|订单下级卖货提成金额"
)
YOUZAN_CUSTOMERS: Final = _names(
    "客户姓名|客户昵称|客户手机号|客户生日|客户性别|标签|是否会员|成长值|免费等级|付费等级|权益卡|"
    "客户积分|客户储值余额|消费次数|消费金额|累计退款金额|累计退款订单数|笔单价|上次消费时间|分销员|"
    "导购员|企微好友|来源渠道|来源方式|成为客户时间|成为会员时间|成为会员店铺|公众号|公众号关注时间|"
    "最近浏览时间|微信地域|所属区域|指定时间消费次数|指定时间消费金额|"
)
SHOPIFY_ORDERS: Final = _names(
    "Name|Email|Financial Status|Paid at|Fulfillment Status|Fulfilled at|Accepts Marketing|Currency|"
    "Subtotal|Shipping|Taxes|Total|Discount Code|Discount Amount|Shipping Method|Created at|"
    "Lineitem quantity|Lineitem name|Lineitem price|Lineitem compare at price|Lineitem sku|"
    "Lineitem requires shipping|Lineitem taxable|Lineitem fulfillment status|Billing Name|"
    "Billing Street|Billing Address1|Billing Address2|Billing Company|Billing City|Billing Zip|"
    "Billing Province|Billing Country|Billing Phone|Shipping Name|Shipping Street|Shipping Address1|"
    "Shipping Address2|Shipping Company|Shipping City|Shipping Zip|Shipping Province|Shipping Country|"
    "Shipping Phone|Notes|Note Attributes|Cancelled at|Payment Method|Payment Reference|"
    "Refunded Amount|Vendor|Outstanding Balance|Employee|Location|Device ID|Id|Tags|Risk Level|Source|"
    "Lineitem discount|Tax 1 Name|Tax 1 Value|Tax 2 Name|Tax 2 Value|Tax 3 Name|Tax 3 Value|Tax 4 Name|"
    "Tax 4 Value|Tax 5 Name|Tax 5 Value|Phone|Receipt Number|Duties|Billing Province Name|"
    "Shipping Province Name|Payment ID|Payment Terms Name|Next Payment Due At|Payment References"
)
SHOPIFY_CUSTOMERS: Final = _names(
    "Customer ID|First Name|Last Name|Email|Accepts Email Marketing|Default Address Company|"
    "Default Address Address1|Default Address Address2|Default Address City|"
    "Default Address Province Code|Default Address Country Code|Default Address Zip|"
    "Default Address Phone|Phone|Accepts SMS Marketing|Total Spent|Total Orders|Note|Tax Exempt|Tags"
)
SHOPIFY_CUSTOMERS_OLDER: Final = _names(
    "Company|Address1|Address2|City|Province|Province Code|Country|Country Code|Zip"
)
WOOCOMMERCE_CUSTOMERS: Final = _names(
    "Name|Username|Last Active|Sign Up|Email|Orders|Total Spend|AOV|Country / Region|City|Region|"
    "Postal Code|Billing Phone|Shipping Phone|Role"
)
