"""No English is left in the Chinese pages: every page that each role can reach is read word by word (E3)."""

import re
from collections import Counter
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import urldefrag, urljoin, urlsplit
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import resolve
from django.utils import translation
from django.views.defaults import server_error
from procrastinate.contrib.django.models import ProcrastinateJob

from loyalty import publishing
from loyalty.models import Coupon, Entry, ProgrammeVersion
from members import api_keys, imports, tags
from members.admin.configured import StoreSheet, TagSheet
from members.formats.registry import FORMATS
from members.importing import queue
from members.models import ApiKey, Channel, MatchReview, Member, Order, OrderLine, Refund
from members.numbers import number_of
from privacy import access, consent, roles
from privacy.errors import ShukeError
from privacy.models import Notice
from tests import trade as brand
from tests.counter import MEI, PLACE, Shop
from tests.members.platform_files import order, text, tmall

# Names that say the role in Chinese, so that no name has to be told from a word.
STAFF = {
    "service": "小客",
    "marketing": "小营",
    "finance": "小财",
    "privacy": "小隐",
    "admin": "小管",
    "auditor": "小审",
    "clerk": "小店",
}
DEMO = Path(publishing.__file__).parent / "programmes" / "demo.yaml"
HOST = "http://testserver"
# Rows of a list and its filters look alike; an import, say, has another page in each state.
LISTS, PAGES_OF_A_LIST, PAGES_OF_ANOTHER = ("_changelist", "_change"), 1, 4

# Words that Chinese pages write in Latin letters too.
WORDS = re.compile(
    r"(?:Shuke|App|GET|API|CSV|XLSX|XLS|YAML|JSON|SHA|ID|UnionID|OpenID|Webhook|Markdown|Shopify|WooCommerce"
    r"|KB|MB|GB|GBK|UTF|CNY|PNG|JPEG|WebP|En|English|Ctrl|Enter|Esc|esc|csv|xlsx|[A-Za-z])"
)
# What is no word: addresses, a command, names of headers and of a package's files, numbers of members,
# names of files, instants, digests, causes as `order:6`, keys of JSON, dotted names of tasks, codes of
# languages, and referral codes, which are made when a page first shows them.
NO_WORDS = re.compile(
    r"SK-[0-9A-Z]+|https?://[\w./:-]*|/api/v1/[\w/]*|manage\.py [a-z_]+ [a-z]+ --[a-z]+ [a-z]+"
    r"|webhook-id|“other”|\b2xx\b|\b(?:members|tiers|lots|balances|growth|coupons|consents|referrals)(?=[、（])|[\w.]+@[\w.]+|[a-z_]+\[\d+\][\w.]*|[\w-]+\.(?:csv|xlsx|yaml)|\d{4}-\d\d-\d\dT[\d:+]+|[0-9a-f]{16,}|[0-9a-f]{8}(?:-[0-9a-f]{4,12}){4}|[a-z]+(?::\w+)+"
    r"|\b[0-9A-Z]{10}\b|\"[a-z_.]+\"|[a-z_]+(?:\.[\w]+)+|\w+(?==)|\ben\b|\bzh-hans\b"
)
LATIN = re.compile(r"[A-Za-z]+")
# Pages for programmers, in English everywhere; what is no page; and legal texts, each in its own language.
ELSEWHERE = ("/api/", "/docs/api/", "/static/", "/i18n/", "/admin/privacy/notice/")
READ_ATTRIBUTES = ("title", "placeholder", "aria-label", "alt", "data-problem", "data-sending")


class Reader(HTMLParser):
    """What a page says to a person, in its text and its attributes, and where its links lead."""

    SILENT = frozenset({"script", "style"})

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.said: list[str] = []
        self.links: list[str] = []
        self._open: list[tuple[str, bool]] = []  # elements, and whether they are silent
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {name: value or "" for name, value in attrs}
        if tag == "a" and told.get("href"):
            self.links.append(told["href"])
        self.said += [told[name] for name in READ_ATTRIBUTES if told.get(name)]
        if tag == "input" and told.get("type") in ("submit", "button", "reset"):
            self.said.append(told.get("value", ""))
        # An icon is a word that its font draws as a picture. Elements without an end end with those around.
        is_icon = tag == "span" and "material-symbols" in told.get("class", "")
        # A poster says the same in both languages, and marks which is which.
        is_marked = tag != "html" and told.get("lang") == "en"
        self._open.append((tag, tag in self.SILENT or is_icon or is_marked))

    def handle_endtag(self, tag: str) -> None:
        while self._open and any(name == tag for name, _silent in self._open):
            if self._open.pop()[0] == tag:
                return

    def handle_data(self, data: str) -> None:
        if data.strip() and not any(silent for _name, silent in self._open):
            self.said.append(" ".join(data.split()))


class Judge:
    """Tells English from names, codes, and what was put in."""

    def __init__(self, data: frozenset[str] = frozenset()) -> None:
        longest_first = sorted(map(re.escape, data), key=len, reverse=True)
        self._data = re.compile(rf"(?<![A-Za-z])(?:{'|'.join(longest_first)})(?![A-Za-z])")
        self._known: dict[str, bool] = {}

    def is_english(self, said: str) -> bool:
        """Whether a text has an English word in it."""
        if said not in self._known:
            words = LATIN.findall(self._data.sub(" ", NO_WORDS.sub(" ", said)))
            self._known[said] = not all(map(WORDS.fullmatch, words))
        return self._known[said]

    def english_of(self, html: str) -> list[str]:
        """What a page says that has English in it."""
        return [said for said in Reader(html).said if self.is_english(said)]


# --- a little of everything ---------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def quiet(settings: Any, tmp_path: Path) -> Iterator[None]:
    settings.UPLOADS = tmp_path / "uploads"
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def world(db: None) -> Shop:
    """A shop where everything has happened once, so that no list is empty."""
    shop = Shop()
    shop.buy("A-1", "80.00", brand.buyer("app-mei", brand.phone(MEI)), channel=shop.app, at=shop.ago(5))
    shop.buy("T-2", "60.00", None, at=shop.ago(3))
    shop.buy("T-3", "10.00", brand.buyer("tb-bo", name="柏舟"))
    shop.give(shop.mei, 3000)
    shop.spend(shop.mei, 100)
    shop.hold(shop.mei, 20)
    shop.refund("T-1", "R-1", "50.00")
    shop.refund("T-unknown", "R-2", "5.00")
    consent.give(shop.member, "marketing", channel="sms")
    consent.withdraw(shop.member, "marketing", channel="sms")
    consent.give(shop.member, "personalisation")
    bo = Member.objects.exclude(pk=shop.mei).get()
    MatchReview.objects.create(
        member=shop.member, other=bo, reason="name_differs", evidence={"same": ["phone"]}
    )
    manager, _password = roles.make_staff("店长", "admin")
    tags.give(shop.member, "老客", actor_id=manager.pk)
    officer, _password = roles.make_staff("隐私员", "privacy")
    access.reveal(officer, shop.member, shop.member, ["phone", "name"], "工单 42")
    api_keys.make(shop.tmall)
    api_keys.make(manager)
    publishing.draft(DEMO.read_bytes(), actor=manager)
    _take_in_files(shop.tmall, manager)
    return shop


def _take_in_files(channel: Channel, somebody: User) -> None:
    """One file that is imported, one to confirm, one whose columns are unknown, one that cannot be read."""
    table = text(["单据", "手机", "付款"], [{"单据": "P-1", "手机": "13900139002", "付款": "12.00"}])
    ready = tmall(order(1, "mei"), order(2, "bo", "x"))
    for name, content, is_applied in (
        ("imported.csv", ready, True),
        ("ready.csv", tmall(order(2, "bo", "30.00"), order(3, "", "x"), order(1, "mei", "90.00")), False),
        ("columns.csv", table, False),
        ("broken.xlsx", b"PK\x03\x04 no spreadsheet", False),
    ):
        run = imports.take_in(channel, name, [content], actor_id=somebody.pk)
        queue.ask_to_read(run)
        imports.read(run.pk)
        if is_applied:
            imports.start(run.pk)
            imports.carry_out(run.pk)


def data_of() -> frozenset[str]:
    """What stands on pages as it was put in: codes, names and numbers of the brand's own."""
    found = {
        *Channel.objects.values_list("code", flat=True),
        *Order.objects.values_list("number", flat=True),
        *OrderLine.objects.values_list("product", flat=True),
        *OrderLine.objects.values_list("name", flat=True),
        *Refund.objects.values_list("number", flat=True),
        *Refund.objects.values_list("order_number", flat=True),
        *ApiKey.objects.values_list("prefix", flat=True),
        *Notice.objects.values_list("title", flat=True),
        *Coupon.objects.values_list("code", flat=True),
        *(cause.partition(":")[2] for cause in Entry.objects.values_list("cause", flat=True)),
        *ProcrastinateJob.objects.values_list("queue_name", flat=True),
        *(job.queueing_lock or "" for job in ProcrastinateJob.objects.all()),
        *FORMATS,
        *(code for version in ProgrammeVersion.objects.all() for code in _codes_of(version.document)),
        # Headers of sheets are the same in every language, so that a sheet fits everywhere.
        *(", ".join(sheet.Meta.fields) for sheet in (StoreSheet, TagSheet)),
    }
    return frozenset(found - {""} | {name[:1].upper() + name[1:] for name in found})


def _own_words(named: dict[str, Any]) -> Iterator[str]:
    """What a brand says of its benefits in words of its own, and how it calls its things in English."""
    for key, value in named.items():
        yield key if key not in ("en", "zh-hans") else ""
        yield from _own_words(value) if isinstance(value, dict) else [str(value)]


def _codes_of(document: Any) -> Iterator[str]:
    """The codes of a programme's tiers, rules and rewards, in which the brand names its own things."""
    if isinstance(document, dict):
        for key, value in document.items():
            if key in ("code", "programme", "time_zone", "coupon", "gift", "value"):
                yield from map(str, value if isinstance(value, list) else [value])
            if key in ("extra", "name") and isinstance(value, dict):
                yield from _own_words(value)
            yield from _codes_of(value)
    elif isinstance(document, list):
        for value in document:
            yield from _codes_of(value)


def signed_in(role: str) -> Client:
    user, _password = roles.make_staff(STAFF[role], role, store=PLACE if role == "clerk" else "")
    client = Client(headers={"accept-language": "zh-hans"})
    client.force_login(user)
    return client


def _kinds_of(error: type[ShukeError]) -> Iterator[type[ShukeError]]:
    yield error
    for kind in error.__subclasses__():
        yield from _kinds_of(kind)


# --- reading every page -------------------------------------------------------------------------------


def crawl(client: Client, *begins: str) -> Iterator[tuple[str, str]]:
    """Every page that links lead to, as (address, html); of one view only a few."""
    waiting, known, opened = list(begins), set(begins), Counter[str]()
    while waiting:
        address = waiting.pop(0)
        view = _view_of(address)
        if opened[view] >= (PAGES_OF_A_LIST if view.endswith(LISTS) else PAGES_OF_ANOTHER):
            continue
        opened[view] += 1
        answer = client.get(address, follow=True)
        assert answer.status_code in (200, 403), address
        if not answer["Content-Type"].startswith("text/html"):
            continue
        html = answer.content.decode()
        yield address, html
        here = answer.redirect_chain[-1][0] if answer.redirect_chain else address
        for link in Reader(html).links:
            found = urldefrag(urljoin(HOST + here, link)).url
            path = found.removeprefix(HOST)
            if found.startswith(HOST) and path not in known and not path.startswith(ELSEWHERE):
                known.add(path)
                waiting.append(path)


def _view_of(address: str) -> str:
    """The name of the view that answers an address; a list's is the same whatever its filters are."""
    return resolve(urlsplit(address).path).view_name


def complaint(left: dict[str, str]) -> str:
    return "English is left:\n" + "\n".join(f"{address}: {said}" for said, address in left.items())


@pytest.mark.slow
def test_no_english_is_left_in_what_any_role_can_reach(world):
    judge, member = Judge(data_of()), number_of(world.mei)
    begins = ["/", "/imports/", "/desk/", f"/desk/{member}/", f"/members/{member}/"]
    left: dict[str, str] = {}
    for role in STAFF:
        read = set()
        for address, html in crawl(signed_in(role), *begins):
            read.add(urlsplit(address).path)
            left = dict.fromkeys(judge.english_of(html), f"{role} {address}") | left
        assert read >= set(begins)
    assert not left, complaint(left)


def refusals(client: Client, shop: Shop) -> Iterator[tuple[str, Any]]:
    """What is answered to mistakes, door by door."""
    member = number_of(shop.mei)
    no_stores = {"stores-TOTAL_FORMS": "0", "stores-INITIAL_FORMS": "0"}
    for address, sent in (
        ("/desk/find/", {"asked": "13911112222"}),
        ("/desk/find/", {"asked": "nobody"}),
        ("/desk/find/", {"asked": "SK-22222222"}),
        ("/desk/enrol/", {"phone": "12", "name": "x" * 80}),
        (
            f"/desk/{member}/sell/",
            {"nonce": str(uuid4()), "amount": "a lot", "use_points": "on"},
        ),
        (f"/desk/{member}/sell/", {"nonce": "none", "amount": ""}),
        (f"/desk/{member}/refunds/999999/", {"nonce": str(uuid4()), "what": "part", "goods": "9"}),
        (f"/members/{member}/reveal/", {"reason": "no"}),
        (f"/members/{member}/tags/", {"name": "!!!"}),
        ("/members/find/", {"asked": "13911112222"}),
        ("/imports/", {}),
        ("/imports/", {"files": SimpleUploadedFile("orders.csv", b"a,b\n1,2\n")}),
        ("/imports/999999/start/", {}),
        ("/admin/loyalty/programmeversion/", {"points-base_per_yuan": "much", "effective_from": "soon"}),
        (
            "/admin/loyalty/programmeversion/file/",
            {"file": SimpleUploadedFile("programme.yaml", b"tiers: [")},
        ),
        ("/admin/members/channel/add/", {"code": "!", "vouches_for": "[]", **no_stores}),
        ("/admin/members/store/add/", {}),
        ("/nothing/here/", {}),
    ):
        yield f"{address} {sorted(sent)}", client.post(address, sent, follow=True)


def test_no_english_is_left_in_what_mistakes_are_answered_with(world):
    judge = Judge(data_of() | {"a lot", "nobody", "none", "programme", "orders"})
    left: dict[str, str] = {}
    for role in ("clerk", "service", "admin", "marketing"):
        statuses = set()
        for what, answer in refusals(signed_in(role), world):
            statuses.add(answer.status_code)
            left |= dict.fromkeys(judge.english_of(answer.content.decode()), f"{role} {what}")
        assert {403, 404} <= statuses < {200, 400, 403, 404, 409, 422}
    assert not left, complaint(left)


def test_no_english_is_left_at_the_counter(world):
    client, desk = signed_in("clerk"), f"/desk/{number_of(world.mei)}/"
    sale = {"nonce": str(uuid4()), "amount": "200", "use_points": "on", "points": "100"}
    told = [
        client.post("/desk/find/", {"asked": MEI}, follow=True),
        client.post(f"{desk}quote/", sale),
        client.post(f"{desk}sell/", sale, follow=True),
        client.post("/desk/enrol/", {"phone": "13911112222", "name": "顾小曼"}, follow=True),
    ]
    sold = Order.objects.latest("pk")
    judge = Judge(data_of())
    refund = f"{desk}refunds/{sold.pk}/"
    goods = {"nonce": str(uuid4()), "what": "part", "goods": "50"}
    told += [client.get(refund), client.post(refund, {**goods, "goods": "much"}), client.post(refund, goods)]
    (seen,) = re.findall(r'name="seen" value="([^"]+)"', told[-1].content.decode())
    told.append(client.post(refund, {**goods, "seen": seen}, follow=True))
    assert [answer.status_code for answer in told] == [200] * 5 + [422, 200, 200]
    assert Refund.objects.filter(order=sold).count() == 1
    assert [judge.english_of(answer.content.decode()) for answer in told] == [[]] * 8


def test_no_english_is_left_where_staff_sign_in(db):
    client, judge = Client(headers={"accept-language": "zh-hans"}), Judge()
    wrong = client.post("/admin/login/", {"username": "x", "password": "y"})
    empty = client.post("/admin/login/", {})
    for answer in (client.get("/", follow=True), wrong, empty):
        assert judge.english_of(answer.content.decode()) == []


def test_no_english_is_left_in_a_page_that_broke(db, rf):
    with translation.override("zh-hans"):
        assert Judge().english_of(server_error(rf.get("/")).content.decode()) == []


@pytest.mark.parametrize("error", list(_kinds_of(ShukeError)))
def test_every_refusal_is_said_in_chinese(error):
    with translation.override("zh-hans"):
        words = re.sub(r"%\(\w+\)s", "", str(error.message))
        assert re.search(r"[\u4e00-\u9fff]", words), words


def test_english_is_seen_where_it_is_left():
    page = """<p title="Close">关闭<br></p><script>var text;</script><input type="submit" value="Save">
        <span class="material-symbols-outlined">home</span>
        <p>共 3 orders，SK-8F3K2</p><p>导入 CSV 文件 mei</p>"""
    assert Judge(frozenset({"mei"})).english_of(page) == ["Close", "Save", "共 3 orders，SK-8F3K2"]
