"""Which connectors there are, by the platform of a channel."""

from collections.abc import Sequence
from typing import Final

from members.connectors import douyin, shopify, tmall, woocommerce, youzan
from members.connectors.connector import Call, Connector

CONNECTORS: Final[Sequence[Connector]] = (
    shopify.CONNECTOR,
    woocommerce.CONNECTOR,
    youzan.CONNECTOR,
    douyin.CONNECTOR,
    tmall.CONNECTOR,
)
_OF: Final = {platform: connector for connector in CONNECTORS for platform in connector.platforms}


def of(platform: str) -> Connector | None:
    """The connector of a platform, or None: it sends nothing to us."""
    return _OF.get(platform)


def is_greeting(call: Call) -> bool:
    """Whether it is some platform's unsigned knock, which is answered alike whoever is knocked at."""
    return any(connector.is_greeting(call) for connector in CONNECTORS)
