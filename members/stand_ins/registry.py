"""Which stand-ins there are, by the platform."""

from typing import Final

from members.stand_ins import douyin, shopify, tmall, woocommerce, youzan
from members.stand_ins.parcel import StandIn

STAND_INS: Final[dict[str, StandIn]] = {
    one.platform: one
    for one in (
        shopify.STAND_IN,
        woocommerce.STAND_IN,
        youzan.STAND_IN,
        douyin.STAND_IN,
        tmall.STAND_IN,
    )
}
