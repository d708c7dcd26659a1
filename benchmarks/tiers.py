"""The night's look at everybody's tier, beside the same question in one statement written by hand."""

import json
import sys
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from django.db import connection, transaction

from benchmarks import installation, processes
from benchmarks.bench import Bench, Limit, Row
from benchmarks.stopwatch import stopwatch
from loyalty import clock, ledger, publishing
from loyalty.models import Wallet
from members.models import Member

BATCH = 5_000

# What members have bought within the window, held against what each tier asks for. It answers how many it
# has judged, and how many of them stand lower than they merit; nothing is written, explained or told.
_BY_HAND = """
WITH ladder AS (
    SELECT * FROM unnest(%(codes)s::text[], %(spends)s::numeric[], %(orders)s::int[]) WITH ORDINALITY
        AS tier(code, spend, orders, rank)
), bought AS (
    SELECT member_id, sum(net - refunded_goods) AS spend, count(*) AS orders
      FROM members_order
     WHERE paid_at > %(since)s AND status NOT IN ('placed', 'cancelled') AND net > refunded_goods
     GROUP BY member_id
), judged AS (
    SELECT (SELECT rank FROM ladder WHERE code = w.tier) AS held,
           (SELECT max(rank) FROM ladder
             WHERE coalesce(bought.spend, 0) >= ladder.spend
               AND coalesce(bought.orders, 0) >= ladder.orders) AS merited
      FROM loyalty_wallet w LEFT JOIN bought USING (member_id)
)
SELECT count(*), count(*) FILTER (WHERE merited > held) FROM judged
"""


def measure_tiers(bench: Bench) -> Iterator[Row]:
    """Look at every member again, whether or not anything concerns them; the statement before and after.

    Who has never bought gets a wallet first: an enrolment gives one too, and then the night looks at all.
    """
    _give_everybody_a_wallet()
    installation.calm(bench.server)
    members = Wallet.objects.count()
    command = (sys.executable, "manage.py", "reassess_tiers")
    limit = Limit("SQL", " members/s")
    limit.rates.append(_by_hand()[0])
    idle = processes.run(*command, "--help").seconds
    ran = processes.run(*command, "--all", "--json")
    rate_by_hand, too_low = _by_hand()
    limit.rates.append(rate_by_hand)
    rate = members / (ran.seconds - idle)
    yield Row(
        work="tiers of all members",
        size=f"{members:,} members with a wallet",
        measured=f"{rate:,.0f} members/s, at most {ran.peak_mib:,.0f} MiB",
        beside=str(limit),
        ratio=rate / limit.rate,
        faults=too_low + max(0, members - json.loads(ran.said)["members"]),
    )


def _give_everybody_a_wallet() -> None:
    first_tier = publishing.current().programme.tiers[0].code
    without = list(Member.objects.filter(wallet=None).order_by("pk").values_list("pk", flat=True))
    for start in range(0, len(without), BATCH):
        with transaction.atomic():
            ledger.lock(without[start : start + BATCH], first_tier=lambda: first_tier)


def _by_hand() -> tuple[float, int]:
    """Members a second by the statement, and how many stand lower than they merit."""
    programme = publishing.current().programme
    asked = [(tier.code, tier.qualify) for tier in programme.tiers if tier.qualify is not None]
    (window,) = {qualify.window for _code, qualify in asked}  # the demo's tiers share theirs
    parameters: dict[str, Any] = {
        "codes": [programme.tiers[0].code, *(code for code, _qualify in asked)],
        "spends": [Decimal(0), *(qualify.spend for _code, qualify in asked)],
        "orders": [0, *(qualify.orders for _code, qualify in asked)],
        "since": window.start(clock.read().now, programme.time_zone, joined_at=None),
    }
    with stopwatch() as seconds, connection.cursor() as cursor:
        cursor.execute(_BY_HAND, parameters)
        members, too_low = cursor.fetchone()
    return members / seconds(), too_low
