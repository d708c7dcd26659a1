"""Every list of the console names its filters, and every filter lets a row in and leaves a row out."""

from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.db import connection, models
from django.http import QueryDict
from django.test import RequestFactory
from django.utils import timezone
from django.utils.http import urlencode

from loyalty.filters import HoldState
from loyalty.models import BenefitUse, Claim, Grant
from members.filters import Channels, Span
from members.formats.registry import FORMATS
from members.models import Case, Channel, ImportRun, Member, Refund, Store
from privacy import notices
from privacy.lists import NarrowedAdmin
from privacy.narrowing import NO, YES, Bound, From, Narrowing, One, Words, YesNo
from tests import boutique
from tests.coupon_shop import PRINTED, WELCOME
from tests.test_query_budget import grow, with_a_use
from tests.trade import PROGRAMME, Trade

LISTS: Final[dict[str, Any]] = {model._meta.label: pages for model, pages in admin.site._registry.items()}
# What each question is about, said once more without SQL.
HOLDS: Final[dict[tuple[str, str], Callable[[Any], bool]]] = {
    ("auth.User", "is_active"): lambda user: user.is_active,
    ("loyalty.Activity", "counted"): lambda activity: activity.number is not None,
    ("loyalty.BenefitUse", "given_back"): lambda use: use.given_back_at is not None,
    ("loyalty.Coupon", "of_member"): lambda coupon: coupon.member_id is not None,
    ("loyalty.Wallet", "in_debt"): lambda wallet: wallet.debt > 0,
    ("members.Account", "bound"): lambda account: account.unbound_at is None,
    ("members.ApiKey", "of_staff"): lambda key: key.staff_id is not None,
    ("members.ApiKey", "revoked"): lambda key: key.revoked_at is not None,
    ("members.Channel", "is_active"): lambda channel: channel.is_active,
    ("members.ImportRun", "has_rejected"): lambda run: run.rows_rejected > 0,
    ("members.Order", "late"): lambda order: order.stale_count > 0,
    ("members.Order", "of_member"): lambda order: order.member_id is not None,
    ("members.Refund", "asked_here"): lambda refund: refund.asked_here,
    ("members.Refund", "waiting"): lambda refund: refund.order_id is None,
    ("members.Store", "is_active"): lambda store: store.is_active,
    ("privacy.ConsentEvent", "granted"): lambda event: event.granted,
}


@pytest.mark.parametrize("label", LISTS)
def test_every_list_names_its_filters_and_leaves_none_to_django(label: str) -> None:
    pages = LISTS[label]
    assert isinstance(pages, NarrowedAdmin)
    assert issubclass(pages.get_filterset_class(), Narrowing)
    assert not pages.list_filter and not pages.date_hierarchy


@pytest.fixture
def world(db: None, tmp_path: Path, settings: Any) -> None:
    """A few rows in every list, with a value in every column that a filter asks about."""
    settings.UPLOADS = tmp_path / "uploads"
    trade = Trade()
    boutique.offer(
        trade,
        boutique.TOTE,
        coupons=[{**WELCOME, "quota": None}, PRINTED],
        activities={"check_in": {"points": 1, "coupon": "WELCOME"}},
        tiers=[PROGRAMME["tiers"][0], *map(with_a_use, PROGRAMME["tiers"][1:])],
    )
    notices.publish_defaults()
    grow(trade, "few")
    now = timezone.now()
    Member.objects.update(province="浙江", city="杭州", gender="female", recruited_channel=trade.tmall)
    Refund.objects.update(refunded_at=now)
    Case.objects.update(satisfaction=7)
    Claim.objects.update(store=Store.objects.earliest("id"))
    ImportRun.objects.update(format=min(FORMATS))
    with connection.cursor() as cursor:  # its model is for reading
        cursor.execute("UPDATE procrastinate_jobs SET scheduled_at = now()")
    User.objects.update(last_login=now)
    BenefitUse.objects.update(channel=trade.tmall)
    Grant.objects.update(state="not_given", refusal="too_late")


def left(label: str, told: dict[str, Any]) -> set[Any]:
    """The keys of the rows of a list that its filters leave."""
    pages = LISTS[label]
    narrowing = pages.get_filterset_class()(
        QueryDict(urlencode(told, doseq=True)),
        queryset=pages.model._default_manager.all(),
        request=RequestFactory().get("/"),
    )
    assert narrowing.is_valid(), (label, told, narrowing.errors)
    return set(narrowing.qs.values_list("pk", flat=True))


def beside(each: Bound, value: Any) -> tuple[str, str]:
    """What is told of a bound so that it lets a value in, and so that it just does not."""
    if isinstance(value, date):
        value = timezone.localtime(value).date() if isinstance(value, datetime) else value
        step: Any = timedelta(days=1)
    else:
        step = Decimal("0.01") if isinstance(value, Decimal) else 1
    return str(value), str(value + step if isinstance(each, From) else value - step)


def faults_of(label: str, narrowing: Narrowing) -> Iterator[str]:
    """The filters of a list that let the wrong rows in or out, or that no row could show."""
    rows: models.Manager[Any] = LISTS[label].model._default_manager
    for name, each in narrowing.filters.items():
        told_in: Any
        told_out: Any
        if isinstance(each, YesNo):
            holds = {row.pk for row in rows.all() if HOLDS[label, name](row)}
            if left(label, {name: YES}) != holds or left(label, {name: NO}) & holds:
                yield f"{label}.{name}: yes and no"
            continue
        if isinstance(each, Span | HoldState):
            continue  # what they show unasked is tested beside their lists
        path = f"{each.field_name}__code" if isinstance(each, Channels) else str(each.field_name)
        row = rows.filter(pk__in=left(label, {})).exclude(**{path: None}).exclude(**{f"{path}__in": []})
        found = next(((key, value) for key, value in row.values_list("pk", path) if value != ""), None)
        if found is None:
            yield f"{label}.{name}: no row to look at"
            continue
        key, value = found
        if isinstance(each, Bound):
            told_in, told_out = beside(each, value)
        elif isinstance(each, Words):
            told_in, told_out = ["Nowhere", value], "Nowhere"
        else:
            codes = [code for code, _word in each.choices]
            others = [code for code in codes if code not in ("", str(value))]
            several = [] if isinstance(each, One) else others[:1]
            told_in, told_out = [str(value), *several], others[0] if others else None
        if key not in left(label, {name: told_in}):
            yield f"{label}.{name}: leaves out {value}"
        if told_out is not None and key in left(label, {name: told_out}):
            yield f"{label}.{name}: lets in {value}"


def test_every_filter_lets_a_row_in_and_leaves_a_row_out(world: None) -> None:
    faults = [
        fault
        for label, pages in LISTS.items()
        for fault in faults_of(
            label, pages.get_filterset_class()(QueryDict(), queryset=pages.model._default_manager.all())
        )
    ]
    assert faults == []


def test_channels_are_told_by_code_and_asked_for_by_key(db: None) -> None:
    Trade()
    narrowed = LISTS["members.Order"].get_filterset_class()(
        QueryDict("channel=tmall&channel=app"), queryset=LISTS["members.Order"].model.objects.all()
    )
    keys = sorted(Channel.objects.filter(code__in=["tmall", "app"]).values_list("pk", flat=True))
    told = str(narrowed.qs.query)
    assert "members_channel" not in told and all(str(key) in told for key in keys)
