"""Marketing's import, in Chromium: drop a file, look, confirm, read the report; and what can go wrong (E2).

The worker is the queue's own. The page is never reloaded to see what it did: it asks by itself.
"""

import csv
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from typing import Any, TypedDict

import pytest
from django.db import connection
from playwright.sync_api import Page, expect
from procrastinate.contrib.django import app
from procrastinate.contrib.django.django_connector import DjangoConnector
from procrastinate.contrib.django.models import ProcrastinateJob

from loyalty.models import Entry
from members.facts import AmountsFact, OrderFact, OrderStatus, ReceiverFact
from members.formats import writing
from members.models import (
    Account,
    ColumnMapping,
    ImportReject,
    ImportRun,
    Member,
    Order,
    OrderStatusEntry,
    OutboxEvent,
    StagedFact,
)
from tests import make
from tests.counter import MEI, Shop
from tests.trade import buyer, phone, proven

pytestmark = pytest.mark.browser

State = ImportRun.State
SCREENS = [("en", 1440), ("zh-hans", 1440), ("en", 390)]
LANGUAGES = ["en", "zh-hans"]
KNOWN, NEW, SPOILT = "3026000000000000001", "3026000000000000002", "3026000000000000003"
WORDS = {
    "en": {
        "recognised": "Tmall or Taobao orders (54 columns, GB18030) · 3 rows",
        "blocks": ["1 row was rejected", "The first rows as they will be", "Cells left out"],
        "import": "Import 2 rows",
        "report": "Report",
        "amount": "This is not an amount in yuan with at most two decimals.",
        "heads": ["Line", "Column", "Code", "Reason", "Value"],
        "damaged": (
            "The spreadsheet is damaged or locked with a password."
            " Open it, and save it without one as XLSX or CSV."
        ),
        "no table": "This is neither a text file with columns (CSV) nor a spreadsheet (XLSX, XLS).",
        "unclear": "The file does not say which channel it is of.",
        "columns": "Nobody has said yet what the columns of this file mean.",
    },
    "zh-hans": {
        "recognised": "天猫 / 淘宝订单 (54 列, GB18030) · 3 行",
        "blocks": ["1 行被拒绝", "前几行导入后的样子", "略过的单元格"],
        "import": "导入 2 行",
        "report": "导入报告",
        "amount": "金额须以元为单位，最多两位小数。",
        "heads": ["行号", "列", "代码", "原因", "值"],
        "damaged": "表格已损坏或有密码保护。请打开后去掉密码，另存为 XLSX 或 CSV。",
        "no table": "既不是带列的文本文件（CSV），也不是表格（XLSX、XLS）。",
        "unclear": "文件未注明所属渠道",
        "columns": "还没有指定该文件各列的含义。",
    },
}


class File(TypedDict):
    """A file as Playwright gives it to a page."""

    name: str
    mimeType: str
    buffer: bytes


def a_file(name: str, content: bytes) -> File:
    return {"name": name, "mimeType": "application/octet-stream", "buffer": content}


def told(number: str, net: str, **more: Any) -> OrderFact:
    """A finished order of Mei's, as her platform tells it."""
    return make.order(
        number,
        net,
        make.buyer("tb-mei", make.phone(MEI)),
        status=OrderStatus.COMPLETED,
        amounts=AmountsFact(goods=Decimal(net)),
        received_at=make.NOW,
        **more,
    )


def tmall_file(*facts: OrderFact, spoil: str = "") -> File:
    """What Tmall would give out; the amount paid of the order `spoil` has a letter for its last digit."""
    lines = writing.to_bytes("tmall-orders", facts).decode("gb18030").splitlines(keepends=True)
    content = "".join(line.replace('.00"', '.0O"') if spoil and spoil in line else line for line in lines)
    return a_file("ExportOrderList.csv", content.encode("gb18030"))


def three_rows(shop: Shop) -> File:
    """One order known with another amount, one new with a phone that is none, one that cannot be right."""
    shop.buy(KNOWN, "100.00", buyer("tb-mei", phone(MEI)))
    new = told(NEW, "200.00", receiver=ReceiverFact(phone="+86123"))
    return tmall_file(told(KNOWN, "150.00"), new, told(SPOILT, "300.00"), spoil=SPOILT)


def shop_file(*rows: str) -> File:
    """A file of a till that no platform wrote."""
    return a_file("till.csv", "\n".join(["Beleg,Wann,Summe,Wer", *rows, ""]).encode())


@pytest.fixture(autouse=True)
def surroundings(
    shop: Shop, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """A folder for the files, a queue that is empty, connections that end with their use as threads do."""
    settings.UPLOADS = tmp_path / "uploads"
    monkeypatch.setitem(connection.settings_dict, "CONN_MAX_AGE", 0)
    empty_the_queue()
    yield
    empty_the_queue()


def empty_the_queue() -> None:
    """The queue's tables are not Django's, so nobody empties them between tests."""
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE procrastinate_jobs CASCADE")


def work() -> None:
    """Let the queue's worker do what waits, in a thread: Playwright keeps the event loop of this one."""

    def run() -> None:
        assert isinstance(app.connector, DjangoConnector)
        with app.replace_connector(app.connector.get_worker_connector()) as working:
            working.run_worker(
                queues=["imports"], wait=False, listen_notify=False, install_signal_handlers=False
            )

    with ThreadPoolExecutor(max_workers=1) as thread:
        thread.submit(run).result()
    assert not ProcrastinateJob.objects.filter(status="failed").exists()


def send(page: Page, *files: File) -> None:
    """Choose files; afterwards each of them has its card."""
    page.goto("/imports/")
    before = page.locator("#im-cards article").count()
    page.set_input_files("#im-files", list(files))
    expect(page.locator("#im-cards article")).to_have_count(before + len(files))
    expect(page.locator("#im-cards article:not(:has([data-run], [role=alert]))")).to_have_count(0)


def drop(page: Page, file: File) -> None:
    """Drop a file beside the zone; the whole page takes it."""
    transfer = page.evaluate_handle(
        """([name, bytes]) => {
            const transfer = new DataTransfer();
            transfer.items.add(new File([new Uint8Array(bytes)], name));
            return transfer;
        }""",
        [file["name"], list(file["buffer"])],
    )
    page.dispatch_event("body", "drop", {"dataTransfer": transfer})


def figures(page: Page) -> list[str]:
    expect(page.locator(".im-strip dd").first).to_be_visible()
    page.wait_for_load_state()
    return page.locator(".im-strip dd:not(.sk-note)").all_inner_texts()


def fits(page: Page, width: int) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth") <= width)


def holdings() -> dict[str, int]:
    """How many rows there are of everything that an import may write."""
    models = (Account, Entry, Member, Order, OrderStatusEntry, OutboxEvent)
    return {model.__name__: model._default_manager.count() for model in models}


def import_file(page: Page, file: File) -> ImportRun:
    """A file from its choice to its report."""
    send(page, file)
    work()
    page.locator("#im-cards article").first.locator(".sk-actions a").click()
    page.click("#im-start")
    expect(page.locator("#im-stop")).to_be_visible()
    work()
    expect(page.locator("[data-run]")).to_have_class("sk-badge sk-good")
    return ImportRun.objects.latest("id")


@pytest.mark.parametrize(("language", "width"), SCREENS)
def test_drop_a_file_look_and_import(shop: Shop, sign_in: Any, language: str, width: int) -> None:
    words: Any = WORDS[language]
    file = three_rows(shop)
    before = holdings()
    page = sign_in("marketing", language=language, width=width)
    page.goto("/imports/")
    drop(page, file)
    card = page.locator("#im-cards article")
    expect(card.locator("[data-run]")).to_be_visible()
    work()
    expect(card).to_contain_text(words["recognised"])
    assert fits(page, width)

    card.locator(".sk-actions a").click()
    assert figures(page)[:5] == ["1", "1", "0", "1", "¥350.00"]
    assert page.locator("#im-run > section h2").all_inner_texts()[1:] == words["blocks"]
    expect(page.locator("tr.sk-bad")).to_contain_text(words["amount"])
    changed = page.locator(".im-rows td.sk-num", has=page.locator("del"))
    expect(changed).to_have_text(["¥100.00 ¥150.00"])
    assert page.locator(".sk-primary").all_inner_texts() == [words["import"]]
    assert fits(page, width)
    assert holdings() == before
    assert Order.objects.get(number=KNOWN).net == Decimal("100.00")

    page.dblclick("#im-start")
    expect(page.locator("#im-stop")).to_be_visible()
    expect(page.locator("progress")).to_be_visible()
    expect(page.get_by_role("alert")).to_have_count(0)
    work()
    expect(page.locator("#im-run h2", has_text=words["report"])).to_be_visible()
    with page.expect_download() as download:
        page.click("#im-rejected")
    with open(download.value.path(), encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.reader(stream))
    assert rows == [
        words["heads"],
        ["4", "买家实际支付金额", "amount_invalid", words["amount"], "300.0O"],
    ]
    expect(page.locator("#im-run section").last).to_contain_text("联系手机")
    assert fits(page, width)

    run = ImportRun.objects.get()
    assert (run.state, run.encoding, run.format) == (State.DONE, "gb18030", "tmall-orders")
    assert (run.rows_new, run.rows_changed, run.rows_same, run.rows_rejected) == (1, 1, 0, 1)
    assert run.started_by is not None and run.started_by.get_username() == "marketing"
    assert not StagedFact.objects.exists()
    nets = {order.number: order.net for order in Order.objects.filter(member_id=shop.mei)}
    assert nets == {"T-1": Decimal("500.00"), KNOWN: Decimal("150.00"), NEW: Decimal("200.00")}
    assert shop.available(shop.mei) == 850
    assert proven()


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_same_file_again_changes_nothing(shop: Shop, sign_in: Any, language: str) -> None:
    file = tmall_file(told(NEW, "200.00"))
    page = sign_in("marketing", language=language)
    import_file(page, file)
    before = holdings()

    send(page, file)
    work()
    page.locator("#im-cards article .sk-actions a").click()
    expect(page.locator("#im-run .sk-alert")).to_be_visible()
    assert figures(page)[:4] == ["0", "0", "1", "0"]
    assert page.locator(".sk-primary").count() == 0
    page.click("#im-start")
    work()
    expect(page.locator("[data-run]")).to_have_class("sk-badge sk-good")

    run = ImportRun.objects.latest("id")
    assert (run.state, run.rows_new, run.rows_changed, run.rows_same) == (State.DONE, 0, 0, 1)
    assert holdings() == before
    assert shop.available(shop.mei) == 700


@pytest.mark.parametrize("language", LANGUAGES)
def test_unknown_columns_are_said_once(shop: Shop, sign_in: Any, language: str) -> None:
    words: Any = WORDS[language]
    page = sign_in("marketing", language=language)
    send(page, shop_file("B-1,2026-06-01 10:00:00,120.00,13800138001"))
    expect(page.get_by_role("alert")).to_contain_text(words["unclear"])
    assert not ImportRun.objects.exists()
    page.select_option(".im-again select", "app")
    page.click(".im-again button")
    expect(page.locator("[data-run]")).to_be_visible()
    work()
    card = page.locator("#im-cards article")
    expect(card).to_contain_text(words["columns"])

    card.locator(".sk-actions a").click()
    page.click(".sk-tabs a >> nth=0")
    expect(page.locator(".im-samples")).to_contain_text("B-1")
    assert "13800138001" not in page.content()
    page.select_option("#id_column-number", "Beleg")
    page.select_option("#id_column-placed_at", "Wann")
    page.select_option("#id_column-phone", "Wer")
    page.click(".sk-primary")
    expect(
        page.locator(".sk-field", has=page.locator("#id_column-paid")).locator(".errorlist")
    ).to_be_visible()
    assert not ColumnMapping.objects.exists()
    page.select_option("#id_column-paid", "Summe")
    page.click(".sk-primary")
    work()
    expect(page.locator("#im-start")).to_be_visible()
    page.click("#im-start")
    expect(page.locator("#im-stop")).to_be_visible()
    work()
    expect(page.locator("[data-run]")).to_have_class("sk-badge sk-good")

    mapping = ColumnMapping.objects.get()
    assert mapping.chosen_by is not None and mapping.chosen_by.get_username() == "marketing"
    assert mapping.mapping["fields"] == {
        "number": "Beleg",
        "placed_at": "Wann",
        "phone": "Wer",
        "paid": "Summe",
    }
    page.goto("/imports/")
    page.click(".im-upload summary")
    page.select_option("#im-channel", "app")
    page.set_input_files("#im-files", [shop_file("B-2,2026-06-02 10:00:00,80.00,13800138001")])
    expect(page.locator("#im-cards [data-run]")).to_be_visible()
    work()
    page.locator("#im-cards article .sk-actions a").click()
    assert figures(page)[:4] == ["1", "0", "0", "0"]
    page.click("#im-start")
    expect(page.locator("#im-stop")).to_be_visible()
    work()
    expect(page.locator("[data-run]")).to_have_class("sk-badge sk-good")
    taken = Order.objects.filter(channel__code="app").order_by("number")
    assert [(order.number, order.net, order.member_id) for order in taken] == [
        ("B-1", Decimal("120.00"), shop.mei),
        ("B-2", Decimal("80.00"), shop.mei),
    ]


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_no_table_is_refused_in_words(shop: Shop, sign_in: Any, language: str) -> None:
    words: Any = WORDS[language]
    broken = a_file("orders.xlsx", b"PK\x03\x04" + b"\0" * 300)
    page = sign_in("marketing", language=language)
    send(page, broken, a_file("photo.csv", b"\x89PNG\r\n\x1a\n" + b"\0" * 300))
    alerts = page.locator("#im-cards article .sk-bad")
    expect(alerts).to_have_text([words["no table"], words["damaged"]])
    assert not ImportRun.objects.exists()

    page.click(".im-upload summary")
    page.select_option("#im-channel", "tmall")
    page.set_input_files("#im-files", [broken])
    card = page.locator("#im-cards article", has=page.locator("[data-run]"))
    expect(card).to_be_visible()
    work()
    expect(card.get_by_role("alert")).to_have_text(words["damaged"])
    run = ImportRun.objects.get()
    assert (run.state, run.problem) == (State.REFUSED, "members.spreadsheet_broken")
    assert not ImportReject.objects.exists()
    assert Order.objects.count() == 1


def test_a_run_is_stopped_and_goes_on_at_390_pixels(shop: Shop, sign_in: Any) -> None:
    page = sign_in("marketing", language="zh-hans", width=390)
    send(page, tmall_file(told(NEW, "200.00")))
    work()
    page.locator("#im-cards article .sk-actions a").click()
    page.click("#im-start")
    page.click("#im-stop")
    expect(page.locator("[data-run]")).to_have_class("sk-badge sk-warn")
    work()
    assert not Order.objects.filter(number=NEW).exists()
    page.click(".sk-primary")
    expect(page.locator("#im-stop")).to_be_visible()
    work()
    expect(page.locator("[data-run]")).to_have_class("sk-badge sk-good")
    assert fits(page, 390)
    assert Order.objects.get(number=NEW).net == Decimal("200.00")
    assert ImportRun.objects.get().state == State.DONE


def test_keys_reach_the_files_first(shop: Shop, sign_in: Any) -> None:
    page = sign_in("marketing")
    page.on("filechooser", lambda _chooser: None)  # asked for now, the browser tells of it when the key comes
    page.goto("/imports/")
    page.locator("#im-files").focus()
    expect(page.locator("#im-files")).to_be_focused()
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Space")
    chooser.value.set_files([tmall_file(told(NEW, "200.00"))])
    expect(page.locator("[data-run]")).to_be_visible()
    page.locator("#im-files").focus()
    page.keyboard.press("Tab")
    expect(page.locator(".im-upload summary")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.locator("#im-cards h2 a")).to_be_focused()
    work()
    expect(page.locator("#im-cards .sk-actions a")).to_be_visible()
    expect(page.locator("#im-cards h2 a")).to_be_focused()  # the card was drawn anew under it
    expect(page.locator("#im-said")).to_contain_text("ExportOrderList.csv: Ready to import")
    assert ImportRun.objects.get().state == State.READY
