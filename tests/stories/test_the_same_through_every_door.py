"""One order told by API, by file, or taken in from a reconciliation ends as the very same rows (A9, A16).

Each telling happens in a world of its own: what it wrote is read off and undone, and the counters of ids are
set back, so that ids are the same too. Times at which we wrote count as one; what is drawn anew is left out.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.apps import apps
from django.db import connection, transaction

from members import columns, imports, reconciling
from members.models import Order
from privacy.fields import SealedField
from tests.api import Api
from tests.members.platform_files import order, tmall
from tests.stories.files import local
from tests.trade import Trade

NUMBER = "3026000000000000001"
# Rows of the door itself: which key was used, which file was read, what was compared.
OF_THE_DOOR = ("import", "staged", "apikey", "keptanswer", "columnmapping", "reconciliation")
# Drawn anew, or bound to the instant at which we wrote.
NEVER_THE_SAME = {"seal", "xid", "hash", "previous", "head"}
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?\+00:00")
Written = dict[str, list[str]]


def tables() -> dict[str, set[str]]:
    """The tables of the trade, with the columns that cannot be the same twice."""
    found = {}
    for model in [*apps.get_app_config("members").get_models(), *apps.get_app_config("loyalty").get_models()]:
        if not model._meta.db_table.partition("_")[2].startswith(OF_THE_DOOR):
            sealed = {each.name for each in model._meta.concrete_fields if isinstance(each, SealedField)}
            found[model._meta.db_table] = sealed | NEVER_THE_SAME
    return found


def written(since: datetime) -> Written:
    """Every row, as text; an instant since then is just `now`."""

    def told(moment: re.Match[str]) -> str:
        return "now" if datetime.fromisoformat(moment[0]) >= since else moment[0]

    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL timezone = 'UTC'")
        rows: Written = {}
        for table, left_out in tables().items():
            statement = f"SELECT (to_jsonb(t) - %s::text[])::text FROM {table} AS t ORDER BY 1"
            cursor.execute(statement, [list(left_out)])
            rows[table] = [MOMENT.sub(told, row) for (row,) in cursor.fetchall()]
        return rows


def counters() -> list[tuple[Any, ...]]:
    """Every counter of ids, as it stands."""
    names = columns.ask(
        "SELECT oid::regclass::text FROM pg_class WHERE relkind = 'S' AND relname ~ '_id_seq$'"
    )
    return [(name, *columns.ask(f"SELECT last_value, is_called FROM {name}")[0]) for (name,) in names]


def set_back(told: list[tuple[Any, ...]]) -> None:
    """Let ids be drawn again as they were then; undoing a transaction does not."""
    for counter in told:
        columns.ask("SELECT setval(%s::regclass, %s, %s)", counter)


def in_a_world_of_its_own(tell: Callable[[], object]) -> Written:
    """What is written after a telling, which is then undone."""
    since, ids = datetime.now(UTC), counters()
    with transaction.atomic():
        tell()
        rows = written(since)
        transaction.set_rollback(True)
    set_back(ids)
    return rows


class Doors:
    """Ways for one Tmall order of 150 yuan, 12.50 of it refunded, to be told."""

    def __init__(self, at: datetime) -> None:
        self.trade = Trade()
        self.api = Api(self.trade.tmall)
        self.at = at
        times = {"订单创建时间": local(self.at), "订单付款时间 ": local(self.at)}
        got = {"确认收货时间": local(self.at + timedelta(days=1))}
        self.file = tmall(order(1, "mei", "150.00", 退款金额="12.50", **times, **got))

        self.body: dict[str, Any] = {
            "buyer": {"external_id": "mei", "profile": {"nick": "mei"}},
            "status": "completed",
            "amounts": {"goods": "150.00"},
            "placed_at": self.at.isoformat(),
            "paid_at": self.at.isoformat(),
            "received_at": (self.at + timedelta(days=1)).isoformat(),
            "refunded_total": "12.50",
        }

    def by_api(self) -> None:
        assert self.api.put(f"/orders/{NUMBER}/", self.body).status == 201

    def by_batch(self) -> None:
        answer = self.api.post("/orders/batch/", [{"order_no": NUMBER, **self.body}])
        assert [item["status"] for item in answer.body["items"]] == [201]

    def by_file(self) -> None:
        run = imports.take_in(self.trade.tmall, "orders.csv", [self.file])
        ids = counters()
        imports.read(run.pk)
        set_back(ids)  # the preview has tried it already, and undone it
        imports.start(run.pk)
        assert imports.carry_out(run.pk).rows_new == 1

    def by_reconciliation(self) -> None:
        day = datetime.fromisoformat(local(self.at)).date()
        (run,) = reconciling.take_in(self.trade.tmall, day, day, "orders.csv", [self.file])
        assert run.upload is not None
        (run,) = reconciling.read(run.upload)
        chosen = list(run.differences.values_list("pk", flat=True))
        assert reconciling.take_theirs(run.pk, chosen, actor_id=None).settled == 1


@pytest.fixture
def doors(db: None) -> Doors:
    return Doors(datetime.fromisoformat("2026-06-01T10:00:00+08:00"))


@pytest.mark.parametrize("other", [Doors.by_batch, Doors.by_file, Doors.by_reconciliation])
def test_by_api_and_by_another_door_it_ends_as_the_same_rows(
    doors: Doors, other: Callable[[Doors], None]
) -> None:
    first = in_a_world_of_its_own(doors.by_api)
    assert len(first["members_order"]) == len(first["loyalty_orderearning"]) == 1
    assert len(first["loyalty_entry"]) == 2  # earned, and in part taken back
    assert not Order.objects.exists()
    assert in_a_world_of_its_own(lambda: other(doors)) == first


def test_one_yuan_more_would_be_seen(doors: Doors) -> None:
    first = in_a_world_of_its_own(doors.by_api)
    doors.body["amounts"] = {"goods": "151.00"}
    second = in_a_world_of_its_own(doors.by_api)
    assert {"members_order", "loyalty_entry", "loyalty_lot", "members_outboxevent"} <= {
        table for table in first if first[table] != second[table]
    }
