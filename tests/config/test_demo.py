"""The demo: the same files from the same seed, in the platforms' formats, and in by the front door."""

import csv
import json
import re
from collections import Counter
from datetime import date, datetime, timedelta
from hashlib import sha256
from io import StringIO
from itertools import islice, pairwise

import pytest
from django.contrib.auth import authenticate
from django.core.management import CommandError, call_command
from django.db import transaction
from django.utils import translation

from config import demo
from config.demo import Plan
from config.demos import files, shop
from config.demos.errors import NotADemo, NotEmpty, OtherDemo
from config.demos.households import NOBODY, household, households
from config.demos.purchases import purchases
from config.demos.seasons import DOUBLE_ELEVEN, MID_AUTUMN, NEW_YEAR, USUAL, Seasons, season
from loyalty import audit
from loyalty.models import Entry
from members.cleaning import SHANGHAI, ZERO
from members.facts import OrderStatus
from members.formats import mapped, registry
from members.formats.outcomes import Read
from members.formats.reading import open_table
from members.models import Account, ColumnMapping, ImportRun, MatchReview, Member, Order
from privacy import roles
from tests.trade import Trade, buyer

TODAY = date(2026, 11, 22)
SEASONS = Seasons(date(2025, 5, 22), date(2026, 11, 21))
PLAN = Plan(members=40, seed=7, today=TODAY.isoformat())


def digests(folder):
    return {path.name: sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


def make(folder, *, members=190, seed=7, today=TODAY):
    folder.mkdir()
    return files.make(folder, members, seed, today)


def customers(count):
    return [one for each in islice(households(7, SEASONS), count) for one in each]


# ------------------------------------------------------------------------------------ people and purchases


def test_the_days_that_people_buy_for():
    assert season(date(2026, 11, 11)) == DOUBLE_ELEVEN
    assert season(date(2026, 2, 16)) == NEW_YEAR
    assert season(date(2026, 2, 17)) == USUAL
    assert season(date(2025, 10, 5)) == MID_AUTUMN
    assert season(date(2040, 3, 3)) == USUAL


def test_a_person_is_made_of_seed_and_number_alone():
    assert household(42, 7, SEASONS) == household(42, 7, SEASONS)
    assert household(42, 7, SEASONS) != household(42, 8, SEASONS)


def test_nobody_has_the_phone_card_or_order_number_of_another():
    people = customers(600)
    phones = Counter(customer.person.phone for customer in people)
    shared = {phone for phone, count in phones.items() if count > 1}
    assert all(len(each) == 2 for each in [[c for c in people if c.person.phone == p] for p in shared])
    assert len(shared) == sum(number % 180 in (11, 31) for number in range(1, 601))
    accounts = [
        (presence.channel, presence.account.external_id)
        for customer in people
        for presence in customer.presences
        if presence.account and presence.account.external_id
    ]
    assert len(accounts) == len(set(accounts)) > 300
    numbers = [
        (bought.channel, bought.order.number)
        for customer in people
        for bought in purchases(customer, 7, SEASONS)
    ]
    assert len(numbers) == len(set(numbers)) > 1500


def test_history_ends_before_today_and_adds_up():
    end = datetime(2026, 11, 22, tzinfo=SHANGHAI)
    for customer in customers(300):
        for bought in purchases(customer, 7, SEASONS):
            order = bought.order
            times = (order.placed_at, order.paid_at, order.shipped_at, order.received_at, order.completed_at)
            told = [moment for moment in times if moment]
            assert told == sorted(told) and told[-1] < end
            assert customer.person.since <= told[0].date() <= customer.person.until
            listed = sum((line.amount or ZERO) + line.discount for line in order.lines)
            assert listed >= order.amounts.goods >= order.amounts.net > 0
            assert (order.refunded_total or 0) <= order.amounts.paid
            assert all(refund.goods <= order.amounts.net for refund in bought.refunds)
            assert (order.paid_at is None) == (
                order.status is OrderStatus.PLACED
                or (order.status is OrderStatus.CANCELLED and not order.refunded_total)
            )


def test_orders_without_a_buyer_are_nobodys():
    for customer in customers(300):
        for presence in customer.presences:
            known = presence.buyer is not None and "*" not in (presence.buyer.external_id or "")
            assert known == (presence.identity != NOBODY)


# ----------------------------------------------------------------------------------------------- the files


def test_the_same_seed_writes_the_same_bytes(tmp_path):
    one = make(tmp_path / "one")
    assert one == make(tmp_path / "two")
    assert digests(tmp_path / "one") == digests(tmp_path / "two")
    assert sorted(digests(tmp_path / "one")) == sorted(file.name for file in one.files)
    make(tmp_path / "other", seed=8)
    assert digests(tmp_path / "one") != digests(tmp_path / "other")


def test_people_written_in_blocks_stand_under_one_header(tmp_path, monkeypatch):
    make(tmp_path / "whole")
    monkeypatch.setattr(files, "BLOCK", 25)
    made = make(tmp_path / "blocks")
    for file in made.files:
        whole, blocks = ((tmp_path / each / file.name).read_bytes() for each in ("whole", "blocks"))
        assert sorted(whole.splitlines()) == sorted(blocks.splitlines())
        assert whole.splitlines()[0] == blocks.splitlines()[0]


def test_every_row_is_read_in_its_format(tmp_path):
    made = make(tmp_path / "files")
    assert made.members == 190
    counted: Counter[str] = Counter()
    for file in made.files:
        with open_table(tmp_path / "files" / file.name) as table:
            form = registry.recognise(table.headers)
            if form is None:
                form = mapped.format_of(mapped.guess_mapping(table.headers), table.headers)
            else:
                assert form.name == file.form
            outcomes = list(form.read(table.rows))
        assert all(isinstance(outcome, Read) and not outcome.remarks for outcome in outcomes), file.name
        counted[form.kind] += len(outcomes)
    assert counted["orders"] == made.orders
    assert counted["refunds"] > 0
    assert set(counted) == {"accounts", "orders", "order-lines", "refunds"}


def test_a_store_sale_names_its_store_and_card(tmp_path):
    make(tmp_path / "files")
    (path,) = (tmp_path / "files").glob("sales-*-20261121.csv")
    with path.open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert {row["门店编码"] for row in rows} == set(dict(shop.STORES))
    assert any(row["会员卡号"] for row in rows) and not all(row["会员卡号"] for row in rows)


def test_periods_follow_on_one_another():
    periods = files.Periods(TODAY)
    spans = [periods.span(number + 1).split("-") for number in range(len(periods.starts))]
    assert (spans[0][0], spans[-1][1]) == ("20250522", "20261121")
    for (_first, last), (first, _last) in pairwise(spans):
        assert datetime.strptime(last, "%Y%m%d") + timedelta(days=1) == datetime.strptime(first, "%Y%m%d")
    assert periods.of(datetime(2026, 11, 21, 23, 59, tzinfo=SHANGHAI)) == len(periods.starts)


# ------------------------------------------------------------------------------------------------- the load


@pytest.fixture
def installation(db, settings, tmp_path):
    """An empty installation with folders of its own, that speaks English."""
    settings.VAR = tmp_path
    settings.UPLOADS = tmp_path / "uploads"
    with translation.override("en"):
        yield tmp_path


class TakeBack(Exception):
    """Ends a transaction that a test undoes."""


def test_a_load_is_what_its_files_say(installation, tmp_path):
    made = make(tmp_path / "expected")
    out = StringIO()
    call_command("load_demo", members=190, seed=7, today=TODAY, json=True, stdout=out, stderr=StringIO())
    found = json.loads(out.getvalue())
    at_the_desk = Order.objects.filter(number__regex="^jingan-").count()
    assert found["members"] == Member.objects.count() == 190
    assert found["orders"] == made.orders + at_the_desk
    assert at_the_desk > 0 and found["points"]["redeem"] < 0
    assert {"earn", "expire", "redeem", "take_back"} <= set(found["points"])
    assert sum(found["points"].values()) == found["points_outstanding"]
    assert set(MatchReview.objects.values_list("reason", flat=True)) == {
        MatchReview.Reason.NAME_DIFFERS,
        MatchReview.Reason.BIRTHDAY_DIFFERS,
        MatchReview.Reason.KEYS_DISAGREE,
    }
    assert {"new", "phone", "phone_verified", "unionid", "email"} <= set(
        Account.objects.values_list("linked_by", flat=True)
    )
    channels = Counter(member for member, _ in set(Account.objects.values_list("member_id", "channel_id")))
    assert sum(count > 1 for count in channels.values()) > 40
    assert set(ImportRun.objects.values_list("state", "rows_rejected")) == {("done", 0)}
    assert ImportRun.objects.count() == len(made.files)
    assert {run.channel.code for run in ImportRun.objects.all()} == set(files.ORDERS)
    assert ColumnMapping.objects.count() == 6  # a shop's own lists and tills have no format of their own
    assert list(audit.check()) == []
    assert not (installation / "demo").exists()


def test_loaded_again_nothing_changes(installation):
    first = demo.load(PLAN, lambda line: None)
    runs, entries = ImportRun.objects.count(), Entry.objects.count()
    said: list[str] = []
    assert demo.load(Plan(members=500, seed=8, today="2026-11-23"), said.append) == first
    assert said == ["The demo is loaded already; nothing was changed."]
    assert (ImportRun.objects.count(), Entry.objects.count()) == (runs, entries)


def test_staff_can_sign_in_as_printed(installation):
    demo.load(Plan(members=5, seed=7, today=PLAN.today), lambda line: None)
    printed = re.findall(r"^  (\w+) +(\S+)$", (installation / "sign-ins.txt").read_text(), re.MULTILINE)
    assert {
        roles.role_of(authenticate(username=name, password=password)) for name, password in printed
    } == set(roles.matrix().roles)
    clerk = authenticate(username="clerk", password="demo-clerk")
    assert roles.can(clerk, "points.redeem", store="jingan/jingan")
    assert (installation / "sign-ins.txt").stat().st_mode & 0o077 == 0


@pytest.mark.slow
def test_a_load_that_was_cut_short_ends_as_one_that_was_not(installation):
    with pytest.raises(TakeBack), transaction.atomic():
        whole = demo.load(PLAN, lambda line: None)
        raise TakeBack
    lines = []

    def give_up_in_the_middle(line):
        lines.append(line)
        if len(lines) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        demo.load(PLAN, give_up_in_the_middle)
    assert 0 < ImportRun.objects.count() < 39 and demo.begun() == PLAN
    with pytest.raises(OtherDemo):
        demo.load(Plan(members=10, seed=7, today=PLAN.today), lines.append)
    assert demo.load(PLAN, lines.append) == whole
    assert demo.begun() is None


def test_orders_of_others_are_left_alone(installation):
    Trade().buy("1", "10.00", buyer("mei"))
    with pytest.raises(NotEmpty):
        demo.load(PLAN, lambda line: None)
    assert (ImportRun.objects.count(), Order.objects.count()) == (0, 1)


def test_it_is_not_for_production(installation, settings):
    settings.IS_DEMO = False
    with pytest.raises(NotADemo):
        demo.load(PLAN, lambda line: None)
    with pytest.raises(CommandError, match="production"):
        call_command("load_demo", members=5)
    assert not Order.objects.exists()


@pytest.mark.parametrize("size", ["0", "1000001", "-5"])
def test_sizes_have_bounds(size):
    with pytest.raises(CommandError, match="from 1 to 1,000,000"):
        call_command("load_demo", f"--members={size}")
