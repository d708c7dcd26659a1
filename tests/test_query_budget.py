"""The lists and pages of the console ask the database as often as their budget says, however long they grow.

The budgets stand in `query_budget.json`. More queries are a fault, fewer are good news that belongs into
the file: `RECORD_QUERY_BUDGETS=1` writes it.
"""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from django.contrib import admin
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from config import idle
from loyalty import activities, benefits, coupon_batches, coupons, nightly, rewards, tier_events
from loyalty.reward_terms import Place
from members import api_keys, cases, channels, events, imports, tags
from members.facts import AccountFact, CaseFact, CaseKind, CaseState, EventFact, EventKind
from members.importing import queue
from members.models import Channel, ColumnMapping, Member
from privacy import access, consent, notices, roles
from tests import boutique, page_rows
from tests.coupon_shop import PRINTED, WELCOME, goods
from tests.members import platform_files
from tests.trade import PROGRAMME, Trade, buyer, phone

BUDGETS = Path(__file__).resolve().parent / "query_budget.json"


def grow(trade: Trade, name: str) -> None:
    """Four more of everything that a list shows: people, what they bought, and what staff did."""
    staff, _password = roles.make_staff(f"clerk-{name}", "clerk")
    roles.make_staff(f"service-{name}", "service")
    for number in range(4):
        word = f"{name}{number}"
        channel = channels.make(f"c-{word}", "pos")
        channels.make_store(channel, word)
        api_keys.make(channel)
        shared = phone(f"+8613{ord(name[0]) % 10}00138{number:03d}", verified=False)
        member = trade.buy(f"T{word}", "700", buyer(f"mei-{word}", shared, name="梅晓雨")).member_id
        trade.buy(f"B{word}", "10", buyer(f"bo-{word}", shared, name="薄荷叶"))
        assert member is not None
        mei = Member.objects.get(pk=member)
        for again in range(4):
            trade.buy(f"T{word}-{again}", "700", buyer(f"mei-{word}"))
        trade.refund(f"T{word}", "R1", "5")
        trade.hold(member, 1, cause=word)
        tags.give(mei, word, actor_id=staff.pk)
        access.note(staff, "view", model="members.Member", member=mei)
        consent.give(mei, "marketing", channel="sms")
        given = coupons.give(member, "WELCOME", reason="Late parcel", nonce=word, actor_id=staff.pk)
        coupons.use(given.code, channel=trade.app, order_no=word, member_id=member, lines=goods("200"))
        coupon_batches.work(coupon_batches.make("PRINTED", 1, actor_id=staff.pk).pk)
        rewards.claim(member, "TOTE", cause=word, channel=trade.app)
        rewards.change_stock(Place("TOTE"), 1, reason="New delivery", actor_id=staff.pk)
        activities.do(member, "check_in", channel=channel)
        gift = tier_events.Gift(member_id=member, tier="gold", cause=word, programme_id=trade.programme.pk)
        tier_events.give([gift])
        benefits.use(member, "monthly", cause=word)
        run = imports.take_in(channel, f"{word}.csv", [platform_files.tmall()])
        queue.ask_to_read(run)
        look_and_complain(channel, word, mei)
        ColumnMapping.objects.create(
            channel=channel, headers_digest=word.encode(), mapping={"kind": "orders"}, chosen_by=staff
        )
    nightly.reassess_tiers()


def look_and_complain(channel: Channel, word: str, mei: Member) -> None:
    """The member looks around, and is not content."""
    now = timezone.now()
    looks = [
        EventFact(event_id=f"{word}{kind.value}", kind=kind, at=now, member_no=mei.number)
        for kind in (EventKind.VIEW, EventKind.SEARCH)
    ]
    assert {receipt.outcome for receipt in events.record(channel, looks, now=now)} == {"new"}
    open_case = CaseFact(
        number=word,
        kind=CaseKind.COMPLAINT,
        state=CaseState.OPEN,
        opened_at=now,
        buyer=AccountFact(external_id=f"mei-{word}"),
    )
    cases.receive(channel, open_case, now=now)


def with_a_use(tier: dict[str, Any]) -> dict[str, Any]:
    """A tier that warns a year ahead, with a benefit that is counted."""
    use = {"code": "monthly", "name": {"en": "Tea"}}
    return {
        **tier,
        "keep": {**tier["keep"], "warn_days": 366},
        "benefits": {**tier["benefits"], "uses": [use]},
    }


def lists() -> dict[str, str]:
    """Every list of the console, with its address."""
    found = {
        model._meta.label: reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        for model in admin.site._registry
    }
    return found | {"loyalty.ProgrammeVersion, the list": reverse("admin:loyalty_programme_versions")}


def queries_of(clients: dict[str, Client], address: str) -> int:
    """The queries of a list, as the first role sees it that may."""
    for client in clients.values():
        # The first time also reads what is read once for all, such as content types.
        if client.get(address).status_code == 200:
            with CaptureQueriesContext(connection) as asked:
                client.get(address)
            return len(asked)
    raise AssertionError(f"No role may see {address}")


@pytest.fixture
def clients(db: None) -> dict[str, Client]:
    """Somebody of each role that has a console."""
    found = {}
    for role in ("admin", "auditor", "privacy", "marketing"):
        user, _password = roles.make_staff(role, role)
        found[role] = Client()
        found[role].force_login(user)
    return found


@pytest.mark.slow
def test_every_list_and_page_of_the_console_keeps_its_budget_however_long_it_grows(
    clients: dict[str, Client], tmp_path: Path, settings, monkeypatch
) -> None:
    settings.UPLOADS = tmp_path / "uploads"
    monkeypatch.setattr(idle, "ACCURACY", 86400)  # a slow machine would count the note of each minute
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
    short = {model._meta.label for model in admin.site._registry if model._default_manager.count() < 2}
    assert short == set(), "an empty list asks for nothing"
    page_rows.grow(trade, "few")
    addresses = sorted((lists() | page_rows.addresses()).items())
    few = {name: queries_of(clients, address) for name, address in addresses}
    grow(trade, "many")
    page_rows.grow(trade, "many")
    many = {name: queries_of(clients, address) for name, address in addresses}
    assert many == few, "a list asks more often when it is longer"
    if os.environ.get("RECORD_QUERY_BUDGETS"):
        BUDGETS.write_text(json.dumps(many, indent=2) + "\n", encoding="utf-8")
    assert many == json.loads(BUDGETS.read_text(encoding="utf-8"))
