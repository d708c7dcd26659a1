"""WeChat: who has tapped the button of a mini program, and their phone (A2, A8).

Two codes come from the mini program, each good for five minutes and one use. `login_code` gives the openid,
and the unionid where the mini program is bound to an open-platform account; `phone_code` gives the phone that
WeChat has verified. The openid goes along with the second, so that the two codes are of one person.

Asked at the credential `address`, else at api.weixin.qq.com. Redirects are not followed, the session key is
not kept, and nothing is logged: addresses and bodies hold secrets and phones.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx
from django.utils import timezone

from members import credentials
from members.cleaning import Unclean, clean_phone
from members.errors import (
    PhoneInvalid,
    WechatAway,
    WechatBlocked,
    WechatBusy,
    WechatCodeInvalid,
    WechatRefused,
)
from members.facts import IdentifierFact, IdentifierKind
from members.models import Channel, PlatformToken

ADDRESS = "https://api.weixin.qq.com"
TIMEOUT = httpx.Timeout(5.0, connect=3.0)
EARLY = 300  # seconds before its end from which a token is not used any more
BUSY_SECONDS = 60  # codes of one user are counted by the minute

OK, SYSTEM_BUSY = 0, -1
TOKEN_ENDED = frozenset({40001, 40014, 42001})
CODE_INVALID = frozenset({40029, 40163})  # unknown or run out; used
TOO_OFTEN = frozenset({45009, 45011})
BLOCKED = 40226


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Whom WeChat vouches for. phone: E.164. unionid: told for some mini programs and users only."""

    openid: str
    unionid: str | None
    phone: str

    @property
    def identifiers(self) -> tuple[IdentifierFact, ...]:
        """As keys to recognise them by."""
        found = [
            IdentifierFact(kind=IdentifierKind.OPENID, value=self.openid),
            IdentifierFact(kind=IdentifierKind.PHONE, value=self.phone, verified=True),
        ]
        if self.unionid:
            found.append(IdentifierFact(kind=IdentifierKind.UNIONID, value=self.unionid))
        return tuple(found)


def identify(channel: Channel, *, login_code: str, phone_code: str) -> Person:
    """Who has tapped. Call it outside of a transaction, as it waits for another machine.

    Raises WechatCodeInvalid, WechatBlocked, WechatBusy, WechatRefused, WechatAway, CredentialMissing, and
    PhoneInvalid for a number that can be none.
    """
    known = credentials.of(channel, "app_id", "app_secret")
    with httpx.Client(
        base_url=known.get("address") or ADDRESS, timeout=TIMEOUT, follow_redirects=False
    ) as client:
        wechat = _Wechat(client, channel, known["app_id"], known["app_secret"])
        session = wechat.session(login_code)
        info = wechat.phone(phone_code, openid=session["openid"])
    return Person(openid=session["openid"], unionid=session.get("unionid") or None, phone=_phone(info))


@dataclass(frozen=True, slots=True)
class _Wechat:
    """One conversation with WeChat for one channel."""

    client: httpx.Client
    channel: Channel
    app_id: str
    secret: str

    def session(self, code: str) -> dict[str, Any]:
        """code2Session: `openid` and perhaps `unionid`. The session key is left where it is."""
        asked = {
            "appid": self.app_id,
            "secret": self.secret,
            "js_code": code,
            "grant_type": "authorization_code",
        }
        told = self._ask("GET", "/sns/jscode2session", params=asked)
        _check(told)
        if not isinstance(told.get("openid"), str) or not told["openid"]:
            raise WechatAway
        return told

    def phone(self, code: str, *, openid: str) -> dict[str, Any]:
        """getuserphonenumber: `purePhoneNumber` and `countryCode`, of our own app only."""
        told: dict[str, Any] = {}
        for token in (self._token(), None):
            told = self._ask(
                "POST",
                "/wxa/business/getuserphonenumber",
                params={"access_token": token or self._fresh_token()},
                json={"code": code, "openid": openid},
            )
            if told.get("errcode") not in TOKEN_ENDED:
                break
        _check(told)
        info = told.get("phone_info")
        if not isinstance(info, dict):
            raise WechatAway
        if (info.get("watermark") or {}).get("appid") != self.app_id:
            raise WechatRefused(errcode="watermark")
        return info

    def _token(self) -> str:
        """The access token that is kept, or a fresh one where there is none or it ends soon."""
        kept = PlatformToken.objects.filter(channel=self.channel, expires_at__gt=timezone.now()).first()
        return kept.value if kept and kept.value else self._fresh_token()

    def _fresh_token(self) -> str:
        """A token from WeChat, kept until shortly before its end.

        It is asked for as a stable one, which does not end those that other processes still use, and in
        a body: the secret stands in no address.
        """
        asked = {"grant_type": "client_credential", "appid": self.app_id, "secret": self.secret}
        told = self._ask("POST", "/cgi-bin/stable_token", json=asked)
        _check(told)
        token, lives = told.get("access_token"), told.get("expires_in")
        if not isinstance(token, str) or not isinstance(lives, int):
            raise WechatAway
        PlatformToken.objects.update_or_create(
            channel=self.channel,
            defaults={
                "value": token,
                "expires_at": timezone.now() + timedelta(seconds=max(0, lives - EARLY)),
            },
        )
        return token

    def _ask(self, method: str, path: str, **what: Any) -> dict[str, Any]:
        try:
            answer = self.client.request(method, path, **what)
            told = answer.json() if answer.is_success else None
        except (httpx.HTTPError, ValueError):
            # Not `from`: the failure holds the request, and the request holds the secret.
            raise WechatAway from None
        if not isinstance(told, dict):
            raise WechatAway
        return told


def _check(told: dict[str, Any]) -> None:
    """Raise what an errcode stands for; success has 0 or none."""
    errcode = told.get("errcode", OK)
    if errcode == OK:
        return
    if errcode in CODE_INVALID:
        raise WechatCodeInvalid
    if errcode in TOO_OFTEN:
        raise WechatBusy(seconds=BUSY_SECONDS)
    if errcode == BLOCKED:
        raise WechatBlocked
    if errcode == SYSTEM_BUSY:
        raise WechatAway
    raise WechatRefused(errcode=errcode)


def _phone(info: dict[str, Any]) -> str:
    """The phone in E.164. `countryCode` is a number in the documentation and a text in life."""
    pure = str(info.get("purePhoneNumber") or "").strip()
    country = str(info.get("countryCode") or "").strip().lstrip("+")
    try:
        number = clean_phone(f"+{country}{pure}" if country else str(info.get("phoneNumber") or pure))
    except Unclean as unclean:
        raise PhoneInvalid from unclean
    if number is None:
        raise PhoneInvalid
    return number
