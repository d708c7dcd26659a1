"""What a clerk types at the desk, read strictly and complained about in words that say what to do."""

from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID, uuid4

from django import forms
from django.utils.translation import gettext_lazy as _

from loyalty.counter import LARGEST
from loyalty.refund_outlook import Purchase
from members import member_codes
from members.cleaning import Unclean, clean_amount, clean_phone, clean_text
from members.numbers import read_number
from members.templatetags.amounts import yuan

MOST_POINTS = 10**12
NAME_LENGTH = 60


class Amount(forms.CharField):
    """Yuan above zero with at most two places, as `1,234.50` or `¥12`."""

    def __init__(self, **options: Any) -> None:
        required = {"required": _("Type the amount.")}
        super().__init__(max_length=20, error_messages=required, **options)

    def clean(self, value: Any) -> Decimal | None:
        text = super().clean(value)
        try:
            amount = clean_amount(text)
        except Unclean:
            amount = Decimal(0)
        if amount is not None and not 0 < amount <= LARGEST:
            words = _("Type an amount in yuan above zero and of at most %(most)s, such as 128.50.")
            raise forms.ValidationError(words % {"most": yuan(LARGEST)})
        if amount is None and self.required:
            raise forms.ValidationError(self.error_messages["required"])
        return amount


class FindForm(forms.Form):
    """One line: a phone, a member number, or what a scanner typed."""

    asked = forms.CharField(max_length=100, error_messages={"required": _("Type a phone or member number.")})

    def key(self) -> tuple[str, str] | None:
        """What was asked: ("code", …), ("member_no", …) or ("phone", …); None when it is none of them."""
        asked = self.cleaned_data["asked"]
        if member_codes.is_one(asked):
            return "code", asked
        if number := read_number(asked):
            return "member_no", number
        try:
            phone = clean_phone(asked)
        except Unclean:
            return None
        return ("phone", phone) if phone else None


class TillForm(forms.Form):
    """One sale. The nonce is made with the form and names the sale: sent twice, it counts once."""

    nonce = forms.UUIDField(initial=uuid4)
    amount = Amount()
    use_points = forms.BooleanField(required=False)
    points = forms.IntegerField(
        required=False,
        min_value=0,
        max_value=MOST_POINTS,
        error_messages={"invalid": _("Type whole points, such as 600.")},
    )
    use_coupons = forms.BooleanField(required=False, initial=True)
    code = forms.CharField(max_length=64, required=False)  # of a coupon that the customer shows
    seen = forms.CharField(max_length=300, required=False)  # what the sum on the screen was for, and was
    again = forms.BooleanField(required=False)
    asks_again = False  # the same amount was recorded a moment ago: the clerk must say it is another one

    def wanted(self) -> int:
        """How many points are to be used; as many as possible when the box is ticked without a number."""
        if not self.cleaned_data.get("use_points"):
            return 0
        points: int | None = self.cleaned_data.get("points")
        return MOST_POINTS if points is None else points

    def codes(self) -> tuple[str, ...]:
        """The codes that the customer shows."""
        code: str = self.cleaned_data.get("code") or ""
        return (code,) if code else ()

    def shown(self, to_pay: Decimal) -> str:
        """What the screen says for what is typed: sent along, it tells whether the clerk saw this sum."""
        asked = ("amount", "use_points", "points", "use_coupons", "code")
        return f"{'|'.join(str(self.cleaned_data.get(name)) for name in asked)}={to_pay}"

    def seen_to_pay(self) -> Decimal | None:
        """The sum that the clerk saw for just what is sent now; None when it was for something else."""
        seen = self.cleaned_data.get("seen") or ""
        try:
            to_pay = Decimal(seen.rpartition("=")[2])
        except InvalidOperation:
            return None
        return to_pay if seen == self.shown(to_pay) else None


class RefundForm(forms.Form):
    """What of one purchase is refunded. Nothing is chosen beforehand: a slip refunds nothing."""

    WHOLE, PART, LINES = "whole", "part", "lines"

    nonce = forms.UUIDField(initial=uuid4)
    what = forms.CharField(max_length=5, required=False)
    goods = Amount(required=False)
    line = forms.TypedMultipleChoiceField(coerce=int, required=False)
    reason = forms.CharField(max_length=300, required=False)  # for a second person, above a limit
    seen = forms.CharField(max_length=100, required=False)  # what the page said that it would do

    def __init__(self, purchase: Purchase, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.purchase = purchase
        lines: Any = self.fields["line"]
        lines.choices = [(line.position, line.position) for line in purchase.lines if not line.is_refunded]

    def clean(self) -> dict[str, Any]:
        found: dict[str, Any] = super().clean() or {}
        what = found.get("what")
        if what == self.PART and not found.get("goods") and "goods" not in self.errors:
            self.add_error("goods", _("Type the amount."))
        elif what == self.LINES and not found.get("line") and "line" not in self.errors:
            self.add_error("line", _("Tick what comes back."))
        elif what not in (self.WHOLE, self.PART, self.LINES):
            self.add_error("what", _("Choose what is refunded."))
        return found

    def amount(self) -> Decimal:
        """The yuan that are refunded, by what was chosen."""
        if self.cleaned_data["what"] == self.PART:
            goods: Decimal = self.cleaned_data["goods"]
            return goods
        if self.cleaned_data["what"] == self.LINES:
            return self.purchase.worth(self.lines())
        return self.purchase.left

    def lines(self) -> list[int]:
        """The positions of the lines that come back; none where an amount was chosen."""
        return self.cleaned_data["line"] if self.cleaned_data["what"] == self.LINES else []


class ClaimForm(forms.Form):
    """One claim of a reward, at the price that the page showed."""

    nonce = forms.UUIDField()
    way = forms.CharField(max_length=10, required=False)
    points = forms.IntegerField(min_value=0, max_value=MOST_POINTS)
    money = forms.DecimalField(min_value=0, max_digits=12, decimal_places=2)


class EnrolForm(forms.Form):
    """A new member at the counter. Consents are separate and start unticked (PIPL art. 14-16)."""

    phone = forms.CharField(max_length=30, error_messages={"required": _("Type the customer's phone.")})
    name = forms.CharField(max_length=NAME_LENGTH, required=False)
    referred_by = forms.CharField(max_length=50, required=False)  # the code of who invited them
    marketing = forms.BooleanField(required=False)
    personalisation = forms.BooleanField(required=False)
    # Where the customer proves the phone: the enrolment that a code was sent for, and the code they read out.
    enrolment = forms.UUIDField(required=False)
    code = forms.CharField(max_length=20, required=False)

    def clean_phone(self) -> str:
        try:
            return clean_phone(self.cleaned_data["phone"]) or ""
        except Unclean as unclean:
            raise forms.ValidationError(unclean.reason) from unclean

    def clean_name(self) -> str | None:
        return clean_text(self.cleaned_data["name"])


def new_nonce() -> UUID:
    """The name of the next claim."""
    return uuid4()
