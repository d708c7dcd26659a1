"""What a list may be narrowed by: kinds of filters, each a rule on the rows and a field to tell its value in.

Each app names its filters in FilterSets of django-filter (`members.filters`, …). The console's lists show
them (`privacy.lists`); where the API narrows the same rows it takes the very filters and only reads their
values in its own way (`told_as`). Days are days of the brand's time zone, both ends included.

No filter joins a table that may hold several rows for one, so nothing is ever DISTINCT: that would sort the
whole table before the first row is shown.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from copy import copy
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, ClassVar, Final, Self

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from django_filters import Filter, FilterSet
from django_filters.constants import EMPTY_VALUES
from django_filters.utils import get_model_field

Word = str | Promise
Choices = Iterable[tuple[str, Word]]
Rows = QuerySet[Any]

FIRST_DAY, LAST_DAY = date(1900, 1, 1), date(2999, 12, 31)
MOST_POINTS: Final = 10**15
LONGEST_WORDS: Final = 200
YES, NO = "1", "0"


# --- how values are told ------------------------------------------------------------------------------


class DayField(forms.DateField):
    """A day, as `2026-11-22`."""

    def __init__(self, **options: Any) -> None:
        bounds = {"min": FIRST_DAY.isoformat(), "max": LAST_DAY.isoformat()}
        super().__init__(
            input_formats=["%Y-%m-%d"],
            widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date", "class": "sk-input", **bounds}),
            validators=[MinValueValidator(FIRST_DAY), MaxValueValidator(LAST_DAY)],
            error_messages={"invalid": _("Write a day as 2026-11-22.")},
            **options,
        )


class WholeField(forms.IntegerField):
    """A whole number of either sign."""

    def __init__(self, **options: Any) -> None:
        widget = forms.NumberInput(attrs={"class": "sk-input", "step": "1"})
        super().__init__(min_value=-MOST_POINTS, max_value=MOST_POINTS, widget=widget, **options)


class YuanField(forms.DecimalField):
    """Money in yuan with two places."""

    def __init__(self, **options: Any) -> None:
        widget = forms.NumberInput(attrs={"class": "sk-input", "step": "0.01"})
        super().__init__(max_digits=12, decimal_places=2, widget=widget, **options)


# --- kinds of filters ---------------------------------------------------------------------------------


class Rule(Filter):
    """A filter whose rule several doors share."""

    def told_as(self, field_class: type[forms.Field], **options: Any) -> Self:
        """The same rule with its value read by another field."""
        other = copy(self)
        other.field_class, other.extra = field_class, {"required": False, **options}
        return other

    def in_words(self, told: list[str]) -> str:
        """What was chosen (texts of an address), for people."""
        return ", ".join(told)


class Several(Rule):
    """Rows with any of the chosen codes. `choices`: (code, word), or what reads them from the FilterSet."""

    field_class: type[forms.Field] = forms.MultipleChoiceField

    def __init__(
        self,
        field_name: str | None = None,
        *,
        choices: Choices | Callable[[Any], Choices],
        label: Word | None = None,
    ) -> None:
        super().__init__(field_name, label=label)
        self._choices = choices if callable(choices) else list(choices)

    @property
    def choices(self) -> list[tuple[str, Word]]:
        """The choices, asked for once a page."""
        if "choices" not in self.extra:
            chosen = self._choices
            self.extra["choices"] = list(chosen(self.parent) if callable(chosen) else chosen)
        found: list[tuple[str, Word]] = self.extra["choices"]
        return found

    @property
    def field(self) -> forms.Field:
        if issubclass(self.field_class, forms.ChoiceField):
            self.extra.update(choices=self.choices, widget=self.widget())
        field: forms.Field = super().field
        return field

    def widget(self) -> forms.Widget:
        """A box for each choice."""
        return forms.CheckboxSelectMultiple()

    def in_words(self, told: list[str]) -> str:
        words = dict(self.choices)
        return ", ".join(str(words.get(code, code)) for code in told)

    def filter(self, rows: Rows, value: Any) -> Rows:
        # A door may read the value as a query of keys, which is not to be asked by itself.
        return rows if value in EMPTY_VALUES else rows.filter(**{f"{self.field_name}__in": value})


class One(Several):
    """Rows with the chosen code; `otherwise` is what the choice of none is called."""

    field_class = forms.ChoiceField

    def __init__(
        self, field_name: str | None = None, *, otherwise: Word | None = None, **options: Any
    ) -> None:
        super().__init__(field_name, **options)
        self.otherwise = otherwise

    @property
    def choices(self) -> list[tuple[str, Word]]:
        found = super().choices
        return found if found and found[0][0] == "" else [("", self.otherwise or _("All")), *found]

    def widget(self) -> forms.Widget:
        """A box that opens."""
        return forms.Select(attrs={"class": "sk-input"})

    def filter(self, rows: Rows, value: Any) -> Rows:
        return rows.filter(**{str(self.field_name): value}) if value else rows


class YesNo(One):
    """Rows for which something holds, or does not."""

    def __init__(self, holds: Q, *, label: Word) -> None:
        super().__init__(choices=[(YES, _("Yes")), (NO, _("No"))], label=label)
        self.holds = holds

    def filter(self, rows: Rows, value: Any) -> Rows:
        return rows.filter(self.holds if value == YES else ~self.holds) if value else rows


class Words(Rule):
    """Rows with any of the typed words, parted by commas or spaces; `read` puts each as it is kept."""

    field_class = forms.CharField

    def __init__(self, field_name: str, *, read: Callable[[str], str | None], help_text: Word) -> None:
        widget = forms.TextInput(attrs={"class": "sk-input", "placeholder": help_text})
        super().__init__(field_name, max_length=LONGEST_WORDS, widget=widget)
        self.read = read

    def filter(self, rows: Rows, value: Any) -> Rows:
        words = [self.read(word) for word in re.split(r"[\s,，、;；]+", value or "") if word]
        return rows.filter(**{f"{self.field_name}__in": words}) if words else rows


class Bound(Rule):
    """One end of a range; `name` is what the end is called, `sign` how it stands before a value."""

    name: Word
    sign: ClassVar[str]

    def in_words(self, told: list[str]) -> str:
        return f"{self.sign} {', '.join(told)}"

    def _is_day_of_instants(self, value: Any) -> bool:
        is_day = isinstance(value, date) and not isinstance(value, datetime)
        return is_day and isinstance(get_model_field(self.model, self.field_name), models.DateTimeField)


class From(Bound):
    """Rows from a day, an instant or a number on; it is included."""

    sign = "≥"

    def filter(self, rows: Rows, value: Any) -> Rows:
        if value is None:
            return rows
        first = _midnight(value) if self._is_day_of_instants(value) else value
        return rows.filter(**{f"{self.field_name}__gte": first})


class Until(Bound):
    """Rows up to a day or a number, which is included, or before an instant, which is not."""

    sign = "≤"

    def filter(self, rows: Rows, value: Any) -> Rows:
        if value is None:
            return rows
        if self._is_day_of_instants(value):
            value = _midnight(value + timedelta(days=1))
        lookup = "lt" if isinstance(value, datetime) else "lte"
        return rows.filter(**{f"{self.field_name}__{lookup}": value})


def _midnight(day: date) -> datetime:
    """The first instant of a day of the brand."""
    return timezone.make_aware(datetime.combine(day, time.min), timezone.get_default_timezone())


def _range(
    column: str, label: Word | None, field_class: type[forms.Field], names: tuple[Word, Word]
) -> tuple[From, Until]:
    first = From(column, label=label).told_as(field_class)
    last = Until(column, label=label).told_as(field_class)
    first.name, last.name = names
    return first, last


def days(column: str, label: Word | None = None) -> tuple[From, Until]:
    """The two ends of a range of days, over a column of instants or of days."""
    return _range(column, label, DayField, (_("From"), _("Until")))


def numbers(column: str, label: Word | None = None) -> tuple[From, Until]:
    """The two ends of a range of whole numbers."""
    return _range(column, label, WholeField, (_("At least"), _("At most")))


def amounts(column: str, label: Word | None = None) -> tuple[From, Until]:
    """The two ends of a range of money (yuan)."""
    return _range(column, label, YuanField, (_("At least"), _("At most")))


# --- all filters of one list --------------------------------------------------------------------------


class NarrowingForm(forms.Form):
    """The values of all filters; of a range, the end may not lie before the beginning."""

    ranges: ClassVar[list[tuple[str, str]]] = []

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options | {"auto_id": "narrow-%s", "use_required_attribute": False})

    def clean(self) -> dict[str, Any]:
        said: dict[str, Any] = super().clean() or {}
        for first, last in self.ranges:
            if None not in (said.get(first), said.get(last)) and said[first] > said[last]:
                self.add_error(last, _("The end lies before the beginning."))
        return said


@dataclass(frozen=True, slots=True)
class Asked:
    """A filter that is on: what it is called, what was chosen, and the names of its values in an address."""

    label: str
    words: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """Fields that stand together in the form: a range has two, all else one."""

    label: str
    fields: tuple[tuple[Word, forms.BoundField], ...]

    @property
    def is_range(self) -> bool:
        return len(self.fields) > 1

    @property
    def is_single(self) -> bool:
        has_boxes = isinstance(self.fields[0][1].field.widget, forms.CheckboxSelectMultiple)
        return not self.is_range and not has_boxes


class Narrowing(FilterSet):
    """The filters of one list."""

    filters: Mapping[str, Rule]

    class Meta:
        form = NarrowingForm

    def called(self, name: str) -> str:
        """What a filter is called on pages."""
        return capfirst(str(self.filters[name].label))

    def get_form_class(self) -> type[NarrowingForm]:
        """The form, which knows which of its fields are the ends of one range."""
        form: type[NarrowingForm] = super().get_form_class()
        form.ranges = [(names[0], names[1]) for names in self._together() if len(names) > 1]
        return form

    def _together(self) -> Iterator[tuple[str, ...]]:
        """The names of filters, those of one range together."""
        names = list(self.filters)
        while names:
            first, *rest = names
            is_range = isinstance(self.filters[first], From) and rest
            if is_range and isinstance(self.filters[rest[0]], Until):
                yield first, rest.pop(0)
            else:
                yield (first,)
            names = rest

    def groups(self) -> list[Group]:
        """The fields of the form as they stand on a page."""
        return [
            Group(
                self.called(names[0]),
                tuple((getattr(self.filters[name], "name", ""), self.form[name]) for name in names),
            )
            for names in self._together()
        ]

    def asked(self) -> list[Asked]:
        """The filters that are on, in the order of the form."""
        found = []
        for names in self._together():
            told = {name: told for name in names if (told := [word for word in self._told(name) if word])}
            if told:
                words = " ".join(self.filters[name].in_words(values) for name, values in told.items())
                found.append(Asked(self.called(names[0]), words, tuple(told)))
        return found

    def _told(self, name: str) -> list[str]:
        told: list[str] = self.data.getlist(name)
        return told
