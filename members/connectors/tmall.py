"""Tmall's member link (品牌会员通): what it asks (SPI) and tells (TMC), signed as TOP signs. Pure.

Questions are answered at once (members.member_link): bind query, bind, register, query, activate.
Messages are kept as those of any platform: points taken or given by an exchange of gifts, late joins.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import parse_qsl, unquote

from members.cleaning import Unclean, clean_datetime, clean_phone
from members.connectors import signing
from members.connectors.connector import (
    Acknowledgement,
    Call,
    Connector,
    Credentials,
    JoinFact,
    Message,
    PointsFact,
    Reading,
    name_of,
)
from members.connectors.document import Document, parse, spare
from members.facts import AccountFact, IdentifierFact, IdentifierKind

WINDOW: Final = timedelta(minutes=10)  # between a call's timestamp and its coming
BIND_QUERY: Final = "tmall.mei.crm.member.bind.query"
BIND: Final = "tmall.mei.crm.bind"
REGISTER: Final = "tmall.mei.crm.member.register"
QUERY: Final = "tmall.mei.crm.query"
ACTIVATE: Final = "qimen.alibaba.member.activate"
QUESTIONS: Final = frozenset({BIND_QUERY, BIND, REGISTER, QUERY, ACTIVATE})
UNBIND: Final = "2"  # the `type` of a bind that is none

POINT_CHANGE: Final = "tmall_mei_PointChange"
MEMBER_REGISTER: Final = "tmall_mei_MemberRegister"
TAKE, GIVE = "1", "2"

CALL_BACK: Final = "tmall.mei.crm.callback.point.change"
SYNC: Final = "tmall.mei.crm.member.sync.privy"
TAKE_OUT: Final = "tmall.crm.member.front.unbind.privy"

_KEYS: Final = (
    ("ouid", IdentifierKind.OUID),
    ("omid", IdentifierKind.OMID),
    ("mix_mobile", IdentifierKind.MIX_MOBILE),
)


def verify(call: Call, credentials: Credentials) -> bool:
    """Whether the call was signed with our app's secret, for our app, a short while ago."""
    params, body = dict(call.query), call.raw
    if call.header("content-type").startswith("application/x-www-form-urlencoded"):
        params |= dict(parse_qsl(call.raw.decode("utf-8", "replace"), keep_blank_values=True))
        body = b""
    for name in filter(None, call.header("top-sign-list").split(",")):
        params[name] = unquote(call.header(name.lower()))
    made = signing.top_sign(params, credentials["app_secret"], body)
    is_ours = signing.same(params.get("app_key", ""), credentials["app_key"])
    return signing.same(call.query.get("sign", "").upper(), made) and is_ours and _is_fresh(params, call.at)


def _is_fresh(params: Mapping[str, str], now: datetime) -> bool:
    try:
        at = clean_datetime(params.get("timestamp"))
    except Unclean:
        return False
    return at is not None and abs(now - at) <= WINDOW


def question(call: Call) -> str:
    """The name of what is asked, or nothing where a message is told."""
    method = call.query.get("method", "")
    return method if method in QUESTIONS else ""


def split(call: Call) -> Sequence[Message]:
    """One message of the queue, as a client of it passes it on: {topic, content}, or the content alone."""
    body = parse(call.raw)
    topic = encodable(body.text("topic") or call.query.get("topic", ""))
    content = body.raw("content")
    if isinstance(content, str):
        return [message_of(topic, encodable(content))]
    return [message_of(topic, call.raw.decode("utf-8", "replace"))]


def encodable(text: str) -> str:
    """Text without the halves of characters that JSON can spell and nothing can keep."""
    return text.encode("utf-8", "replace").decode()


def message_of(topic: str, content: str) -> Message:
    """A message by its record: the queue repeats it under other ids until it is confirmed."""
    record = _content(content).text("record_id")
    return Message(f"{topic}:{record}" if record else name_of(topic, content), topic, content)


def _content(text: str) -> Document:
    told = parse(text)
    inner = told.raw("content")
    return Document(inner) if isinstance(inner, dict) else told


def read(topic: str, body: str) -> Reading:
    """The facts of one message. Raises Unclean for what cannot be right."""
    reader = _READERS.get(topic)
    return reader(_content(body)) if reader else Reading(ignored="topic_not_used")


def read_buyer(told: Document) -> AccountFact:
    """The buyer of a question or a message: by the shop's id, the brand's, the phone's hash, or the phone.

    The receiver's id (oaid) is no key: it changes each week. Tmall has checked what it hashes.
    """
    found = [
        IdentifierFact(kind=kind, value=value.lower() if name == "mix_mobile" else value, verified=True)
        for name, kind in _KEYS
        if (value := told.id(name))
    ]
    phone = spare(told.text("mobile"), clean_phone)
    if phone:
        found.append(IdentifierFact(kind=IdentifierKind.PHONE, value=phone, verified=True))
    return AccountFact(
        external_id=None if told.id("ouid") else told.id("open_id"),
        identifiers=tuple(found),
        nick=told.text("nick") or told.text("taobao_nick"),
        joined_at=_joined_at(told),
    )


def _joined_at(told: Document) -> datetime | None:
    """When somebody joined in flight mode, while the brand was not asked."""
    extend = told.raw("extend")
    inner = (
        Document(extend)
        if isinstance(extend, dict)
        else parse(extend)
        if isinstance(extend, str) and extend
        else Document({})
    )
    return inner.time("flightJoinTime")


def _read_points(told: Document) -> Reading:
    kind, points = told.text("type"), told.whole("point")
    if kind not in (TAKE, GIVE):
        raise Unclean("status_unknown", kind or "", "type")
    if points is None or points <= 0:
        raise Unclean("quantity_invalid", "", "point")
    fact = PointsFact(
        record=told.needed_id("record_id"),
        points=points if kind == GIVE else -points,
        keys=read_buyer(told).identifiers,
        answer={
            name: text for name in ("mix_mobile", "ext_info", "ouid", "omid") if (text := told.text(name))
        },
        reason=told.text("biz_type") or "",
    )
    return Reading((fact,))


def _read_join(told: Document) -> Reading:
    """A late join; one that names nobody is followed by the join itself, which Tmall asks us again."""
    buyer = read_buyer(told)
    return Reading((JoinFact(account=buyer),)) if buyer.is_known else Reading(ignored="nobody_named")


_READERS: Final[Mapping[str, Callable[[Document], Reading]]] = {
    POINT_CHANGE: _read_points,
    MEMBER_REGISTER: _read_join,
}

CONNECTOR: Final = Connector(
    platforms=("tmall", "taobao"),
    needs=("app_key", "app_secret"),
    verify=verify,
    split=split,
    read=read,
    acknowledgement=Acknowledgement(b'{"success":true}'),
    question=question,
)
