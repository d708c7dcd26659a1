"""Tmall's member link as its documentation has it: questions and messages signed by TOP, and its gateway."""

import hashlib
import json
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import parse_qsl

from members.stand_ins.parcel import Credentials, Parcel, Payload, StandIn
from members.stand_ins.tmall_queue import CONFIRM, CONSUME, Queue

_CHINA: Final = timezone(timedelta(hours=8))
SELLER: Final = "熟客测试旗舰店"


def sign(params: Mapping[str, str], secret: str, body: bytes = b"") -> str:
    """TOP's signature."""
    told = "".join(name + value for name, value in sorted(params.items()) if name != "sign")
    return hashlib.md5(secret.encode() + told.encode() + body + secret.encode()).hexdigest().upper()


def mix_mobile(phone: str, mix_key: str) -> str:
    """A mainland phone as Tmall hashes it for a brand."""
    inner = hashlib.md5(f"tmall{phone}{mix_key}".encode()).hexdigest()
    return hashlib.md5(inner.encode()).hexdigest()


def _parcel(
    credentials: Credentials, named: Mapping[str, str], payload: Payload, at: datetime | None
) -> Parcel:
    raw = json.dumps(payload, ensure_ascii=False).encode()
    now = (at or datetime.now(UTC)).astimezone(_CHINA)
    query = {
        "app_key": credentials["app_key"],
        "format": "json",
        "sign_method": "md5",
        "timestamp": f"{now:%Y-%m-%d %H:%M:%S}",
        "v": "2.0",
        **named,
    }
    query["sign"] = sign(query, credentials["app_secret"], raw)
    name = named.get("method") or named["topic"]
    return Parcel(name=name, raw=raw, query=query, headers={"Content-Type": "application/json;charset=UTF-8"})


def question(
    credentials: Credentials, method: str, payload: Payload, *, at: datetime | None = None
) -> Parcel:
    """What Tmall asks the brand."""
    return _parcel(credentials, {"method": method}, {"seller_name": SELLER, **payload}, at)


def message(credentials: Credentials, topic: str, content: Payload, *, at: datetime | None = None) -> Parcel:
    """A message of Tmall's queue, as a client of the queue passes it on."""
    return _parcel(credentials, {"topic": topic}, {"topic": topic, "content": json.dumps(content)}, at)


def buyer(number: int, mix_key: str, *, joined: datetime | None = None) -> Payload:
    """A buyer by the shop's id and the hash of a phone; `joined` in flight mode, a while ago."""
    extend = (
        {"flightMode": "1", "flightJoinTime": f"{joined.astimezone(_CHINA):%Y-%m-%d %H:%M:%S}"}
        if joined
        else {}
    )
    return {
        "open_id": f"open{number}",
        "ouid": f"ouid{number}",
        "omid": f"omid{number}",
        "mix_mobile": mix_mobile(f"1380013{8000 + number}", mix_key),
        "extend": json.dumps(extend),
    }


def point_change(record: int, who: Payload, points: int) -> Payload:
    """An exchange of gifts (`points` negative: taken), or one that was called off."""
    return {
        "record_id": record,
        "type": 2 if points > 0 else 1,
        "point": abs(points),
        "biz_type": "cancel_exchange" if points > 0 else "gift_exchange",
        **{name: who[name] for name in ("mix_mobile", "ouid", "omid")},
        "mix_nick": "t**",
        "seller_name": SELLER,
        "ext_info": "{}",
    }


# --- the gateway, which the brand calls -------------------------------------------------------------


@dataclass
class Gateway:
    """Tmall's API on this machine: believes signed calls, and of two balances keeps the later version."""

    credentials: Credentials
    refuse: int = 0  # so many calls are answered with an error before one is taken
    taken: list[dict[str, str]] = field(default_factory=list)
    forged: int = 0
    versions: dict[str, int] = field(default_factory=dict)
    balances: dict[str, dict[str, str]] = field(default_factory=dict)
    answers: Counter[str] = field(default_factory=Counter)
    queue: Queue = field(default_factory=Queue)
    taken_out: Counter[str] = field(default_factory=Counter)  # buyers whom the brand has unbound
    # What happens to a call before it is looked at; a test lets the line break here.
    before: Callable[[Mapping[str, str]], object] = lambda params: None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def hear(self, params: dict[str, str]) -> dict[str, Any]:
        """Answer one call."""
        self.before(params)
        with self._lock:
            if params.get("sign") != sign(params, self.credentials["app_secret"]):
                self.forged += 1
                return {
                    "error_response": {
                        "code": 25,
                        "msg": "Invalid signature",
                        "sub_code": "isv.invalid-signature",
                    }
                }
            if self.refuse:
                self.refuse -= 1
                return {"error_response": {"code": 15, "msg": "Remote service error", "sub_code": "isp.busy"}}
            self.taken.append(params)
            if params["method"] in (CONSUME, CONFIRM):
                return self.queue.hear(params)
            if params["method"].endswith("unbind.privy"):
                self.taken_out[params["ouid"]] += 1
                return {"tmall_crm_member_front_unbind_privy_response": {"result_success": True}}
            if params["method"].endswith("sync.privy"):
                self._keep(params)
            else:
                self.answers[params["record_id"]] += 1
            return {params["method"].replace(".", "_") + "_response": {"is_success": True}}

    def _keep(self, params: dict[str, str]) -> None:
        ouid, version = params["ouid"], int(params["version"])
        if version >= self.versions.get(ouid, 0):
            self.versions[ouid] = version
            self.balances[ouid] = {"point": params["point"], "level": params["level"]}

    def serve(self, host: str = "127.0.0.1", port: int = 0) -> ThreadingHTTPServer:
        """Begin to listen; the server tells its address, and is ended by shutdown()."""
        gateway = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                raw = self.rfile.read(int(self.headers["Content-Length"]))
                try:
                    answer = gateway.hear(dict(parse_qsl(raw.decode(), keep_blank_values=True)))
                except ConnectionError:  # the line breaks before anything is said
                    self.close_connection = True
                    return
                said = json.dumps(answer).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(said)))
                self.end_headers()
                self.wfile.write(said)

            def log_message(self, format: str, *args: Any) -> None:
                """Say nothing: what was asked is kept."""

        server = ThreadingHTTPServer((host, port), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return server


# --- some days of trade -----------------------------------------------------------------------------


def story(credentials: Credentials, buyers: int, seed: int) -> Sequence[Parcel]:
    """Buyers are asked for, join, some late in flight mode; they exchange points, one leaves."""
    parcels: list[Parcel] = []
    mix_key = credentials["mix_key"]
    for n in range(buyers):
        who = buyer(seed * 100 + n, mix_key)
        late = buyer(seed * 100 + n, mix_key, joined=datetime.now(UTC) - timedelta(hours=20))
        parcels += [
            question(credentials, "tmall.mei.crm.member.bind.query", who),
            question(credentials, "tmall.mei.crm.member.register", late if n % 3 == 2 else who),
            question(credentials, "tmall.mei.crm.query", who),
            message(credentials, "tmall_mei_PointChange", point_change(seed * 1000 + n, who, -10)),
        ]
    if buyers:
        leaving = {**buyer(seed * 100, mix_key), "type": 2}
        parcels.append(question(credentials, "tmall.mei.crm.bind", leaving))
    return parcels


def queue_up(queue: Queue, parcels: Sequence[Parcel]) -> list[Parcel]:
    """Let the messages among these parcels wait in the queue, every second one twice; the other parcels."""
    messages = [parcel for parcel in parcels if "topic" in parcel.query]
    for n, parcel in enumerate(messages):
        told = json.loads(parcel.raw)
        queue.publish(told["topic"], told["content"], shop=SELLER, times=1 + n % 2)
    return [parcel for parcel in parcels if "topic" not in parcel.query]


def takes(status: int, body: bytes) -> bool:
    """Whether it was answered at all, and not with a passing failure."""
    return status == 200 and b'"E04"' not in body


STAND_IN: Final = StandIn(
    platform="tmall",
    credentials={
        "app_key": "12345678",
        "app_secret": "stand-in-tmall-secret",
        "session": "stand-in-session",
        "seller_name": SELLER,
        "mix_key": "F4rgLk",
    },
    pauses=(1, 60, 300, 1800, 7200, 14400, 14400, 14400, 14400),
    takes=takes,
    story=story,
)
