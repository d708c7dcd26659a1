"""The shop of the demo: its channels and stores, its programme, the texts members see, and its staff."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from django.conf import settings
from django.contrib.auth.models import User
from django.utils.translation import gettext as _

import loyalty
from loyalty import publishing
from members import channels
from members.models import Channel, Platform
from privacy import notices, roles
from privacy.models import StaffProfile

PROGRAMME: Final = Path(loyalty.__file__).parent / "programmes" / "demo.yaml"

# Code, platform, name, and which identifiers the channel has checked itself.
_CHANNELS: Final = (
    ("tmall", Platform.TMALL, "天猫旗舰店"),
    ("jd", Platform.JD, "京东旗舰店"),
    ("pinduoduo", Platform.PINDUODUO, "拼多多专营店"),
    ("douyin", Platform.DOUYIN, "抖音小店"),
    ("youzan", Platform.YOUZAN, "有赞商城"),
    ("wechat", Platform.WECHAT, "微信小程序"),
    ("jingan", Platform.POS, "上海门店"),
    ("shopify", Platform.SHOPIFY, "English shop"),
)
STORES: Final = (("jingan", "静安店"), ("xuhui", "徐汇店"))
HOME_STORE: Final = "jingan/jingan"


@dataclass(frozen=True, slots=True)
class SignIn:
    """A member of staff of the demo. Passwords are known to all: the demo holds nobody's data."""

    name: str
    role: str
    password: str
    store: str = ""


SIGN_INS: Final = tuple(
    SignIn(role, role, f"demo-{role}", HOME_STORE if role == StaffProfile.Role.CLERK else "")
    for role in StaffProfile.Role.values
)


def open_channels() -> None:
    """Make the channels and stores; those that are there stay as they are. Raises ChannelTaken."""
    for code, platform, name in _CHANNELS:
        channels.make(code, platform, name=name)
    till = channels.get("jingan")
    for code, name in STORES:
        channels.make_store(till, code, name=name, province="上海", city="上海")


def till() -> Channel:
    """The channel of the stores."""
    return channels.get("jingan")


def publish_rules() -> None:
    """Publish the programme and the notices; what is published already is not published again."""
    if not publishing.is_published():
        publishing.load(PROGRAMME.read_bytes())
    notices.publish_defaults()


def employ() -> dict[str, User]:
    """Make one member of staff for each role; answers them all by role, those who were there included."""
    known = {user.get_username(): user for user in User.objects.all()}
    return {
        each.role: known.get(each.name)
        or roles.make_staff(each.name, each.role, store=each.store, password=each.password)[0]
        for each in SIGN_INS
    }


def write_sign_ins() -> Path:
    """Write down how to sign in, for `serve` to print; readable by us alone."""
    width = max(len(each.name) for each in SIGN_INS)
    lines = [f"  {each.name:<{width}}  {each.password}" for each in SIGN_INS]
    path = Path(settings.VAR) / "sign-ins.txt"
    path.touch(mode=0o600)
    heading = _("Sign in with a name and a password of the demo:")
    path.write_text("\n".join([heading, *lines, ""]), encoding="utf-8")
    return path
