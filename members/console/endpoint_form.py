"""What an admin fills in about a webhook endpoint."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from members.models import Channel, Topic


class EndpointForm(forms.Form):
    """Of which channel, where, and about what."""

    channel = forms.ModelChoiceField(
        Channel.objects.none(),
        label=_("Channel"),
        to_field_name="code",
        empty_label=_("Choose a channel"),
        error_messages={"required": _("Choose a channel."), "invalid_choice": _("Choose a channel.")},
    )
    url = forms.CharField(
        label=_("URL"),
        max_length=500,
        error_messages={"required": _("Enter the URL that the channel's developers gave you.")},
    )
    topics = forms.MultipleChoiceField(
        label=_("Topics"), choices=Topic.choices, required=False, widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, *args: Any, has_channel: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["url"].widget.attrs |= {
            "class": "sk-input",
            "inputmode": "url",
            "autocomplete": "off",
            "placeholder": "https://shop.example.com/webhooks",
        }
        if has_channel:
            del self.fields["channel"]
            return
        channel = self.fields["channel"]
        assert isinstance(channel, forms.ModelChoiceField)
        channel.queryset = Channel.objects.filter(is_active=True)
        channel.widget.attrs["class"] = "sk-input"
