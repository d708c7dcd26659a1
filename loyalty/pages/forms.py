"""What people type about themselves, complained about in words that say what to do."""

from datetime import date
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from members.cleaning import Unclean, clean_birthday, clean_phone, clean_text
from members.models import Member

NAME_LENGTH = 60


class JoinForm(forms.Form):
    """A phone. Every box starts unticked, and joining needs neither of the consents (PIPL art. 14-16)."""

    phone = forms.CharField(max_length=30, error_messages={"required": _("Type your phone number.")})
    referred_by = forms.CharField(max_length=50, required=False)
    marketing = forms.BooleanField(required=False)
    personalisation = forms.BooleanField(required=False)
    agree = forms.BooleanField(
        error_messages={"required": _("Tick that you have read the agreement and the privacy notice.")}
    )

    def clean_phone(self) -> str:
        try:
            return clean_phone(self.cleaned_data["phone"]) or ""
        except Unclean as unclean:
            raise forms.ValidationError(_("Check the number: this is no phone.")) from unclean


class CodeForm(forms.Form):
    code = forms.CharField(max_length=20, error_messages={"required": _("Type the six digits.")})


class NameForm(forms.Form):
    name = forms.CharField(max_length=NAME_LENGTH, error_messages={"required": _("Type your name.")})

    def clean_name(self) -> str:
        try:
            name = clean_text(self.cleaned_data["name"])
        except Unclean as unclean:
            raise forms.ValidationError(unclean.reason) from unclean
        if not name or "*" in name:
            raise forms.ValidationError(_("Type your name."))
        return name


class BirthdayForm(forms.Form):
    birthday = forms.CharField(
        max_length=10, error_messages={"required": _("Type your birthday, as 1990-03-15.")}
    )

    def clean_birthday(self) -> date:
        try:
            day = clean_birthday(self.cleaned_data["birthday"])
        except Unclean:
            day = None
        if day is None:
            raise forms.ValidationError(_("Type your birthday, as 1990-03-15."))
        return day


class GenderForm(forms.Form):
    gender = forms.ChoiceField(
        choices=Member.Gender.choices, error_messages={"required": _("Choose one, or go on without.")}
    )


class CityForm(forms.Form):
    province = forms.CharField(max_length=30, required=False)
    city = forms.CharField(max_length=50, error_messages={"required": _("Type your city.")})

    def clean(self) -> dict[str, Any]:
        told = super().clean() or {}
        for name in ("province", "city"):
            if told.get(name):
                told[name] = clean_text(told[name])
        return told


STEP_FORMS: dict[str, type[forms.Form]] = {
    "name": NameForm,
    "birthday": BirthdayForm,
    "gender": GenderForm,
    "city": CityForm,
}
