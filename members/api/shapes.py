"""The shapes of requests and answers, for the API's description (OpenAPI) and for nothing else.

Bodies are read by `members.reading`; a test holds the answers against these shapes.
"""

import re
from typing import Any

from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    OpenApiResponse,
    extend_schema,
    extend_schema_field,
)
from rest_framework import serializers

from members.facts import Gender, OrderStatus

PROBLEM = "application/problem+json"
APPROVAL_STATES = ["waiting", "approved", "refused", "expired", "withdrawn"]
IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    str,
    OpenApiParameter.HEADER,
    required=True,
    description="One to 255 printable characters. The same again is answered as the first time.",
)
OPTIONAL_KEY = OpenApiParameter(
    "Idempotency-Key",
    str,
    OpenApiParameter.HEADER,
    required=False,
    description="With one, the same again is answered as the first time; without, it is 409.",
)
LIMIT = OpenApiParameter("limit", int, description="Items of a page, 50 unless told, 200 at the most.")


VERSION = "A whole number or an instant; the larger is the newer."


class Money(serializers.RegexField):
    """Yuan as a text."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(r"^\d{1,10}(\.\d{1,2})?$", **kwargs)


class FieldProblem(serializers.Serializer[Any]):
    path = serializers.CharField(help_text="Where in the body, as lines.2.amount", allow_blank=True)
    code = serializers.CharField()
    message = serializers.CharField()


class Problem(serializers.Serializer[Any]):
    """RFC 9457."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    code = serializers.CharField(help_text="Stable; see docs/errors.md")
    instance = serializers.CharField()
    errors = FieldProblem(many=True, required=False)  # type: ignore[assignment]


class Unknown(serializers.Serializer[Any]):
    """The fields of the body that nobody knows, where there are any."""

    ignored = serializers.ListField(child=serializers.CharField(), required=False)


class Refusal(serializers.Serializer[Any]):
    """Why one item of a batch was refused; the other members are then missing."""

    code = serializers.CharField(required=False)
    detail = serializers.CharField(required=False)
    errors = FieldProblem(many=True, required=False)  # type: ignore[assignment]


@extend_schema_field(
    {
        "oneOf": [
            {"type": "string"},
            {
                "type": "object",
                "properties": {"value": {"type": "string"}, "verified": {"type": "boolean"}},
                "required": ["value"],
            },
        ]
    }
)
class Identifier(serializers.CharField):
    """A text, or `{value, verified}`."""


@extend_schema_field(
    {"oneOf": [{"type": "integer", "minimum": 0}, {"type": "string", "format": "date-time"}]}
)
class Version(serializers.CharField):
    """A whole number or an instant."""


class Identifiers(serializers.Serializer[Any]):
    """Each a text, or `{value, verified}`."""

    phone = Identifier(required=False)
    email = Identifier(required=False)
    unionid = Identifier(required=False)
    openid = Identifier(required=False)
    mix_mobile = Identifier(required=False)
    ouid = Identifier(required=False)
    omid = Identifier(required=False)
    device = serializers.CharField(
        required=False,
        help_text="Kept as a keyed index only, against referral fraud; nobody is matched by it.",
    )


class Consent(serializers.Serializer[Any]):
    purpose = serializers.CharField()
    granted = serializers.BooleanField()
    channel = serializers.CharField(required=False)
    party = serializers.CharField(required=False)
    notice = serializers.CharField(required=False, help_text="Version of the notice that was shown")
    at = serializers.DateTimeField(required=False)


class Profile(serializers.Serializer[Any]):
    name = serializers.CharField(required=False)
    nick = serializers.CharField(required=False)
    gender = serializers.ChoiceField([gender.value for gender in Gender], required=False)
    birthday = serializers.DateField(required=False)
    phone_masked = serializers.CharField(required=False)
    province = serializers.CharField(required=False)
    city = serializers.CharField(required=False)
    occupation = serializers.CharField(required=False)
    buyer_star = serializers.IntegerField(required=False)
    praise_count = serializers.IntegerField(required=False)


class Account(serializers.Serializer[Any]):
    profile = Profile(required=False, help_text="Its fields may stand beside it as well.")
    identifiers = Identifiers(required=False)
    consents = Consent(many=True, required=False)
    tags = serializers.ListField(child=serializers.CharField(), required=False)
    joined_at = serializers.DateTimeField(required=False)
    referred_by = serializers.CharField(
        required=False, help_text="The referral code of the member who brought them"
    )
    version = Version(required=False, help_text=VERSION)


class AccountItem(Account):
    external_id = serializers.CharField(required=False)


class AccountBatch(serializers.Serializer[Any]):
    items = AccountItem(many=True)


class Buyer(AccountItem):
    """Who bought; without anything that tells, the order waits unattached."""


class OrderLine(serializers.Serializer[Any]):
    product = serializers.CharField(required=False)
    name = serializers.CharField(required=False)
    category = serializers.CharField(required=False)
    quantity = serializers.IntegerField(required=False)
    price = Money(required=False)
    discount = Money(required=False)
    amount = Money(required=False, help_text="Net: price × quantity − discount")


class Amounts(serializers.Serializer[Any]):
    goods = Money(required=False, help_text="Before discounts; unless told it follows from paid")
    discount = Money(required=False)
    postage = Money(required=False)
    paid = Money(required=False, help_text="goods − discount + postage, in whatever means")
    points_value = Money(required=False)
    stored_value = Money(required=False)


class Discount(serializers.Serializer[Any]):
    """One layer of what was taken off (折上折)."""

    layer = serializers.CharField(required=False, help_text="A lower-case word; `other` unless told")
    amount = Money()
    label = serializers.CharField(required=False)  # type: ignore[assignment]


class Payment(serializers.Serializer[Any]):
    means = serializers.CharField()
    amount = Money(required=False)


class Receiver(serializers.Serializer[Any]):
    """Who the parcel goes to; not the buyer, unless the channel says so."""

    name = serializers.CharField(required=False)
    phone = serializers.CharField(required=False)
    province = serializers.CharField(required=False)
    city = serializers.CharField(required=False)
    district = serializers.CharField(required=False)
    address = serializers.CharField(required=False)


class PointsSpent(serializers.Serializer[Any]):
    points = serializers.IntegerField()
    cause = serializers.CharField(help_text="The cause of the redemption in this channel")


class Order(serializers.Serializer[Any]):
    buyer = Buyer(required=False)
    status = serializers.ChoiceField([status.value for status in OrderStatus])
    amounts = Amounts()
    placed_at = serializers.DateTimeField(required=False)
    paid_at = serializers.DateTimeField(required=False)
    shipped_at = serializers.DateTimeField(required=False)
    received_at = serializers.DateTimeField(required=False)
    completed_at = serializers.DateTimeField(required=False)
    store = serializers.CharField(required=False)
    lines = OrderLine(many=True, required=False)
    discounts = Discount(many=True, required=False)
    payments = Payment(many=True, required=False)
    receiver = Receiver(required=False)
    points_spent = PointsSpent(required=False)
    refunded_total = Money(required=False, help_text="What the platform has refunded so far, in all")
    version = Version(required=False, help_text=VERSION)


class OrderItem(Order):
    order_no = serializers.CharField()


class OrderBatch(serializers.Serializer[Any]):
    items = OrderItem(many=True)


class RefundTold(serializers.Serializer[Any]):
    goods = Money(required=False, help_text="Net of discounts")
    postage = Money(required=False)


class RefundAsked(RefundTold):
    reason = serializers.CharField(required=False, help_text="Wanted of staff when a second person decides")
    channel = serializers.CharField(required=False, help_text="Of staff without a store: whose order it is")


class Refund(RefundTold):
    lines = OrderLine(many=True, required=False)
    refunded_at = serializers.DateTimeField(required=False)
    version = Version(required=False, help_text=VERSION)


class Noted(serializers.Serializer[Any]):
    note = serializers.CharField(required=False, help_text="A word on the decision; wanted of a refusal")


class Approval(Unknown):
    """A change that waits for a second person, or what became of it."""

    id = serializers.IntegerField()
    kind = serializers.CharField()
    title = serializers.CharField()
    sentence = serializers.CharField(help_text="The exact change in words")
    after = serializers.CharField(allow_blank=True, help_text="What will be when it is approved")
    change = serializers.DictField(help_text="The exact change, frozen")
    reason = serializers.CharField()
    member_no = serializers.CharField(allow_null=True)
    asked_by = serializers.CharField()
    asked_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()
    state = serializers.ChoiceField(APPROVAL_STATES)
    may_decide = serializers.BooleanField(help_text="Whether you may decide it now")
    may_withdraw = serializers.BooleanField(help_text="Whether you asked for it, and it waits")
    decided_by = serializers.CharField(allow_null=True)
    decided_at = serializers.DateTimeField(allow_null=True)
    note = serializers.CharField(allow_blank=True)
    result = serializers.DictField(help_text="What came of it")


class Approvals(serializers.Serializer[Any]):
    approvals = Approval(many=True)
    next = serializers.CharField(allow_null=True, help_text="The address of the next page")


class Find(serializers.Serializer[Any]):
    """Exactly one of them."""

    phone = serializers.CharField(required=False)
    email = serializers.CharField(required=False)
    member_no = serializers.CharField(required=False)
    external_id = serializers.CharField(required=False)
    code = serializers.CharField(required=False, help_text="A live member code; it is used by this")


class MemberCode(serializers.Serializer[Any]):
    code = serializers.CharField(help_text="24 characters, good until it ends and for one use")
    expires_at = serializers.DateTimeField()
    qr = serializers.CharField(help_text="The code as a QR code, in SVG")
    barcode = serializers.CharField(help_text="The code as a Code 128 barcode, in SVG")


class Reveal(serializers.Serializer[Any]):
    fields = serializers.ListField(  # type: ignore[assignment]
        child=serializers.ChoiceField(choices=["name", "phone", "email", "birthday"]), min_length=1
    )
    reason = serializers.CharField(help_text="Why, in at least five characters; kept in the trail")


class Revealed(Unknown):
    """The fields that were asked for, in clear; null where nothing is known."""

    name = serializers.CharField(required=False, allow_null=True)
    phone = serializers.CharField(required=False, allow_null=True)
    email = serializers.CharField(required=False, allow_null=True)
    birthday = serializers.CharField(required=False, allow_null=True)


class KnownBy(serializers.Serializer[Any]):
    channel = serializers.CharField()
    matched_by = serializers.CharField()
    linked_at = serializers.DateTimeField()
    unbound_at = serializers.DateTimeField(allow_null=True)


class Member(Unknown):
    """Personal data is masked, unless the key has the scope members.personal."""

    member_no = serializers.CharField()
    status = serializers.CharField()
    is_masked = serializers.BooleanField()
    name = serializers.CharField(allow_blank=True)
    phone = serializers.CharField(allow_blank=True)
    email = serializers.CharField(allow_blank=True)
    birthday = serializers.CharField(allow_blank=True)
    gender = serializers.CharField(allow_blank=True)
    province = serializers.CharField(allow_blank=True)
    city = serializers.CharField(allow_blank=True)
    joined_at = serializers.DateTimeField()
    revision = serializers.IntegerField()
    accounts = KnownBy(many=True)


class Change(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    topic = serializers.CharField()
    change = serializers.CharField()
    member_no = serializers.CharField(allow_null=True)
    payload = serializers.DictField()
    at = serializers.DateTimeField()


class Changes(serializers.Serializer[Any]):
    changes = Change(many=True)
    after = serializers.CharField(help_text="The cursor to go on from")
    next = serializers.CharField(help_text="The address to ask next")
    more = serializers.BooleanField(help_text="Whether to ask at once; else there is nothing new yet")


_WORDS = {
    400: "api.invalid: what is wrong and where",
    401: "api.key_invalid",
    403: "api.forbidden",
    404: "api.not_found, members.not_found …",
    409: "The domain refuses; nothing has moved",
    413: "api.too_large",
    415: "api.unsupported_media_type",
    422: "api.idempotency_key_reused",
    429: "api.rate_limited, with Retry-After",
    503: "api.unavailable, with Retry-After",
}
_ALWAYS = (400, 401, 403, 429, 503)
_WITH_BODY = (413, 415)


def described(
    operation: str,
    *,
    answers: dict[int, Any],
    request: Any = None,
    refusals: tuple[int, ...] = (),
    parameters: tuple[Any, ...] = (),
    example: dict[str, Any] | None = None,
) -> Any:
    """Describe one operation: its answers by status, and the refusals beside those that any may give.

    Its first sentence stands beside its address; `example` is a body as it may be sent.
    """
    statuses = sorted({*_ALWAYS, *refusals, *(_WITH_BODY if request else ())})
    responses: dict[Any, Any] = dict(answers)
    for status in statuses:
        responses[status, PROBLEM] = OpenApiResponse(Problem, description=_WORDS[status])
    examples = [] if example is None else [OpenApiExample("As it is sent", value=example, request_only=True)]

    def describe(method: Any) -> Any:
        return extend_schema(
            operation_id=operation,
            summary=_summary(method.__doc__ or ""),
            request=request,
            responses=responses,
            parameters=list(parameters),
            examples=examples,
        )(method)

    return describe


def _summary(text: str) -> str:
    """The first sentence, without its full stop."""
    first = " ".join(text.split("\n\n", 1)[0].split())
    return re.split(r"\.(?= |$)", first, maxsplit=1)[0]
