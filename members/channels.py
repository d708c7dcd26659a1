"""Channels and stores: the registry of where we meet people (A1)."""

import re
from collections.abc import Sequence

from members.errors import ChannelCodeInvalid, ChannelTaken, ChannelUnknown, PlatformUnknown, StoreUnknown
from members.models import Channel, Platform, Store

# Platforms that have checked the phone themselves before they tell it (docs/api.md).
VOUCHING = frozenset({Platform.WECHAT, Platform.WEB, Platform.APP})
_CODE = re.compile(r"[A-Za-z0-9_-]{1,50}")  # stands in addresses, and in names of files


def get(code: str) -> Channel:
    """The channel with this code. Raises ChannelUnknown."""
    try:
        return Channel.objects.get(code=code)
    except Channel.DoesNotExist:
        raise ChannelUnknown(channel=code) from None


def get_store(channel: Channel, code: str) -> Store:
    """A store of the channel. Raises StoreUnknown."""
    try:
        return channel.stores.get(code=code)
    except Store.DoesNotExist:
        raise StoreUnknown(channel=channel.code, store=code) from None


def make(
    code: str,
    platform: str,
    *,
    name: str = "",
    brand: str = "main",
    vouches_for: Sequence[str] | None = None,
) -> Channel:
    """Make a channel; made again, it is the same one, unchanged.

    `vouches_for` are the kinds of identifier that the channel has verified; None takes the
    platform's habit. Raises PlatformUnknown, ChannelCodeInvalid, and ChannelTaken when the code stands
    for another platform or brand: its buyers' ids would then mean other people.
    """
    if platform not in Platform.values:
        raise PlatformUnknown(platform=platform)
    if not _CODE.fullmatch(code):
        raise ChannelCodeInvalid
    if vouches_for is None:
        vouches_for = ["phone"] if platform in VOUCHING else []
    channel, _ = Channel.objects.get_or_create(
        code=code,
        defaults={
            "platform": platform,
            "name": name or code,
            "brand": brand,
            "vouches_for": list(vouches_for),
        },
    )
    if (channel.platform, channel.brand) != (platform, brand):
        raise ChannelTaken(channel=code)
    return channel


def make_store(channel: Channel, code: str, *, name: str = "", province: str = "", city: str = "") -> Store:
    """Make a store of a channel; made again, it is the same one, unchanged."""
    store, _ = Store.objects.get_or_create(
        channel=channel, code=code, defaults={"name": name or code, "province": province, "city": city}
    )
    return store
