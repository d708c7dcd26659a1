"""What the lists of this app are narrowed by. A floor above may extend one (settings.LIST_FILTERS)."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Final

from django import forms
from django.db.models import Q
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from members.cleaning import clean_region
from members.formats.registry import FORMATS
from members.identity import LINK_REASONS
from members.models import Case, Channel, Event, ImportRun, MatchReview, Member, Order, Store
from members.models.channels import Platform
from privacy.narrowing import Narrowing, One, Rows, Several, Words, YesNo, amounts, days, numbers

SPANS: Final = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(days=7)}


class Channels(Several):
    """Rows of any of the chosen channels.

    They are told by their codes and asked for by their keys: the database knows how many rows each key has,
    and goes by the index of a small channel, by the latest rows of a large one.
    """

    field_class = forms.TypedMultipleChoiceField

    def __init__(self, field_name: str = "channel", *, label: str | Promise | None = None) -> None:
        super().__init__(field_name, choices=(), label=label)

    @property
    def choices(self) -> list[tuple[str, str | Promise]]:
        if "coerce" not in self.extra:
            found = list(Channel.objects.order_by("code").values_list("code", "name", "pk"))
            self.extra["choices"] = [(code, name) for code, name, _key in found]
            self.extra["coerce"] = {code: key for code, _name, key in found}.__getitem__
        choices: list[tuple[str, str | Promise]] = self.extra["choices"]
        return choices


def stores(narrowing: Narrowing) -> Iterator[tuple[str, str]]:
    """Every store, by the names of its channel and its own."""
    for key, name, channel in Store.objects.order_by("channel__code", "code").values_list(
        "pk", "name", "channel__name"
    ):
        yield str(key), f"{channel} · {name}"


# --- people -------------------------------------------------------------------------------------------


class MemberFilter(Narrowing):
    """Members."""

    status = Several("status", choices=Member.Status.choices)
    joined_from, joined_until = days("joined_at")
    recruited_channel = Channels("recruited_channel")
    province = Words("province", read=clean_region, help_text=_("Several with commas between"))
    city = Words("city", read=clean_region, help_text=_("Several with commas between"))
    gender = Several("gender", choices=Member.Gender.choices)


class AccountFilter(Narrowing):
    """Accounts."""

    channel = Channels()
    linked_by = Several("linked_by", choices=LINK_REASONS.items())
    linked_from, linked_until = days("linked_at")
    bound = YesNo(Q(unbound_at=None), label=_("bound"))


class MatchReviewFilter(Narrowing):
    """Matches to review."""

    state = Several("state", choices=MatchReview.State.choices)
    reason = Several("reason", choices=MatchReview.Reason.choices)
    created_from, created_until = days("created_at")


class TagFilter(Narrowing):
    """Tags."""

    created_from, created_until = days("created_at")


# --- orders, cases, events ----------------------------------------------------------------------------


class OrderFilter(Narrowing):
    """Orders."""

    channel = Channels()
    status = Several("status", choices=Order.Status.choices)
    placed_from, placed_until = days("placed_at")
    paid_from, paid_until = days("paid_at")
    net_from, net_to = amounts("net")
    of_member = YesNo(Q(member__isnull=False), label=_("of a member"))
    # An older version came after a newer one.
    late = YesNo(Q(stale_count__gt=0), label=_("told late"))


class RefundFilter(Narrowing):
    """Refunds."""

    channel = Channels()
    waiting = YesNo(Q(order=None), label=_("waits for its order"))
    refunded_from, refunded_until = days("refunded_at")
    goods_from, goods_to = amounts("goods")
    asked_here = YesNo(Q(asked_here=True), label=_("asked of Shuke"))


class CaseFilter(Narrowing):
    """Cases."""

    kind = Several("kind", choices=Case.Kind.choices)
    state = Several("state", choices=Case.State.choices)
    channel = Channels()
    opened_from, opened_until = days("opened_at")
    satisfaction_from, satisfaction_to = numbers("satisfaction")


class Span(One):
    """How far back a list of everybody's events looks: a span that its months' indexes answer quickly."""

    def filter(self, rows: Rows, value: Any) -> Rows:
        """Of everybody no further back than was chosen, a day unless told; of one member all there is."""
        if not value and self.parent.request.GET.get("q", "").strip():
            return rows
        return rows.filter(at__gte=timezone.now() - SPANS[value or "day"])


class EventFilter(Narrowing):
    """Behaviour events."""

    time = Span(
        choices=[("hour", _("The last hour")), ("day", _("The last day")), ("week", _("The last week"))],
        label=_("how far back"),
        otherwise=_("The last day; of one member all"),
    )
    channel = Channels("visitor__channel", label=_("channel"))
    kind = Several("kind", choices=Event.Kind.choices)


# --- imports and channels -----------------------------------------------------------------------------


class ImportRunFilter(Narrowing):
    """Imports of files."""

    state = Several("state", choices=ImportRun.State.choices)
    channel = Channels()
    format = Several("format", choices=[(name, format.label) for name, format in FORMATS.items()])
    started_from, started_until = days("created_at")
    has_rejected = YesNo(Q(rows_rejected__gt=0), label=_("with rejected rows"))


class ColumnMappingFilter(Narrowing):
    """Columns that were explained by hand."""

    channel = Channels()
    chosen_from, chosen_until = days("chosen_at")


class ChannelFilter(Narrowing):
    """Channels."""

    platform = Several("platform", choices=Platform.choices)
    is_active = YesNo(Q(is_active=True), label=_("active"))


class StoreFilter(Narrowing):
    """Stores."""

    channel = Channels()
    is_active = YesNo(Q(is_active=True), label=_("active"))


class ApiKeyFilter(Narrowing):
    """Keys of the API."""

    channel = Channels()
    of_staff = YesNo(Q(staff__isnull=False), label=_("of a member of staff"))
    revoked = YesNo(Q(revoked_at__isnull=False), label=_("is revoked"))
    created_from, created_until = days("created_at")
