"""Credentials: what a channel's platform gave us so that either side believes the other (A1).

They are sealed where they lie, and nobody is shown one: a page tells which there are and since when.
"""

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from members import phone_hashes
from members.errors import CredentialMissing, CredentialUnknown
from members.models import Channel, Credential, Platform

# By platform, the words its own documentation uses. `address` is where its API is asked, and is set only
# where that is not the platform itself: a stand-in on this machine, or a gateway of the brand's own.
# `group_name` is the group of the app's queue that is emptied here, `default` the default one; without it
# the queue is left to another client.
_TOP = ("app_key", "app_secret", "session", "seller_name", "mix_key", "address", "group_name")
NAMES: Mapping[str, tuple[str, ...]] = {
    Platform.SHOPIFY: ("secret",),
    Platform.WOOCOMMERCE: ("secret",),
    Platform.YOUZAN: ("client_id", "client_secret"),
    Platform.DOUYIN: ("app_id", "app_secret"),
    Platform.TMALL: _TOP,
    Platform.TAOBAO: _TOP,
    Platform.WECHAT: ("app_id", "app_secret", "address"),
}


@transaction.atomic
def keep(channel: Channel, values: Mapping[str, str]) -> None:
    """Keep credentials of a channel; an empty value takes one away. Raises CredentialUnknown."""
    for name, value in values.items():
        if name not in NAMES.get(channel.platform, ()):
            raise CredentialUnknown(name=name, platform=channel.platform)
        if value:
            Credential.objects.update_or_create(
                channel=channel, name=name, defaults={"value": value, "changed_at": timezone.now()}
            )
            if name == "mix_key":
                phone_hashes.ask_to_hash(channel.brand)
        else:
            Credential.objects.filter(channel=channel, name=name).delete()


def of(channel: Channel, *needed: str) -> dict[str, str]:
    """All credentials of a channel, in clear, by name. Raises CredentialMissing for the first needed one."""
    found = {each.name: each.value or "" for each in Credential.objects.filter(channel=channel)}
    for name in needed:
        if name not in found:
            raise CredentialMissing(name=name, channel=channel.code)
    return found


def kept(channel: Channel) -> dict[str, datetime]:
    """Which credentials a channel has, and since when; the secrets stay where they are."""
    return dict(Credential.objects.filter(channel=channel).values_list("name", "changed_at"))
