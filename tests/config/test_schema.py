"""Whatever the API's own description allows, and what it does not, is answered as it says: never by a 5xx.

Schemathesis reads the description and makes up the requests; each is sent with a real key that may do
everything, half of them about a member, an order and a coupon that exist.
"""

import json
import os
from typing import Any
from urllib.parse import urlencode

import pytest
import schemathesis
from drf_spectacular.generators import SchemaGenerator
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.generation import GenerationMode

from members import endpoints
from members.models import Scope
from members.numbers import number_of
from tests.api import Answer, Api
from tests.coupon_shop import WELCOME, CouponShop
from tests.trade import buyer

EXAMPLES = int(os.environ.get("SCHEMA_EXAMPLES", "12"))  # of each operation
SIGNED = ("Authorization", "Accept-Language")  # as the key's own


def _description() -> dict[str, Any]:
    """The API's description, without how to sign in: each request comes with a good key."""
    described: dict[str, Any] = json.loads(json.dumps(SchemaGenerator().get_schema(public=True)))
    described.pop("security", None)
    described["components"].pop("securitySchemes")
    for path in described["paths"].values():
        for operation in path.values():
            operation.pop("security", None)
    return described


_READ = schemathesis.openapi.from_dict(_description()).get_all_operations()
OPERATIONS = [found.ok() for found in _READ]  # type: ignore[union-attr]  # what cannot be read fails here


class Real:
    """A shop with something of everything, and a key of it that may do all that a channel may."""

    def __init__(self) -> None:
        shop = CouponShop(WELCOME)
        shop.buy("O1", "80", buyer("mei"), channel=shop.app)
        shop.give(shop.mei, 500)
        self.api = Api(shop.app, scopes=list(Scope.values), rate=1_000_000)
        self.places = {
            "member_no": number_of(shop.mei),
            "order_no": "O1",
            "external_id": "mei",
            "code": shop.coupon(),
            "hold_id": str(shop.hold(shop.mei, 5).hold_id),
            "endpoint_id": str(endpoints.make(shop.app, "http://127.0.0.1:1/").endpoint.pk),
        }

    def send(self, case: schemathesis.Case, *, is_about_something: bool) -> Answer:
        """Send a made-up request; its answer, which has been held against the description."""
        places = self.places if is_about_something else {}
        case.path_parameters = {name: places.get(name, text) for name, text in case.path_parameters.items()}
        made = case.as_transport_kwargs(base_url="http://shop.test")
        path = made["url"].removeprefix("http://shop.test/api/v1")
        if made.get("params"):
            path += "?" + urlencode(made["params"], doseq=True, errors="surrogatepass")
        headers = {name: text for name, text in made["headers"].items() if name not in SIGNED}
        body = json.dumps(made["json"]).encode() if "json" in made else made.get("data")
        return self.api.call(made["method"], path, body, **headers)


@pytest.fixture
def real(db: None) -> Real:
    return Real()


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.label)
def test_what_is_described_is_what_is_answered(real: Real, operation: schemathesis.APIOperation) -> None:
    good = operation.as_strategy(generation_mode=GenerationMode.POSITIVE)
    bad = operation.as_strategy(generation_mode=GenerationMode.NEGATIVE)

    @given(case=good | bad, is_about_something=st.booleans())
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        phases=(Phase.explicit, Phase.generate),
        suppress_health_check=list(HealthCheck),
    )
    def ask(case: schemathesis.Case, is_about_something: bool) -> None:
        assert real.send(case, is_about_something=is_about_something).status < 500

    ask()


def test_a_key_is_at_work_behind_the_made_up_requests(real: Real) -> None:
    """Or all of them would be turned away at the door."""
    assert real.api.get(f"/members/{real.places['member_no']}/points/").body["available"] == 500 - 5
