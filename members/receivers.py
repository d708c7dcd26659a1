"""Who takes what platforms tell and ask: operations named in `settings.PLATFORM_RECEIVERS`."""

from collections.abc import Callable, Sequence
from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string

from members.models import Channel


def named(kind: str) -> Callable[..., Any]:
    """The operation that receives this kind."""
    receive: Callable[..., Any] = import_string(settings.PLATFORM_RECEIVERS[kind])
    return receive


def hand_over(kind: str, channel: Channel, facts: Sequence[Any]) -> Any:
    """Hand facts to their receiver; its first receipt. Raises what the receipt holds as its error."""
    receipt = named(kind)(channel, facts)[0]
    if receipt.error is not None:
        raise receipt.error
    return receipt
