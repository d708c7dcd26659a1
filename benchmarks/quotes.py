"""What a basket comes to, asked over HTTP: tier, coupons, points; and committed for an order."""

import json
from collections.abc import Collection, Iterator, Sequence
from itertools import islice

from django.db import transaction
from django.db.models import Count

from benchmarks import pages, web
from benchmarks.bench import Bench, Row
from benchmarks.clients import CREATED, Answers, Job
from benchmarks.installation import CLERK
from loyalty import clock, coupons
from loyalty.coupons import Wish
from loyalty.models import Coupon, Quote, Wallet

CLIENTS = 16
BUYERS = 5_000
POINTS = 50  # of each basket
CHUNK = 1_000
PUBLIC_CODE = "SPRING26"
CAMPAIGNS = ("LEAFLET", "TEN", "TEN")  # of the demo's programme; only the last two exclude each other
LINES = (
    ("TEA-01", "龙井", "128.00"),
    ("TEA-02", "普洱", "86.50"),
    ("TEA-03", "正山小种", "54.00"),
    ("CUP-01", "茶杯", "39.90"),
    ("BOX-01", "礼盒", "19.60"),
)


def measure_quote(bench: Bench) -> Iterator[Row]:
    """Sixteen clients ask what a basket comes to, beside an empty page of the same server."""
    buyers = _buyers()
    coupons_held = _equip(buyers.values())
    with web.served() as port:
        empty = pages.ask_for_nothing(bench, port, web.signed_in(CLERK), clients=CLIENTS)
        answers = _ask(bench, port, list(buyers), codes=[PUBLIC_CODE])
    yield Row(
        work=f"quote over HTTP, {CLIENTS} clients",
        size=f"{len(buyers):,} members, {coupons_held:,} coupons",
        measured=str(answers),
        beside=f"empty page {empty}",
        ratio=answers.percentile(0.5) / empty.percentile(0.5),
        faults=answers.other_than(CREATED) + empty.other_than(200),
    )


def measure_commit(bench: Bench) -> Iterator[Row]:
    """Quotes that are committed in the same breath, each for an order of its own.

    Without the public code: its quota would run out on the way, and a refusal then is no fault.
    """
    buyers = _buyers()
    coupons_held = _equip(buyers.values())
    before = _committed()
    with bench.beside_l() as limit, web.served() as port:
        answers = _ask(bench, port, list(buyers), is_committed=True)
    yield Row(
        work=f"quote and commit over HTTP, {CLIENTS} clients",
        size=f"{len(buyers):,} members, {coupons_held:,} coupons",
        measured=str(answers),
        beside=str(limit),
        ratio=answers.rate / limit.rate,
        faults=answers.other_than(CREATED) + abs(_committed() - before - answers.statuses.get(CREATED, 0)),
    )


def _buyers() -> dict[str, int]:
    """Member numbers and ids of those who have points for a basket."""
    wallets = Wallet.objects.filter(balance__gte=POINTS, debt=0).order_by("?")
    return dict(wallets.values_list("member__number", "member_id")[:BUYERS])


def _equip(member_ids: Collection[int]) -> int:
    """Let every second one hold two coupons, the others three; how many they hold together."""
    now = clock.read().now
    usable = Coupon.objects.filter(
        member_id__in=member_ids, state=Coupon.State.ISSUED, valid_until__gt=now
    ) | Coupon.objects.filter(member_id__in=member_ids, state=Coupon.State.ISSUED, valid_until=None)
    counted = usable.order_by().values("member_id").annotate(held=Count("id"))
    held = dict(counted.values_list("member_id", "held"))
    round_ = Coupon.objects.count()
    wishes = (
        Wish(campaign=campaign, member_id=member_id, cause=f"bench:{round_}:{place}:{member_id}")
        for n, member_id in enumerate(member_ids)
        for place, campaign in enumerate(CAMPAIGNS[: max(0, 2 + n % 2 - held.get(member_id, 0))])
    )
    while chunk := list(islice(wishes, CHUNK)):
        with transaction.atomic():
            coupons.issue(chunk, now=now)
    return usable.count()


def _committed() -> int:
    return Quote.objects.exclude(committed_at=None).count()


def _ask(
    bench: Bench, port: int, numbers: Sequence[str], *, codes: Sequence[str] = (), is_committed: bool = False
) -> Answers:
    basket = {
        "member_no": "{target}",
        "lines": [{"product": product, "category": kind, "amount": yuan} for product, kind, yuan in LINES],
        "postage": "10.00",
        "province": "浙江省",
        "points": POINTS,
        "codes": list(codes),
    }
    return web.ask(
        Job(
            port=port,
            clients=CLIENTS,
            targets=numbers,
            method="POST",
            path="/api/v1/quotes/",
            headers={**web.api_headers(bench.key), "Idempotency-Key": "bench-quote-{n}"},
            body=json.dumps(basket),
            finds="quote_id",
            then_path="/api/v1/quotes/{found}/commit/" if is_committed else "",
            then_body='{"order_no": "Q{n}"}',
            seconds=bench.seconds,
        )
    )
