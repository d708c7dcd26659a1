"""The same order through every door at once: API, batch, file, reconciliation count it once (A9, A16, B3)."""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.db import IntegrityError

from loyalty import counter, orders
from loyalty.models import Entry, OrderEarning
from members import channels, imports, order_rows, reconciling
from members.errors import NothingToSettle
from members.facts import AmountsFact, OrderFact, OrderStatus
from members.models import Channel, Member, Order, OutboxEvent
from tests.api import Api
from tests.races.threads import at_once, refusals
from tests.trade import Trade, buyer, proven

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]

AT = datetime.fromisoformat("2026-06-01T10:00:00+08:00")


@pytest.fixture(autouse=True)
def folders(settings: Any, tmp_path: Any) -> None:
    settings.UPLOADS = tmp_path / "uploads"


@pytest.fixture
def trade(db: None) -> Trade:
    return Trade()


def table(number: str, who: str) -> bytes:
    """A till's file with one order of 200 yuan."""
    head = "订单号,会员编号,下单时间,付款时间,状态,实付金额"
    return f"{head}\r\n{number},{who},2026-06-01 10:00:00,2026-06-01 10:00:00,completed,200\r\n".encode()


def doors(channel: Channel, number: str, who: str) -> list[Callable[[], object]]:
    """Everybody who may tell an order, ready to: what is left is the moment at which it counts."""
    api, other = Api(channel), Api(channel)
    assert api.get(f"/orders/none-{number}/").status == 404  # the API's description is read once, by one
    body = {
        "status": "completed",
        "amounts": {"goods": "200.00"},
        "placed_at": AT.isoformat(),
        "paid_at": AT.isoformat(),
        **({"buyer": {"external_id": who}} if who else {}),
    }
    run = imports.take_in(channel, "till.csv", [table(number, who)], format_name="mapped")
    imports.read(run.pk)
    imports.start(run.pk)
    (compared,) = reconciling.take_in(channel, AT.date(), AT.date(), "till.csv", [table(number, who)])
    assert compared.upload is not None
    (compared,) = reconciling.read(compared.upload)
    chosen = list(compared.differences.values_list("pk", flat=True))

    def take() -> object:
        try:
            return reconciling.take_theirs(compared.pk, chosen, actor_id=None)
        except NothingToSettle:
            return "nothing differed"

    return [
        lambda: api.put(f"/orders/{number}/", body).status,
        lambda: other.post("/orders/batch/", [{"order_no": number, **body}]).body["items"][0]["status"],
        lambda: imports.carry_out(run.pk).facts_rejected,
        take,
    ]


def test_an_order_that_comes_through_four_doors_at_once_counts_once(trade: Trade) -> None:
    answers = at_once(*doors(trade.tmall, "T1", "mei"))
    assert refusals(answers) == []
    by_api, by_batch, rejected_of_file, taken = answers
    assert {by_api, by_batch} <= {200, 201}
    assert (rejected_of_file, taken.settled) == (0, 1)
    assert Order.objects.count() == Member.objects.count() == OrderEarning.objects.count() == 1
    assert Entry.objects.get().points == trade.available(Member.objects.get().pk) == 200
    told = OutboxEvent.objects.filter(topic="order.changed").count()
    assert told == Order.objects.get().revision
    assert proven()


def test_a_sale_at_the_desk_that_every_other_door_tells_too_counts_once(trade: Trade) -> None:
    member = trade.buy("T0", "10", buyer("mei")).member_id
    assert member is not None
    store = channels.make_store(channels.make("jingan", "pos"), "jingan")
    nonce = uuid4()
    number = counter.sale_number(store, nonce)
    others = doors(store.channel, number, "")

    def sell() -> object:
        return counter.sell(store, member, amount=Decimal(200), nonce=nonce, actor_id=None).order_id

    first = sell()
    answers = at_once(sell, *others)
    assert refusals(answers) == []
    assert answers[0] == first
    sale = Order.objects.get(number=number)
    assert (sale.member_id, sale.net, sale.stale_count) == (member, Decimal(200), 0)
    assert Entry.objects.get(channel=store.channel).points == 200
    assert trade.available(member) == 210
    assert proven()


def test_without_the_unique_keys_answer_all_but_one_would_be_refused(
    trade: Trade, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They do meet at one order: were the insert not to ask who came first, the database would refuse."""
    monkeypatch.setattr(
        order_rows, "ADD", order_rows.ADD.replace("ON CONFLICT (channel_id, number) DO NOTHING", "")
    )
    fact = OrderFact(
        number="T1",
        status=OrderStatus.COMPLETED,
        amounts=AmountsFact(goods=Decimal(200)),
        buyer=buyer("mei"),
        placed_at=AT,
        paid_at=AT,
    )
    answers = at_once(*[lambda: orders.receive(trade.tmall, [fact]) for _ in range(3)])
    refused = refusals(answers)
    assert len(refused) == 2
    assert all(isinstance(each, IntegrityError) and "order_once_per_channel" in str(each) for each in refused)
    assert Entry.objects.get().points == 200
