"""What the lists of this app are narrowed by."""

from collections.abc import Iterator

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from privacy import access, register
from privacy.models import AccessRecord, ConsentEvent, Notice
from privacy.narrowing import Narrowing, Several, YesNo, days


def _kinds_of_records(narrowing: Narrowing) -> Iterator[tuple[str, str]]:
    """The kinds of records that hold personal data."""
    for label in dict.fromkeys(field.model for field in register.all_fields()):
        yield label, access.model_in_words(label)


class AccessRecordFilter(Narrowing):
    """The trail."""

    action = Several("action", choices=AccessRecord.Action.choices)
    model = Several("model", choices=_kinds_of_records)
    recorded_from, recorded_until = days("recorded_at")


class ConsentFilter(Narrowing):
    """What people said yes and no to; words that a brand has added are on no list of choices."""

    purpose = Several("purpose", choices=ConsentEvent.Purpose.choices)
    channel = Several("channel", choices=ConsentEvent.Way.choices)
    granted = YesNo(Q(granted=True), label=_("granted"))
    method = Several("method", choices=ConsentEvent.Method.choices)
    happened_from, happened_until = days("happened_at")


class NoticeFilter(Narrowing):
    """The texts that members are shown."""

    kind = Several("kind", choices=Notice.Kind.choices)
    language = Several("language", choices=[("zh-hans", _("Simplified Chinese")), ("en", _("English"))])
    effective_from, effective_until = days("effective_from")
