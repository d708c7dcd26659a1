"""The demo: a brand with its members, loaded the way any brand would load itself (E4).

    channels, staff, programme → the platforms' files → imports → what the night does → a day at the desk

Nothing enters by a side door: every order is a row of a file or a sale at the desk. The same seed, size and
day make the same files, so that a load that was cut short is begun again and passes over what is in already.
"""

import json
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import date
from decimal import Decimal
from hashlib import sha256
from itertools import groupby
from pathlib import Path
from random import Random
from time import monotonic
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.db.models import Count, Sum
from django.utils.translation import gettext as _

from config.demos import browsing, files, shop
from config.demos.errors import FileNotTaken, LedgerBroken, NotADemo, NotEmpty, OtherDemo
from config.demos.files import File
from loyalty import audit, counter, nightly
from loyalty.models import Entry, Wallet
from members import channels, imports
from members.formats.mapped import guess_mapping
from members.importing import files as uploads
from members.importing import report
from members.models import ImportRun, MatchReview, Member, Order, Refund, Store
from privacy.models import StaffProfile

MEMBERS: Final = 3000
SEED: Final = 1
_VISITORS: Final = 60  # members who come to the desk on the day of loading
_SALE_POINTS: Final = 100  # least points worth using at the till
_PROGRESS_SECONDS: Final = 10.0

State = ImportRun.State
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is to be loaded. History ends with the day before `today`."""

    members: int
    seed: int
    today: str  # ISO date

    @property
    def day(self) -> date:
        """`today` as a date."""
        return date.fromisoformat(self.today)


def load(plan: Plan, say: Say) -> dict[str, Any]:
    """Load the demo into an empty installation, or to its end; answers the summary of what is there.

    say: takes lines for people. A demo that is loaded is not loaded again. Raises NotADemo, NotEmpty,
    OtherDemo, FileNotTaken, LedgerBroken.
    """
    if not settings.IS_DEMO:
        raise NotADemo
    if _begin(plan):
        say(_("The demo is loaded already; nothing was changed."))
        return summary()
    shop.open_channels()
    shop.publish_rules()
    staff = shop.employ()
    _import_all(plan, say)
    nightly.post_expiry()
    nightly.reassess_tiers()
    sales = _sell_at_the_desk(plan, staff[StaffProfile.Role.CLERK].pk)
    say(_("%(count)s sales at the desk.") % {"count": sales})
    looked = browsing.look_around(plan.seed, plan.day)
    tagged = browsing.tag_by_rule(staff[StaffProfile.Role.MARKETING].pk, plan.day)
    said = {"events": f"{looked:,}", "tags": f"{tagged:,}"}
    say(_("%(events)s behaviour events; %(tags)s tags given by rule.") % said)
    _prove()
    say(_("The audit of the ledger finds nothing."))
    shop.write_sign_ins()
    _note(plan, is_loaded=True)
    return summary()


# ------------------------------------------------------------------------------ begun, loaded, or other


def _note_path() -> Path:
    return Path(settings.VAR) / "demo.json"


def _note(plan: Plan, *, is_loaded: bool) -> None:
    _note_path().write_text(json.dumps({**asdict(plan), "loaded": is_loaded}), encoding="utf-8")


def _begin(plan: Plan) -> bool:
    """Note that this plan is being loaded; whether it has been already."""
    if not Order.objects.exists() and not Member.objects.exists():
        _note(plan, is_loaded=False)  # a note beside an empty database is of one that is gone
        return False
    if not _note_path().exists():
        raise NotEmpty
    noted = json.loads(_note_path().read_text(encoding="utf-8"))
    is_loaded: bool = noted.pop("loaded")
    if not is_loaded and noted != asdict(plan):
        raise OtherDemo(**noted)
    return is_loaded


def begun() -> Plan | None:
    """The plan of a demo that was begun here and is not loaded yet."""
    if not _note_path().exists():
        return None
    noted = json.loads(_note_path().read_text(encoding="utf-8"))
    return None if noted.pop("loaded") else Plan(**noted)


# -------------------------------------------------------------------------------------- the imports


def _import_all(plan: Plan, say: Say) -> None:
    """Make the files in a folder of our own, and take each in; a file goes when it is in."""
    folder = Path(settings.VAR) / "demo"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    try:
        made = files.make(folder, plan.members, plan.seed, plan.day)
        say(
            _("%(files)s files tell of %(orders)s orders.")
            % {"files": len(made.files), "orders": f"{made.orders:,}"}
        )
        for _period, group in groupby(made.files, key=lambda file: file.period):
            _import_period(list(group), folder, say)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _import_period(group: list[File], folder: Path, say: Say) -> None:
    rows = 0
    for file in group:
        path = folder / file.name
        rows += take_in(file.channel, path, say).rows_read
        path.unlink()
    said = {"rows": f"{rows:,}", "files": len(group), "span": group[0].span}
    if group[0].span:
        say(_("%(span)s: %(rows)s rows of orders and refunds in %(files)s files.") % said)
    else:
        say(_("%(rows)s rows of customers in %(files)s files.") % said)


def take_in(channel_code: str, path: Path, say: Say) -> ImportRun:
    """Import one file as `import_file` would; one that is in already, by its bytes, is passed over.

    A file of columns that Shuke does not know is read by the meaning that it guesses, as a person would
    confirm it on the page; the channel remembers. Raises FileNotTaken.
    """
    channel = channels.get(channel_code)
    digest = sha256()
    for block in uploads.blocks_of(path):
        digest.update(block)
    before = ImportRun.objects.filter(channel=channel, file_digest=digest.digest())
    run = before.exclude(state=State.DISCARDED).order_by("id").first()
    if run is None:
        run = imports.take_in(channel, path.name, uploads.blocks_of(path))
    elif run.state not in (State.DONE, State.READY, State.COLUMNS):
        run = imports.resume(run.pk)
    watch = _progress(path.name, say)
    if run.state == State.WAITING:
        run = imports.read(run.pk, watch)
    if run.state == State.COLUMNS:
        imports.choose_columns(run.pk, guess_mapping(run.headers))
        run = imports.read(run.pk, watch)
    if run.state == State.READY:
        run = imports.start(run.pk)
    if run.state == State.QUEUED:
        run = imports.carry_out(run.pk, watch)
    if run.state != State.DONE or run.rows_rejected:
        raise FileNotTaken(file=path.name, reason=_why(run))
    return run


def _why(run: ImportRun) -> str:
    if run.problem:
        return report.reason(run.problem, run.problem_details)
    first = next(report.rejected(run), None)
    return report.reason(first.code, first.details) if first else str(State(run.state).label)


def _progress(name: str, say: Say) -> imports.Watch:
    """A watch that speaks when a file takes long."""
    last = monotonic()

    def watch(run: ImportRun) -> None:
        nonlocal last
        if monotonic() - last < _PROGRESS_SECONDS:
            return
        last = monotonic()
        done = run.rows_read if run.state == State.READING else run.rows_read - run.rows_left
        said = {"file": name, "state": State(run.state).label, "rows": f"{done:,}"}
        say(_("%(file)s: %(state)s, %(rows)s rows") % said)

    return watch


# ----------------------------------------------------------------------------------------- the desk


def _sell_at_the_desk(plan: Plan, clerk_id: int) -> int:
    """Some members come to the store today and pay a part with points; how many did."""
    store = channels.get_store(shop.till(), "jingan")
    # Whoever comes first in the list of wallets: the same people whenever this is done again.
    visitors = Wallet.objects.order_by("member_id").values_list("member_id", flat=True)[:_VISITORS]
    return sum(
        _visit(store, member_id, Random(f"{plan.seed}:desk:{place}"), clerk_id)
        for place, member_id in enumerate(visitors)
    )


def _visit(store: Store, member_id: int, rng: Random, clerk_id: int) -> bool:
    """One member buys something, if they have points to pay a part of it with; whether they did."""
    amount = Decimal(rng.randrange(40, 400))
    nonce = UUID(int=rng.getrandbits(128))
    usable = counter.preview(store, member_id, amount, _SALE_POINTS * rng.randint(1, 9)).points
    if usable < _SALE_POINTS:
        return False
    used = usable - usable % _SALE_POINTS
    counter.sell(store, member_id, amount=amount, points_used=used, nonce=nonce, actor_id=clerk_id)
    return True


# -------------------------------------------------------------------------------------- the summary


def _prove() -> None:
    violations = list(audit.check())
    if violations:
        raise LedgerBroken(count=len(violations), name=violations[0].name)


def summary() -> dict[str, Any]:
    """What there is, in numbers: people, orders, points by the kind of entry, members by tier."""
    entries = Entry.objects.values_list("kind").annotate(Sum("points")).order_by("kind")
    tiers = Wallet.objects.values_list("tier").annotate(members=Count("pk")).order_by("-members", "tier")
    heard = Order.objects.values_list("channel__code").annotate(Count("pk")).order_by("channel__code")
    return {
        "members": Member.objects.count(),
        "orders": Order.objects.count(),
        "orders_by_channel": dict(heard),
        "orders_without_member": Order.objects.filter(member=None).count(),
        "refunds": Refund.objects.count(),
        "matches_to_review": MatchReview.objects.filter(state=MatchReview.State.OPEN).count(),
        "points": dict(entries),
        "points_outstanding": Wallet.objects.aggregate(sum=Sum("balance"))["sum"] or 0,
        "tiers": dict(tiers),
    }
