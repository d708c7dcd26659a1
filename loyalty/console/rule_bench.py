"""The test bench beside the rule: a basket, or an order of the past, as somebody types it (B5)."""

from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from loyalty import bench
from loyalty.bench import Purchase
from loyalty.console.rule_rows import Posted
from loyalty.rule_choices import RuleChoices
from members import seeing
from members.facts import LineFact
from privacy.errors import ShukeError

PREFIX = "bench"
LARGEST = Decimal("9999999.99")
CENT = Decimal("0.01")


class BenchForm(forms.Form):
    """Who buys what where and when. With an order number everything else is taken from that order."""

    prefix = PREFIX

    member = forms.CharField(
        label=_("Member number"), required=False, max_length=30, help_text=_("Empty: somebody new.")
    )
    tier = forms.ChoiceField(label=_("Tier of somebody new"), required=False)
    channel = forms.ChoiceField(label=_("Channel"), required=False)
    store = forms.ChoiceField(label=_("Store"), required=False)
    paid = forms.DecimalField(
        label=_("Goods after discounts, yuan"),
        required=False,
        min_value=Decimal(0),
        max_value=LARGEST,
        decimal_places=2,
    )
    at = forms.DateTimeField(
        label=_("Paid at"), required=False, help_text=_("Empty: now, by the programme's clock.")
    )
    order = forms.CharField(
        label=_("Order number"),
        required=False,
        max_length=64,
        help_text=_("An order of the past, in place of a basket."),
    )

    def __init__(self, *args: Any, choices: RuleChoices, may_see_members: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        options: dict[str, Any] = {
            "tier": [*choices.options["member.tier"]],
            "channel": [("", "–"), *choices.options["order.channel"]],
            "store": [("", "–"), *choices.options["order.store"]],
        }
        for name, named in options.items():
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)
            field.choices = named
        if not may_see_members:
            del self.fields["member"], self.fields["order"]
        for field in self.fields.values():
            field.widget.attrs |= {"class": "sk-input", "autocomplete": "off"}
        self.fields["paid"].widget = forms.TextInput(attrs={"class": "sk-input", "inputmode": "decimal"})
        self.fields["at"].widget = forms.DateTimeInput(
            attrs={"class": "sk-input", "type": "datetime-local"}, format="%Y-%m-%dT%H:%M"
        )

    def clean_member(self) -> int | None:
        """The id of the member with that number, None for nobody."""
        number = self.cleaned_data["member"]
        if not number:
            return None
        try:
            return seeing.id_of(number)
        except ShukeError as unknown:
            raise ValidationError(str(unknown)) from unknown

    def purchase(self, data: Posted, zone: ZoneInfo) -> Purchase:
        """What is tried out. The form is valid. Raises OrderNotFound, and ValidationError for lines."""
        told = self.cleaned_data
        if told.get("order"):
            return bench.past(told["order"], told.get("channel") or "")
        lines = lines_of(data)
        amounts = sum((line.amount or Decimal(0) for line in lines), Decimal(0))
        at = told["at"]
        return Purchase(
            channel=told["channel"],
            store=told["store"],
            net=amounts if told["paid"] is None else told["paid"],
            at=at.replace(tzinfo=zone) if at is not None else bench.now(),
            lines=tuple(lines),
            member_id=told.get("member"),
            tier=told["tier"],
        )


def typed_lines(data: Posted) -> list[tuple[str, str, str]]:
    """The lines as they were typed, (product, category, amount), and an empty one to go on."""
    columns = [data.getlist(f"{PREFIX}.{name}") for name in ("product", "category", "amount")]
    typed = [line for line in zip(*columns, strict=False) if any(text.strip() for text in line)]
    return [*typed, ("", "", "")]


def lines_of(data: Posted) -> list[LineFact]:
    """The lines of the basket. Raises ValidationError for an amount that is none."""
    return [
        LineFact(product=product.strip(), category=category.strip(), amount=_yuan(amount))
        for product, category, amount in typed_lines(data)[:-1]
    ]


def _yuan(text: str) -> Decimal:
    try:
        amount = Decimal(text.strip() or "0")
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite() or not 0 <= amount <= LARGEST or amount != amount.quantize(CENT):
        raise ValidationError(_("Type the amount of a line as yuan, such as 80 or 19.90."))
    return amount
