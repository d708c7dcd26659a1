"""Points spent one by one over HTTP, everything on: key, rate, idempotency, lots, entries, outbox."""

from collections.abc import Iterator, Sequence

from django.db.models import Sum

from benchmarks import web
from benchmarks.bench import Bench, Row
from benchmarks.clients import Answers, Job
from loyalty import points
from loyalty.models import Entry, Wallet
from members import channels
from members.models import Member

CLIENTS, HOT_CLIENTS = 16, 64
GOAL, HOT_GOAL = 0.12, 0.07  # of limit L
MOST_MS = 50
WALLETS = 20_000
RICH = 1_000_000  # points in the one wallet that everybody spends from
CREATED, REFUSED = 201, 409


def measure_redeem(bench: Bench) -> Iterator[Row]:
    """Sixteen clients redeem a point at a time from many wallets."""
    wallets = Wallet.objects.filter(balance__gte=50, debt=0).order_by("?")
    numbers = list(wallets.values_list("member__number", flat=True)[:WALLETS])
    with bench.beside_l() as limit:
        answers = _redeem(bench, numbers, clients=CLIENTS)
    bench.kept["redemptions a second"] = answers.rate
    bench.kept["redemptions, of L"] = answers.rate / limit.rate
    p99 = answers.percentile(0.99)
    yield Row(
        work=f"redeem over HTTP, {CLIENTS} clients",
        size=f"{bench.members:,} members, {len(numbers):,} wallets",
        measured=str(answers),
        beside=str(limit),
        ratio=answers.rate / limit.rate,
        goal=f"≥ {GOAL} L, p99 ≤ {MOST_MS} ms",
        is_met=answers.rate / limit.rate >= GOAL and p99 <= MOST_MS,
        faults=answers.other_than(CREATED),
    )


def measure_hot_wallet(bench: Bench) -> Iterator[Row]:
    """Sixty-four clients redeem from one wallet, which then runs dry under them."""
    member = Member.objects.order_by("id").first()
    assert member is not None
    points.earn(member.pk, RICH, cause="bench", channel=channels.get("tmall"))
    with bench.beside_l() as limit:
        answers = _redeem(bench, [member.number], clients=HOT_CLIENTS)
    overspent = _overspend(bench, member)
    yield Row(
        work=f"redeem from one wallet, {HOT_CLIENTS} clients",
        size=f"{bench.members:,} members, 1 wallet",
        measured=str(answers),
        beside=str(limit),
        ratio=answers.rate / limit.rate,
        goal=f"≥ {HOT_GOAL} L, no overspend",
        is_met=answers.rate / limit.rate >= HOT_GOAL,
        faults=answers.other_than(CREATED) + overspent,
    )


def _overspend(bench: Bench, member: Member) -> int:
    """Leave forty points in the wallet, let everybody ask for one: how far from forty of them got it."""
    left, asked = 40, 200
    wallet = Wallet.objects.get(member=member)
    points.redeem(
        member.pk, wallet.balance - wallet.held - left, cause="bench-all", channel=channels.get("tmall")
    )
    answers = _redeem(bench, [member.number] * asked, clients=HOT_CLIENTS, is_timed=False)
    wallet.refresh_from_db()
    entries = Entry.objects.filter(wallet=wallet).aggregate(sum=Sum("points"))["sum"]
    return (
        abs(answers.statuses.get(CREATED, 0) - left)
        + answers.other_than(CREATED, REFUSED)
        + abs(wallet.balance)
        + abs(wallet.balance - entries)
    )


def _redeem(bench: Bench, numbers: Sequence[str], *, clients: int, is_timed: bool = True) -> Answers:
    cause = f"bench-{Entry.objects.order_by('-id').values_list('id', flat=True)[0]}"
    with web.served() as port:
        return web.ask(
            Job(
                port=port,
                clients=clients,
                targets=numbers,
                method="POST",
                path="/api/v1/members/{target}/points/redeem/",
                headers={**web.api_headers(bench.key), "Idempotency-Key": cause + "-{n}"},
                body='{"points": 1, "cause": "' + cause + '-{n}", "reason": "benchmark"}',
                seconds=bench.seconds if is_timed else None,
            )
        )
