"""What staff fill in about rewards: a picture, a change of stock, a parcel number, a reason."""

from django import forms
from django.utils.translation import gettext_lazy as _

from loyalty.fulfilment import LONGEST_REASON, LONGEST_TRACKING
from loyalty.reading import LANGUAGES
from loyalty.reward_terms import Place

MOST_PIECES = 1_000_000
LONGEST_ALT = 200


class _Form(forms.Form):
    @property
    def complaint(self) -> str:
        """The first mistake, in words."""
        return str(next(iter(self.errors.values()))[0])


class PictureForm(_Form):
    """A picture, and what it shows for those who cannot see it."""

    picture = forms.FileField(error_messages={"required": _("Choose a picture.")})
    alt_zh = forms.CharField(max_length=LONGEST_ALT, required=False)
    alt_en = forms.CharField(max_length=LONGEST_ALT, required=False)

    def alt(self) -> dict[str, str]:
        """What it shows, by language; without a word it is only an ornament beside the name."""
        told = (self.cleaned_data["alt_zh"], self.cleaned_data["alt_en"])
        return {language: text for language, text in zip(LANGUAGES, told, strict=True) if text}


class StockForm(_Form):
    """Pieces that come (+) or go (−), of the reward itself or of one of its sales."""

    sale = forms.CharField(max_length=50, required=False)
    pieces = forms.IntegerField(
        min_value=-MOST_PIECES,
        max_value=MOST_PIECES,
        error_messages={
            "required": _("Enter by how many the stock changes, such as 20 or -5."),
            "invalid": _("Enter by how many the stock changes, such as 20 or -5."),
        },
    )
    reason = forms.CharField(
        max_length=LONGEST_REASON,
        error_messages={"required": _("Give the reason in at least five characters.")},
    )

    def place(self, code: str) -> Place:
        """The shelf that is meant."""
        return Place(code, self.cleaned_data["sale"])


class ShipForm(_Form):
    tracking = forms.CharField(max_length=LONGEST_TRACKING, required=False)


class CancelForm(_Form):
    reason = forms.CharField(max_length=LONGEST_REASON, required=False)
