"""The registry of channels and stores (A1)."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from members import channels
from members.errors import ChannelTaken, ChannelUnknown, PlatformUnknown, StoreUnknown
from members.models import Channel, Store

pytestmark = pytest.mark.django_db


def test_it_works():
    channel = channels.make("tmall", "tmall", name="Flagship")
    assert (channel.name, channel.brand, channel.vouches_for) == ("Flagship", "main", [])
    assert channels.get("tmall") == channels.make("tmall", "tmall") == channel


@pytest.mark.parametrize(
    ("platform", "phones"), [("wechat", True), ("web", True), ("app", True), ("pos", False)]
)
def test_who_vouches_for_phones(platform: str, phones: bool):
    assert channels.make("c", platform).vouches_for == (["phone"] if phones else [])
    assert channels.make("d", platform, vouches_for=["email"]).vouches_for == ["email"]


def test_a_code_stands_for_one_platform_and_brand():
    channels.make("shop", "tmall")
    for platform, brand in (("jd", "main"), ("tmall", "other")):
        with pytest.raises(ChannelTaken):
            channels.make("shop", platform, brand=brand)
    with pytest.raises(PlatformUnknown):
        channels.make("new", "ebay")
    assert Channel.objects.get().platform == "tmall"


def test_what_is_not_there_is_named():
    with pytest.raises(ChannelUnknown, match="nowhere"):
        channels.get("nowhere")
    channel = channels.make("jingan", "pos")
    with pytest.raises(StoreUnknown, match="annex"):
        channels.get_store(channel, "annex")
    store = channels.make_store(channel, "annex", name="Annex")
    assert channels.get_store(channel, "annex") == channels.make_store(channel, "annex") == store


def test_the_command_makes_a_channel_and_a_first_store():
    for _ in range(2):
        call_command("make_channel", "jingan", "--platform", "pos", "--name", "Jing'an", stdout=StringIO())
    assert Store.objects.get().code == "jingan"
    call_command("make_channel", "shop", "--platform", "tmall", "--vouches-for", "phone", stdout=StringIO())
    assert channels.get("shop").vouches_for == ["phone"]
    assert Store.objects.count() == 1


def test_the_command_says_what_is_wrong():
    call_command("make_channel", "shop", "--platform", "tmall", stdout=StringIO())
    with pytest.raises(CommandError, match="shop"):
        call_command("make_channel", "shop", "--platform", "jd", stdout=StringIO())
