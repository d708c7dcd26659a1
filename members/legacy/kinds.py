"""Kinds of files of a package: what they are called, which columns they have, and how a row is read. Pure.

A column is found by the name it usually has, or by the name that somebody said. A day on which something
ends counts whole: `2026-12-31` is until that day is over, `2026-12-31 12:00` until noon.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Final, NamedTuple

from members.cleaning import Unclean, clean_text
from members.formats.rows import Row

MEMBERS: Final = "members"
LOTS: Final = "lots"
BALANCES: Final = "balances"
# In the order in which they are brought: who somebody is, where they stand, what they have.
PLACES: Final = {
    MEMBERS: 0,
    "tiers": 1,
    LOTS: 2,
    BALANCES: 3,
    "growth": 4,
    "coupons": 5,
    "consents": 6,
    "referrals": 7,
}

_NAMES: Final = {
    MEMBERS: "members|member|会员|会员资料|会员档案",
    "tiers": "tiers|tier|等级|会员等级",
    LOTS: "lots|lot|积分批次",
    BALANCES: "balances|balance|积分余额|积分",
    "growth": "growth|成长值",
    "coupons": "coupons|coupon|优惠券|券",
    "consents": "consents|consent|同意|授权|同意记录|授权记录",
    "referrals": "referrals|referral|推荐|推荐关系|邀请关系",
}
_ID: Final = (
    "old id|old_id|external id|member id|id|旧会员号|旧会员编号|会员编号|会员号|会员id|会员卡号|客户编号|"
    "用户id|customer id|user id"
)
# By kind and field: the headers by which a column is found. Those of the members' file beside the usual.
ALIASES: Final[dict[str, dict[str, str]]] = {
    MEMBERS: {"external_id": _ID},
    "tiers": {
        "external_id": _ID,
        "tier": "tier|level|等级|会员等级|等级编码",
        "since": "since|from|等级开始时间|生效时间|定级时间",
        "until": "until|valid until|expires|等级到期时间|到期时间|有效期至",
    },
    LOTS: {
        "external_id": _ID,
        "points": "points|remaining|积分|剩余积分|可用积分",
        "earned_at": "earned at|earned|获得时间|积分时间|创建时间",
        "expires_at": "expires at|expires|valid until|到期时间|过期时间|失效时间|有效期至",
        "lot": "lot|lot id|批次号|流水号",
    },
    BALANCES: {
        "external_id": _ID,
        "points": "points|balance|积分|积分余额|可用积分",
        "earned_at": "earned at|as of|时间|截止时间",
        "expires_at": "expires at|expires|valid until|到期时间|过期时间|有效期至",
    },
    "growth": {
        "external_id": _ID,
        "growth": "growth|growth value|成长值",
        "counted_at": "counted at|as of|时间|计入时间",
    },
    "coupons": {
        "external_id": _ID,
        "campaign": "campaign|campaign code|活动编码|券模板|券种",
        "code": "code|coupon code|券码|优惠券码|卡券号",
        "valid_until": "valid until|expires at|expires|到期时间|有效期至",
        "state": "state|status|状态|券状态",
    },
    "consents": {
        "external_id": _ID,
        "purpose": "purpose|目的|用途|授权项",
        "granted": "granted|agreed|consent|是否同意|同意|授权状态",
        "said_at": "said at|date|time|granted at|consented at|时间|同意时间|授权时间",
        "way": "way|channel|by way of|方式|触达方式|渠道",
        "party": "party|third party|第三方",
        "method": "how|method|收集方式|同意方式",
        "proof": "proof|notice|notice version|reference|凭证|凭证编号|告知书版本",
    },
    "referrals": {
        "external_id": f"friend|friend id|被推荐人|被推荐人编号|被邀请人|{_ID}",
        "referrer": "referrer|referrer id|referred by|brought by|推荐人|推荐人编号|邀请人|邀请人编号",
    },
}
_NEEDED: Final[dict[str, tuple[str, ...]]] = {
    MEMBERS: ("external_id",),
    "tiers": ("external_id", "tier"),
    LOTS: ("external_id", "points", "expires_at"),
    BALANCES: ("external_id", "points"),
    "growth": ("external_id", "growth"),
    "coupons": ("external_id", "campaign", "code"),
    "consents": ("external_id", "purpose", "granted", "said_at"),
    "referrals": ("external_id", "referrer"),
}
# States of a coupon in which there is something to bring; any other word means that it is gone.
_OPEN: Final = frozenset(
    {
        *("", "issued", "open", "unused", "active", "valid", "available"),
        *("未使用", "未用", "有效", "可用", "已领取"),
    }
)
_YES: Final = frozenset({"yes", "y", "true", "1", "granted", "agreed", "是", "同意", "已同意", "已授权"})
_NO: Final = frozenset(
    {"no", "n", "false", "0", "refused", "withdrawn", "否", "不同意", "拒绝", "已撤回", "已取消"}
)
# How somebody said it; what stands in the words of privacy.models.ConsentEvent.
_METHODS: Final = {
    **{word: word for word in ("tick", "tap", "signature", "spoken", "platform", "reply")},
    **{"": "platform", "勾选": "tick", "点击": "tap", "签名": "signature", "书面": "signature"},
    **{"口头": "spoken", "电话": "spoken", "回复短信": "reply", "回复": "reply", "平台": "platform"},
}
_PURPOSES: Final = {"营销": "marketing", "服务": "service", "个性化": "personalisation", "入会": "membership"}
_WAYS: Final = {"": "any", "全部": "any", "短信": "sms", "邮件": "email", "微信": "wechat", "电话": "phone"}
# A proof is where it can be found: a number or a version, and no text about anybody.
_PROOF: Final = re.compile(r"[\w./#:-]{1,32}")
_PLAIN: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")
_NEVER: Final = frozenset(["never", "永久", "永久有效", "长期", "长期有效", "不过期"])
_FAR: Final = re.compile(r"(?:2[1-9]|[3-9]\d)\d\d(?!\d)|9999")


class Parsed(NamedTuple):
    """One row that could be read. `key`: which of its kind of that account, '' where there is one only."""

    external_id: str
    key: str
    amount: int
    document: dict[str, Any]
    other: str = ""  # the old id of another member whom the row is about too


@dataclass(frozen=True, slots=True)
class Layout:
    """Which header of a file holds which field."""

    kind: str
    headers: Mapping[str, str]
    told: Sequence[str] = field(default=())

    @property
    def missing(self) -> list[str]:
        """The needed fields that no column holds, and the headers that were said and are not there."""
        needed = [name for name in _NEEDED[self.kind] if name not in self.headers]
        lacking = ["old_id" if name == "external_id" else name for name in needed]  # as files call it
        return lacking + [header for header in self.headers.values() if header not in self.told]


def kind_of(file_name: str) -> str | None:
    """The kind of a file by its name without folders and ending; None for a file that is none of ours."""
    stem = re.sub(r"\.[^.]*$", "", file_name.replace("\\", "/").rsplit("/", 1)[-1])
    wanted = _folded(stem)
    return next((kind for kind, names in _NAMES.items() if wanted in map(_folded, names.split("|"))), None)


def layout(kind: str, told: Sequence[str], chosen: Mapping[str, str]) -> Layout:
    """Which column holds what: as somebody chose, else by the names that columns usually have."""
    folded = {_folded(header): header for header in reversed(told) if header}
    found = dict(chosen)
    for name, aliases in ALIASES[kind].items():
        if name in found:
            continue
        fitting = (folded[alias] for alias in map(_folded, aliases.split("|")) if alias in folded)
        header = next((header for header in fitting if header not in found.values()), None)
        if header is not None:
            found[name] = header
    return Layout(kind, found, told)


def parse(row: Row, fields: Layout, now: datetime) -> Parsed:
    """What a row says. Raises Unclean with the header of the cell and the reason."""
    if row.fault:
        raise Unclean(row.fault, "", "", row.line)
    return _READERS[fields.kind](row, fields.headers, now)


def _folded(name: str) -> str:
    return re.sub(r"[\s_.-]", "", name).lower()


# --- one row of each kind ------------------------------------------------------------------------------


def _lot(row: Row, headers: Mapping[str, str], now: datetime) -> Parsed:
    points = _whole(row, headers["points"])
    earned_at = _past(row, headers.get("earned_at", ""), now)
    expires_at = _until(row, headers["expires_at"])
    if earned_at is not None and expires_at is not None and expires_at <= earned_at:
        raise row.unclean("expiry_before_earning", headers["expires_at"])
    lot = row.code(headers.get("lot", ""))
    return Parsed(
        row.needed_code(headers["external_id"]),
        f"lot-{lot}"[:64] if lot else "",
        points,
        {"points": points, "earned_at": _iso(earned_at), "expires_at": _iso(expires_at)},
    )


def _balance(row: Row, headers: Mapping[str, str], now: datetime) -> Parsed:
    points = _whole(row, headers["points"])
    earned_at = _past(row, headers.get("earned_at", ""), now)
    told = row.text(headers.get("expires_at", ""))
    expires_at = _until(row, headers.get("expires_at", ""))
    if earned_at is not None and expires_at is not None and expires_at <= earned_at:
        raise row.unclean("expiry_before_earning", headers["expires_at"])
    document = {"points": points, "earned_at": _iso(earned_at), "expires_at": _iso(expires_at)}
    # Where nothing is told of an end, it is the one that points of this programme have.
    return Parsed(
        row.needed_code(headers["external_id"]), "", points, document | ({} if told else {"by_rule": True})
    )


def _tier(row: Row, headers: Mapping[str, str], now: datetime) -> Parsed:
    tier = row.needed_code(headers["tier"])
    since = _past(row, headers.get("since", ""), now)
    until = _until(row, headers.get("until", ""))
    if until is not None and until <= now:
        raise row.unclean("tier_over", headers["until"])
    document = {"tier": tier, "since": _iso(since), "until": _iso(until)}
    return Parsed(row.needed_code(headers["external_id"]), "", 1, document)


def _growth(row: Row, headers: Mapping[str, str], now: datetime) -> Parsed:
    growth = _whole(row, headers["growth"])
    counted_at = _past(row, headers.get("counted_at", ""), now)
    document = {"growth": growth, "counted_at": _iso(counted_at)}
    return Parsed(row.needed_code(headers["external_id"]), "", growth, document)


def _coupon(row: Row, headers: Mapping[str, str], now: datetime) -> Parsed:
    state = (row.text(headers.get("state", "")) or "").lower()
    if state not in _OPEN:
        raise row.unclean("coupon_used", headers["state"])
    code = row.needed_code(headers["code"])
    valid_until = _until(row, headers.get("valid_until", ""))
    if valid_until is not None and valid_until <= now:
        raise row.unclean("coupon_over", headers["valid_until"])
    campaign = row.needed_code(headers["campaign"])
    document = {"campaign": campaign, "code": code, "valid_until": _iso(valid_until)}
    return Parsed(row.needed_code(headers["external_id"]), code, 1, document)


def _consent(row: Row, headers: Mapping[str, str], now: datetime) -> Parsed:
    said_at = _past(row, headers["said_at"], now)
    if said_at is None:
        raise row.unclean("required_missing", headers["said_at"])
    proof = row.text(headers.get("proof", ""))
    if proof and not _PROOF.fullmatch(proof):
        raise row.unclean("proof_is_no_reference", headers["proof"])
    document = {
        "purpose": _plain(row, headers["purpose"], _PURPOSES, "purpose_unknown"),
        "granted": _granted(row, headers["granted"]),
        "said_at": _iso(said_at),
        "way": _plain(row, headers.get("way", ""), _WAYS, "way_unknown"),
        "party": row.text(headers.get("party", "")),
        "method": _METHODS.get((row.text(headers.get("method", "")) or "").lower()),
        "proof": proof,
    }
    if document["method"] is None:
        raise row.unclean("method_unknown", headers["method"])
    named = "/".join(str(document[name]) for name in ("purpose", "way", "party", "said_at", "granted"))
    # A third party's name may be long; the word goes by a fingerprint of all that makes it one.
    key = sha256(named.encode()).hexdigest()[:32]
    return Parsed(row.needed_code(headers["external_id"]), key, 1, document)


def _referral(row: Row, headers: Mapping[str, str], now: datetime) -> Parsed:
    friend, referrer = row.needed_code(headers["external_id"]), row.needed_code(headers["referrer"])
    if friend == referrer:
        raise row.unclean("referrer_is_oneself", headers["referrer"])
    return Parsed(friend, "", 1, {}, other=referrer)


_READERS: Final[dict[str, Callable[[Row, Mapping[str, str], datetime], Parsed]]] = {
    LOTS: _lot,
    BALANCES: _balance,
    "tiers": _tier,
    "growth": _growth,
    "coupons": _coupon,
    "consents": _consent,
    "referrals": _referral,
}


# --- cells ---------------------------------------------------------------------------------------------


def _whole(row: Row, header: str) -> int:
    text = row.text(header)
    if text is None:
        raise row.unclean("required_missing", header)
    if text.startswith(("-", "\uff0d", "\u2212", "(")):
        raise row.unclean("points_negative", header)
    number = row.pieces(header)
    if number is None:
        raise row.unclean("required_missing", header)
    return number


def _granted(row: Row, header: str) -> bool:
    word = (row.text(header) or "").lower()
    if word not in _YES | _NO:
        raise row.unclean("required_missing" if not word else "consent_unclear", header)
    return word in _YES


def _plain(row: Row, header: str, meanings: Mapping[str, str], code: str) -> str:
    """A word of the programme's own, or what stands for one."""
    told = (row.text(header) or "").lower()
    word = meanings.get(told, told)
    if not _PLAIN.fullmatch(word):
        raise row.unclean("required_missing" if not told else code, header)
    return word


def _past(row: Row, header: str, now: datetime) -> datetime | None:
    at = row.time(header)
    if at is not None and at > now:
        raise row.unclean("earned_in_future", header)
    return at


def _until(row: Row, header: str) -> datetime | None:
    text = clean_text(row.cell(header))
    if text is None or text.lower() in _NEVER or _FAR.match(text):
        return None
    at = row.time(header)
    assert at is not None, "there is something in the cell"
    is_day = not re.search("[:时点]", text)
    return at + timedelta(days=1) if is_day else at


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at is not None else None
