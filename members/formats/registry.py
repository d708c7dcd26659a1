"""Which formats there are, and which of them a header belongs to."""

from collections.abc import Sequence
from typing import Final

from members.formats import douyin, jd, mapped, pinduoduo, shopify, tmall, woocommerce, youzan
from members.formats.errors import FormatUnknown
from members.formats.format import Format

FORMATS: Final[dict[str, Format]] = {
    format.name: format
    for format in (
        tmall.ORDERS,
        tmall.ORDER_LINES,
        jd.ORDERS,
        jd.SETTLEMENT,
        pinduoduo.ORDERS,
        douyin.ORDERS,
        douyin.AFTERSALES,
        youzan.CUSTOMERS,
        youzan.ORDERS,
        shopify.CUSTOMERS,
        shopify.ORDERS,
        woocommerce.CUSTOMERS,
        mapped.MAPPED,
    )
}
_RECOGNISABLE: Final = tuple(format for format in FORMATS.values() if format.required)


def recognise(headers: Sequence[str]) -> Format | None:
    """The format whose needed columns are all there and which knows most of the others."""
    fitting = [format for format in _RECOGNISABLE if not format.missing(headers)]
    return max(fitting, key=lambda format: (format.likeness(headers), len(format.required)), default=None)


def choose(headers: Sequence[str], name: str | None = None) -> Format:
    """The format called `name`, else the one recognised.

    Raises FormatUnknown with the nearest format and the columns it misses.
    """
    if name is None:
        found = recognise(headers)
        if found is not None:
            return found
        nearest = max(
            _RECOGNISABLE,
            key=lambda format: (
                1 - len(format.missing(headers)) / len(format.required),
                format.likeness(headers),
            ),
        )
    else:
        nearest = FORMATS[name]
        if not nearest.missing(headers):
            return nearest
    raise FormatUnknown(nearest=nearest.name, missing=", ".join(nearest.missing(headers)))
