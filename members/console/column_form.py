"""The form that asks what the columns of a file mean."""

from typing import Any, cast

from django import forms
from django.utils.translation import gettext_lazy as _

from members.formats.mapped import TARGETS, DateOrder, MappedKind, Mapping
from members.importing import columns
from members.models import ImportRun

KINDS = [("orders", _("Orders")), ("accounts", _("Customers"))]
DATE_ORDERS = [
    ("ymd", _("Year, month, day")),
    ("dmy", _("Day, month, year")),
    ("mdy", _("Month, day, year")),
]
AMOUNTS_ON = [
    ("order", _("Each row repeats the amounts of the whole order")),
    ("row", _("Each row has its own amounts, to be added up")),
]

# What is to be said where none of several columns is chosen of which one is needed.
ONE_OF = {
    "phone": _("Choose a column that tells buyers apart: an id, a phone or an e-mail address."),
    "paid": _("Choose a column with an amount: paid, goods or price."),
}


class ColumnForm(forms.Form):
    """One choice of a column for each thing that a file of this kind can tell.

    It begins with what was chosen before for such files, or with what the names of the columns suggest.
    """

    kind = forms.ChoiceField(label=_("What does each row tell?"), choices=KINDS)
    date_order = forms.ChoiceField(label=_("Order of dates"), choices=DATE_ORDERS)
    amounts_on = forms.ChoiceField(label=_("Amounts"), choices=AMOUNTS_ON, required=False)

    def __init__(self, run: ImportRun, data: Any = None, *, kind: str | None = None) -> None:
        super().__init__(data)
        self.headers = run.headers
        asked = (data.get("kind") if data is not None else kind) or None
        proposed = columns.proposal(run, cast(MappedKind, asked) if asked in TARGETS else None)
        self.chosen_kind: MappedKind = proposed.kind
        self.samples = columns.samples(run)
        self.initial.update(
            kind=proposed.kind, date_order=proposed.date_order, amounts_on=proposed.amounts_on
        )
        choices = [("", "—"), *((header, self._with_sample(header)) for header in run.headers if header)]
        for name, target in TARGETS[self.chosen_kind].items():
            self.fields[f"column-{name}"] = forms.ChoiceField(
                label=str(target.label),
                choices=choices,
                required=target.needed,
                initial=proposed.fields.get(name, ""),
            )
        for field in self.fields.values():
            field.widget.attrs["class"] = "sk-input"
        if self.chosen_kind == "accounts":
            del self.fields["amounts_on"]

    def _with_sample(self, header: str) -> str:
        found = self.samples.get(header) or []
        return f"{header} ({', '.join(found[:2])})" if found else header

    def clean(self) -> dict[str, Any]:
        """Say beside the column what is missing, rather than in the words of the format."""
        told = super().clean() or self.cleaned_data
        if not self.errors:
            for name in self.mapping().missing(self.headers):
                if name in ONE_OF:
                    self.add_error(f"column-{name}", str(ONE_OF[name]))
        return told

    def target_fields(self) -> list[forms.BoundField]:
        """The choices of columns, in their order."""
        return [self[name] for name in self.fields if name.startswith("column-")]

    def other_fields(self) -> list[forms.BoundField]:
        """What else is asked."""
        return [self[name] for name in self.fields if not name.startswith("column-") and name != "kind"]

    def mapping(self) -> Mapping:
        """The answer, once the form is valid."""
        told = self.cleaned_data
        return Mapping(
            kind=self.chosen_kind,
            fields={
                name.removeprefix("column-"): header
                for name, header in told.items()
                if name.startswith("column-") and header
            },
            amounts_on="row" if told.get("amounts_on") == "row" else "order",
            date_order=cast(DateOrder, told["date_order"]),
        )
