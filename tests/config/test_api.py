"""The API's edge: keys, scopes, rates, problems, and whatever strangers send."""

import json
import re
from collections.abc import Iterator, Sequence
from datetime import timedelta
from importlib import import_module
from io import StringIO
from pathlib import Path
from pkgutil import walk_packages
from typing import Any

import pytest
from django.core.management import call_command
from django.urls import URLResolver
from django.utils import timezone

from config import api as edge
from config import api_urls
from members import api_keys
from members.cleaning import REJECT_CODES
from members.models import ApiKey, ApiKeyUse, Channel, Order
from privacy import roles
from privacy.errors import ShukeError
from tests.api import Api
from tests.trade import Trade

ROOT = Path(__file__).resolve().parent.parent.parent
ORDER = {"status": "paid", "amounts": {"goods": "10.00"}}


@pytest.fixture
def tmall(db: None) -> Channel:
    return Trade().tmall


# -- keys -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Bearer abc",
        "Api-Key",
        "Api-Key x",
        "Api-Key aaaaaaaa." + "A" * 43,
        "Api-Key " + "a" * 5000,
        "Api-Key 熟客.熟客",
    ],
)
def test_nobody_comes_in_without_a_key(tmall: Channel, header: str | None) -> None:
    stranger = Api(None)
    if header is not None:
        stranger.headers["Authorization"] = header.encode().decode("latin-1")
    answer = stranger.get("/orders/T1/")
    assert (answer.status, answer.code) == (401, "api.key_invalid")
    assert answer.headers["WWW-Authenticate"] == "Api-Key"


def test_a_signed_in_browser_is_nobody_to_the_api(tmall: Channel, django_assert_num_queries: Any) -> None:
    stranger = Api(None)
    stranger.client.force_login(roles.make_staff("boss", "admin")[0])
    with django_assert_num_queries(0):
        answer = stranger.get("/orders/T1/")
    assert answer.status == 401


def test_the_prefix_with_another_secret_is_refused_and_not_counted(tmall: Channel) -> None:
    owner, stranger = Api(tmall), Api(None)
    stranger.headers["Authorization"] = f"Api-Key {owner.row.prefix}.{'A' * 43}"
    assert stranger.get("/orders/T1/").code == "api.key_invalid"
    assert not ApiKeyUse.objects.exists()


def test_a_revoked_key_fails_the_next_request(tmall: Channel) -> None:
    owner = Api(tmall)
    assert owner.get("/orders/T1/").status == 404
    api_keys.revoke(owner.row.prefix)
    assert owner.get("/orders/T1/").status == 401


def test_an_expired_key_fails(tmall: Channel) -> None:
    owner = Api(tmall, expires_at=timezone.now() + timedelta(seconds=60))
    assert owner.get("/orders/T1/").status == 404
    ApiKey.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert owner.get("/orders/T1/").status == 401


def test_the_keys_of_a_channel_that_was_closed_fail(tmall: Channel) -> None:
    owner = Api(tmall)
    Channel.objects.update(is_active=False)
    assert owner.get("/orders/T1/").status == 401


@pytest.mark.parametrize(("network", "status"), [("127.0.0.0/8", 404), ("203.0.113.0/24", 401)])
def test_a_key_may_be_bound_to_a_network(tmall: Channel, network: str, status: int) -> None:
    assert Api(tmall, networks=[network]).get("/orders/T1/").status == status


def test_the_secret_is_nowhere_in_the_database(tmall: Channel) -> None:
    owner = Api(tmall)
    secret = owner.key.partition(".")[2]
    row = ApiKey.objects.values().get()
    assert len(secret) >= 43  # 256 bits
    assert secret not in str(row) and len(row["digest"]) == 32


def test_a_scope_that_is_missing_is_named(tmall: Channel) -> None:
    answer = Api(tmall, scopes=["accounts"]).put("/orders/T1/", ORDER)
    assert (answer.status, answer.code) == (403, "api.forbidden")
    assert "orders" in answer.body["detail"]
    assert not Order.objects.exists()


def test_staff_can_do_what_their_role_can(tmall: Channel) -> None:
    roles.apply_roles()
    marketing, _ = roles.make_staff("marie", "marketing")
    number = Trade().buy("T1", "10", None).number
    staff = Api(marketing)
    assert staff.post("/members/find/", {"phone": "13900000009"}).code == "members.not_found"
    assert staff.get(f"/orders/{number}/").code == "api.forbidden"
    assert staff.once("/members/SK-1/points/redeem/", {"points": 1, "cause": "x"}).code == "api.forbidden"


def test_a_person_who_left_comes_in_no_more(tmall: Channel) -> None:
    roles.apply_roles()
    user, _ = roles.make_staff("marie", "marketing")
    staff = Api(user)
    user.is_active = False
    user.save(update_fields=["is_active"])
    assert staff.post("/members/find/", {"phone": "13900000009"}).status == 401


def test_the_command_shows_a_key_that_works_once(tmall: Channel) -> None:
    told = StringIO()
    call_command("api_key", "tmall", "--scope", "orders", "--rate", "7/min", "--json", stdout=told)
    made = json.loads(told.getvalue())
    assert (made["scopes"], made["rate"], made["channel"]) == (["orders"], 7, "tmall")
    caller = api_keys.check(made["key"])
    assert caller.channel == tmall and caller.scopes == {"orders"}
    call_command("api_key", "--revoke", made["prefix"], stdout=StringIO())
    with pytest.raises(api_keys.KeyInvalid):
        api_keys.check(made["key"])


# -- rates ----------------------------------------------------------------------------------------------


def test_a_key_is_stopped_at_its_rate_and_told_when_to_come_back(tmall: Channel) -> None:
    owner = Api(tmall, rate=3)
    seen = [owner.get("/orders/T1/") for _ in range(5)]
    # A minute that ends meanwhile still weighs, so that no more than three pass.
    assert [answer.status for answer in seen[:3]] == [404, 404, 404]
    assert seen[4].code == "api.rate_limited"
    assert 1 <= int(seen[4].headers["Retry-After"]) <= 61
    assert seen[0].headers["RateLimit-Limit"] == "3"
    assert seen[0].headers["RateLimit-Remaining"] == "2"
    assert seen[4].headers["RateLimit-Remaining"] == "0"


@pytest.mark.parametrize(
    ("count", "before", "rate", "second", "used", "seconds"),
    [
        (1, 0, 600, 0, 1, 0),
        (600, 0, 600, 10, 600, 51),
        (1, 600, 600, 0, 601, 1),  # the minute before weighs in full
        (1, 600, 600, 30, 301, 0),
        (1, 9_000, 600, 30, 301, 0),  # what was refused is not carried over
        (1, 1, 1, 20, 1, 41),
    ],
)
def test_the_count_slides(count: int, before: int, rate: int, second: int, used: int, seconds: int) -> None:
    assert api_keys.slide(count, before, rate, second) == (used, seconds)


@pytest.mark.parametrize("rate", [1, 2, 7, 600])
def test_who_waits_as_told_is_let_in(rate: int) -> None:
    for count in range(1, rate + 2, max(1, rate // 7)):
        for before in (0, rate // 2, rate):
            for second in range(0, 60, 7):
                _, wait = api_keys.slide(count, before, rate, second)
                later = second + wait
                then = (count + 1, before) if later < 60 else (1, min(count, rate))
                assert api_keys.slide(*then, rate, later % 60)[0] <= rate or wait == 0


# -- problems -------------------------------------------------------------------------------------------


def test_a_problem_has_the_members_of_its_rfc(tmall: Channel) -> None:
    answer = Api(tmall).get("/orders/T1/", **{"X-Request-ID": "my-request-1"})
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.body == {
        "type": "urn:shuke:problem:loyalty.order_not_found",
        "title": "Not found",
        "status": 404,
        "detail": "There is no such order.",
        "code": "loyalty.order_not_found",
        "instance": "urn:request:my-request-1",
    }


@pytest.mark.parametrize(
    ("path", "method", "status", "code"),
    [
        ("/nothing/", "GET", 404, "api.not_found"),
        ("/api/", "GET", 404, "api.not_found"),
        ("/api/v2/orders/T1/", "POST", 404, "api.not_found"),
        ("/orders/T1/", "PATCH", 405, "api.method_not_allowed"),
        ("/members/find/", "GET", 405, "api.method_not_allowed"),
    ],
)
def test_what_is_not_there_is_a_problem_too(
    tmall: Channel, path: str, method: str, status: int, code: str
) -> None:
    path = path if path.startswith("/api/") else f"/api/v1{path}"
    answer = Api(tmall).call(method, path[len("/api/v1") :] if path.startswith("/api/v1") else path, None)
    assert (answer.status, answer.code) == (status, code)


def test_an_address_without_its_slash_says_so(tmall: Channel) -> None:
    answer = Api(tmall).put("/orders/T1", ORDER)
    assert answer.status == 404 and "slash" in answer.body["detail"]
    assert not Order.objects.exists()


def test_any_accept_header_is_answered_in_json(tmall: Channel) -> None:
    answer = Api(tmall).get("/orders/T1/", Accept="text/html")
    assert answer.status == 404


def test_our_own_mistake_is_a_problem_without_its_reason(
    tmall: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError("13900000001 broke it")

    monkeypatch.setattr("loyalty.orders.receive", fail)
    answer = Api(tmall).client.put(
        "/api/v1/orders/T1/",
        json.dumps(ORDER),
        content_type="application/json",
        headers={"Authorization": f"Api-Key {Api(tmall).key}"},
    )
    assert answer.status_code == 500
    assert json.loads(answer.content)["code"] == "api.internal"
    assert b"13900000001" not in answer.content


GARBAGE = [
    b"",
    b"{",
    b"[]",
    b"null",
    b'"text"',
    b"\xff\xfe\x00",
    b"{}{}",
    b'{"status": NaN}',
    b"[" * 100_000,
    b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
    b'{"status": "paid", "amounts": {"goods": 1' + b"0" * 5000 + b"}}",
    b'{"status": "paid", "amounts": {"goods": 1e999}}',
    b'{"status": "paid", "amounts": {"goods": -1}}',
    b'{"status": "paid", "amounts": {"goods": true}}',
    b'{"status": "paid", "amounts": {"goods": "1.001"}}',
    b'{"status": "paid", "amounts": {"goods": "99999999999.00"}}',
    b'{"status": "paid", "amounts": {"goods": "10", "discount": "11"}}',
    b'{"status": "paid", "amounts": {"goods": "10", "paid": "9"}}',
    b'{"status": ["paid"], "amounts": {"goods": "10"}}',
    b'{"status": "\\ud800", "amounts": {"goods": "10"}}',
    b'{"status": "paid", "amounts": {"goods": "10"}, "store": "\\u0000"}',
    b'{"status": "paid", "amounts": {"goods": "10"}, "version": 9223372036854775808}',
    b'{"status": "paid", "amounts": {"goods": "10"}, "version": "2026-13-01T00:00:00Z"}',
    b'{"status": "paid", "amounts": {"goods": "10"}, "paid_at": "2026-01-01T00:00:00"}',
    b'{"status": "paid", "amounts": {"goods": "10"}, "paid_at": "0001-01-01T00:00:00+14:00"}',
    b'{"status": "paid", "amounts": {"goods": "10"}, "paid_at": 5}',
    b'{"status": "paid", "amounts": {"goods": "10"}, "lines": {}}',
    b'{"status": "paid", "amounts": {"goods": "10"}, "lines": [{"quantity": 1e5}]}',
    b'{"status": "paid", "amounts": {"goods": "10"}, "buyer": {"identifiers": {"phone": 1}}}',
    b'{"status": "paid", "amounts": {"goods": "10"}, "points_spent": {"points": 1.5, "cause": "x"}}',
]


@pytest.mark.parametrize("body", GARBAGE, ids=range(len(GARBAGE)))
def test_whatever_is_sent_is_refused_with_400(tmall: Channel, body: bytes) -> None:
    answer = Api(tmall).put("/orders/T1/", body)
    assert (answer.status, answer.code) == (400, "api.invalid")
    assert not Order.objects.exists()


ODD = [
    b'{"status": "paid", "amounts": {"goods": "10"}, "\\ud800": 1}',
    b'{"status": "paid", "amounts": {"goods": "10"}, "lines": [{"name": "a\\u0000b\\ud800c"}]}',
    b'{"status": "paid", "amounts": {"goods": "10"}, "buyer": {"profile": {"name": "\\u0000"}}}',
]


@pytest.mark.parametrize("body", ODD, ids=range(len(ODD)))
def test_what_nobody_can_see_in_a_text_is_taken_off(tmall: Channel, body: bytes) -> None:
    assert Api(tmall).put("/orders/T1/", body).status == 201


@pytest.mark.parametrize("number", ["%00", "%ED%A0%80", "%2F", "1e5%00", "'", "x" * 300, "1.9E+15", "null"])
def test_odd_addresses_are_no_mistake_of_ours(tmall: Channel, number: str) -> None:
    caller = Api(tmall)
    address = f"/api/v1/orders/{number}/"
    response = caller.client.put(
        address, json.dumps(ORDER), content_type="application/json", headers=caller.headers
    )
    assert response.status_code in (201, 400, 404)


@pytest.mark.parametrize("media", ["text/plain", "application/xml", "multipart/form-data; boundary=x", "x"])
def test_only_json_is_read(tmall: Channel, media: str) -> None:
    answer = Api(tmall).put("/orders/T1/", b"<a/>", **{"Content-Type": media})
    assert (answer.status, answer.code) == (415, "api.unsupported_media_type")


def test_a_body_beyond_the_limit_is_refused(tmall: Channel, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    answer = Api(tmall).put("/orders/T1/", ORDER | {"store": "x" * 1000})
    assert (answer.status, answer.code) == (413, "api.too_large")


def test_a_sum_that_no_column_can_hold_is_bad_input(tmall: Channel) -> None:
    owner = Api(tmall)
    owner.put("/orders/T1/", {"status": "paid", "amounts": {"goods": "9999999999.99"}})
    told = [
        owner.put(f"/orders/T1/refunds/{n}/", {"goods": "9999999999.99", "postage": "9999999999.99"})
        for n in range(2)
    ]
    assert all(answer.status < 500 for answer in told)


def _routes(patterns: Sequence[Any], before: str = "/api/") -> Iterator[str]:
    """Every address that the API answers at, as its description writes them."""
    for pattern in patterns:
        route = f"{before}{pattern.pattern}"
        if isinstance(pattern, URLResolver):
            yield from _routes(pattern.url_patterns, route)
        elif pattern.callback is not edge.nothing_here:
            yield re.sub(r"<\w+:(\w+)>", r"{\1}", route)


def test_the_description_has_every_address_and_no_warning() -> None:
    written = StringIO()
    call_command("spectacular", "--validate", "--fail-on-warn", "--format", "openapi-json", stdout=written)
    described = json.loads(written.getvalue())["paths"]
    assert {*described, "/api/v1/schema/"} == set(_routes(api_urls.urlpatterns))
    operations = [operation for methods in described.values() for operation in methods.values()]
    assert all(operation["description"] for operation in operations), "each says what it does"
    assert all(operation["summary"] for operation in operations), "and in short, beside its address"


# -- the list of codes ----------------------------------------------------------------------------------


def _codes() -> dict[str, int]:
    """Every code that a caller can meet, with its status."""
    for app in ("privacy", "members", "loyalty", "segments", "config"):
        for module in walk_packages(import_module(app).__path__, f"{app}."):
            if module.name.rpartition(".")[2].endswith("errors"):
                import_module(module.name)
    kinds: list[type[ShukeError]] = [ShukeError]
    for kind in kinds:
        kinds.extend(kind.__subclasses__())
    ours = [kind for kind in kinds if not kind.__subclasses__() and not kind.__module__.startswith("tests.")]
    foreign = [*edge.FOREIGN.values(), edge.TOO_LARGE, edge.INTERNAL]
    return {kind.code: kind.status for kind in ours} | {code: status for status, code, _ in foreign}


def test_every_code_is_in_the_documentation_with_its_status() -> None:
    text = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
    told = {code: int(status) for code, status in re.findall(r"^\| `([\w.]+)` \| (\d{3}) \|", text, re.M)}
    assert told == _codes()


def test_every_reason_of_a_value_is_in_the_documentation() -> None:
    text = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
    reasons = import_module("members.bodies").PROBLEMS
    told = set(re.findall(r"^\| `(\w+)` \| [^|\d]", text, re.M))
    assert told == set(reasons) >= set(REJECT_CODES)


def test_every_status_has_a_title() -> None:
    assert set(_codes().values()) <= set(edge.TITLES)
