"""A WeChat of our own on this machine, for the tests and for trying one-tap enrolment without a mini program.

It speaks what `members.connectors.wechat` speaks to api.weixin.qq.com: the two ways to an access token,
code2Session and getuserphonenumber, with WeChat's errcodes. Codes are good for one use and five minutes,
tokens end, users may be blocked or too frequent. A real mini program gets its codes from WeChat's client;
here `login()` and `phone()` hand them out, and `POST /stand-in/login` and `/stand-in/phone` do from outside.
"""

import json
import secrets
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from types import TracebackType
from typing import Any
from urllib.parse import parse_qs, urlsplit

CODE_SECONDS = 300
TOKEN_SECONDS = 7200
PER_MINUTE = 100  # code2Session for one user (errcode 45011)

Reply = dict[str, Any]


def _error(errcode: int, errmsg: str) -> Reply:
    return {"errcode": errcode, "errmsg": f"{errmsg}, rid: {secrets.token_hex(4)}"}


@dataclass
class User:
    """Somebody who uses the mini program."""

    openid: str
    phone: str = ""  # without the country's code
    country: str = "86"
    unionid: str = ""  # told only where the mini program is bound to an open-platform account
    is_blocked: bool = False


@dataclass
class _Code:
    user: User
    ends_at: float
    is_used: bool = False


@dataclass
class Wechat:
    """The platform: one mini program, its users, and what was given out."""

    app_id: str = "wx1f0000000000a001"
    secret: str = "stand-in-secret"
    now: Any = time.time
    numeric_country: bool = False  # as the documentation says; in life it is a text
    per_minute: int = PER_MINUTE
    logins: dict[str, _Code] = field(default_factory=dict)
    phones: dict[str, _Code] = field(default_factory=dict)
    tokens: dict[str, float] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)  # the paths, in order
    visits: list[tuple[str, float]] = field(default_factory=list)
    lock: Lock = field(default_factory=Lock)

    # -- what happens inside WeChat's client --------------------------------------------------------------

    def login(self, user: User) -> str:
        """A fresh login code, as `wx.login` gives one."""
        return self._give(self.logins, user)

    def phone(self, user: User) -> str:
        """A fresh phone code, as the button `getPhoneNumber` gives one."""
        return self._give(self.phones, user)

    def _give(self, codes: dict[str, _Code], user: User) -> str:
        code = secrets.token_hex(16)
        codes[code] = _Code(user, self.now() + CODE_SECONDS)
        return code

    def end_tokens(self) -> None:
        """All tokens end before their time, as when somebody resets the secret."""
        self.tokens.clear()

    # -- what api.weixin.qq.com answers -------------------------------------------------------------------

    def answer(self, method: str, path: str, query: dict[str, str], body: dict[str, Any]) -> Reply | None:
        """The answer to one request; None for an address that there is not."""
        with self.lock:
            self.asked.append(path)
            match method, path:
                case "GET", "/sns/jscode2session":
                    return self._session(query)
                case "GET", "/cgi-bin/token":
                    return self._token(query, is_stable=False)
                case "POST", "/cgi-bin/stable_token":
                    return self._token(body, is_stable=not body.get("force_refresh"))
                case "POST", "/wxa/business/getuserphonenumber":
                    return self._phone_number(query, body)
                case "POST", "/stand-in/login":
                    return {"code": self.login(_user(body))}
                case "POST", "/stand-in/phone":
                    return {"code": self.phone(_user(body))}
        return None

    def _refused(self, asked: dict[str, Any]) -> Reply | None:
        if asked.get("appid") != self.app_id:
            return _error(40013, "invalid appid")
        return None if asked.get("secret") == self.secret else _error(40125, "invalid appsecret")

    def _session(self, query: dict[str, str]) -> Reply:
        if refused := self._refused(query):
            return refused
        user = self._spend(self.logins, query.get("js_code", ""))
        if user is None:
            return _error(40029, "invalid code")
        self.visits = [(who, at) for who, at in self.visits if at > self.now() - 60]
        self.visits.append((user.openid, self.now()))
        if sum(who == user.openid for who, _ in self.visits) > self.per_minute:
            return _error(45011, "api minute-quota reach limit")
        if user.is_blocked:
            return _error(40226, "code blocked")
        session: Reply = {"openid": user.openid, "session_key": secrets.token_urlsafe(16)}
        return session | ({"unionid": user.unionid} if user.unionid else {})

    def _token(self, asked: dict[str, Any], *, is_stable: bool) -> Reply:
        if asked.get("grant_type") != "client_credential":
            return _error(40002, "invalid grant_type")
        if refused := self._refused(asked):
            return refused
        alive = [token for token, ends_at in self.tokens.items() if ends_at > self.now()]
        if is_stable and alive:
            return {"access_token": alive[-1], "expires_in": int(self.tokens[alive[-1]] - self.now())}
        if not is_stable:
            self.tokens.clear()  # an ordinary token ends the one before
        token = secrets.token_urlsafe(48)
        self.tokens[token] = self.now() + TOKEN_SECONDS
        return {"access_token": token, "expires_in": TOKEN_SECONDS}

    def _phone_number(self, query: dict[str, str], body: dict[str, Any]) -> Reply:
        token = query.get("access_token", "")
        if token not in self.tokens:
            return _error(40001, "invalid credential, access_token is invalid or not latest")
        if self.tokens[token] <= self.now():
            return _error(42001, "access_token expired")
        kept = self.phones.get(str(body.get("code", "")))
        if kept and body.get("openid") and body["openid"] != kept.user.openid:
            return _error(40029, "invalid code")
        user = self._spend(self.phones, str(body.get("code", "")))
        if user is None:
            return _error(40029, "invalid code")
        country: int | str = int(user.country) if self.numeric_country else user.country
        info = {
            "phoneNumber": user.phone if user.country == "86" else f"+{user.country}{user.phone}",
            "purePhoneNumber": user.phone,
            "countryCode": country,
            "watermark": {"timestamp": int(self.now()), "appid": self.app_id},
        }
        return {"errcode": 0, "errmsg": "ok", "phone_info": info}

    def _spend(self, codes: dict[str, _Code], code: str) -> User | None:
        """Whose code this is, once and in time."""
        kept = codes.get(code)
        if kept is None or kept.is_used or kept.ends_at <= self.now():
            return None
        kept.is_used = True
        return kept.user


def _user(body: dict[str, Any]) -> User:
    return User(
        openid=str(body.get("openid", "")),
        phone=str(body.get("phone", "")),
        country=str(body.get("country", "86")),
        unionid=str(body.get("unionid", "")),
    )


class Server:
    """The platform behind a port of this machine, in a thread; a context manager.

    with Server(Wechat()) as server: server.address
    """

    def __init__(self, wechat: Wechat, *, port: int = 0) -> None:
        self.wechat = wechat
        self.http = ThreadingHTTPServer(("127.0.0.1", port), _handler(wechat))
        self.thread = Thread(target=self.http.serve_forever, args=(0.02,), daemon=True)

    @property
    def address(self) -> str:
        """Where it is asked: the credential `address` of a channel."""
        return f"http://127.0.0.1:{self.http.server_address[1]}"

    def __enter__(self) -> "Server":
        self.thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.http.shutdown()
        self.http.server_close()
        self.thread.join()


def _handler(wechat: Wechat) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer({})

        def do_POST(self) -> None:
            sent = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            try:
                body = json.loads(sent or b"{}")
            except ValueError:
                body = {}
            self._answer(body if isinstance(body, dict) else {})

        def _answer(self, body: dict[str, Any]) -> None:
            asked = urlsplit(self.path)
            query = {name: values[-1] for name, values in parse_qs(asked.query).items()}
            said = wechat.answer(self.command, asked.path, query, body)
            # WeChat answers 200 whatever is wrong; the errcode says what.
            self.send_response(200 if said is not None else 404)
            answer = json.dumps(said or {}, ensure_ascii=False).encode()
            self.send_header("Content-Type", "application/json; charset=utf-8")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing: its addresses hold secrets, as WeChat's do."""

    return Handler
