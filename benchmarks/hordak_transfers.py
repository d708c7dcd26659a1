"""`python -m benchmarks.hordak_transfers HOST SECONDS`: transfers of django-hordak, by four processes.

What was measured goes out as JSON: the rate, how many transfers raised an error, and how many of those that
did not are missing in the books or leave them unbalanced.
"""

import json
import os
import random
import sys
import time
from contextlib import redirect_stdout
from importlib import import_module
from multiprocessing import get_context
from typing import Any, NamedTuple

import django
from django.core.management import call_command
from django.db import connections
from django.db.models import Sum

from benchmarks.clients import WARM_UP_SHARE

DATABASE = "hordak"
PROCESSES = 4
# Few are as good as many: hordak locks no account and keeps no balance, it adds the legs up when asked.
ACCOUNTS = 100
CURRENCY = "CNY"


class Done(NamedTuple):
    """What one process did: all its transfers, those a second after the warm-up, and its errors."""

    transfers: int
    rate: float
    raised: int


def main() -> None:
    """Make the tables and accounts, transfer, look whether it is all there."""
    host, seconds = sys.argv[1:]
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "benchmarks.hordak_settings",
        "HORDAK_DATABASE": DATABASE,
        "HORDAK_HOST": host,
    }
    django.setup()
    with redirect_stdout(sys.stderr):
        call_command("migrate", interactive=False, verbosity=0)
    _make_accounts()
    connections.close_all()  # a connection is not shared by processes
    with get_context("fork").Pool(PROCESSES) as pool:
        done = pool.map(_transfer, [float(seconds)] * PROCESSES, chunksize=1)
    transfers = sum(each.transfers for each in done)
    told = {
        "accounts": ACCOUNTS,
        "rate": sum(each.rate for each in done),
        "raised": sum(each.raised for each in done),
        "missing": _missing(transfers),
    }
    json.dump(told, sys.stdout)


def _models() -> Any:
    # They can be imported only after Django is set up.
    return import_module("hordak.models")


def _make_accounts() -> None:
    hordak = _models()
    for number in range(ACCOUNTS):
        hordak.Account.objects.create(
            name=f"member {number}",
            code=str(number),
            type=hordak.AccountType.liability,
            currencies=[CURRENCY],
        )


def _transfer(seconds: float) -> Done:
    """Transfer one yuan between two accounts at a time, for so many seconds after a warm-up."""
    accounts = list(_models().Account.objects.all())
    yuan = import_module("moneyed").Money(1, CURRENCY)
    warm_until = time.perf_counter() + seconds * WARM_UP_SHARE
    transfers = warm = raised = 0
    while (now := time.perf_counter()) < warm_until + seconds:
        payer, payee = random.sample(accounts, 2)
        try:
            payer.transfer_to(payee, yuan)
        except Exception:  # whatever it was: it is counted, and shown as a fault
            raised += 1
            continue
        transfers += 1
        warm += now >= warm_until
    return Done(transfers, warm / (time.perf_counter() - warm_until), raised)


def _missing(transfers: int) -> int:
    """How far the books are from two legs for each transfer, and 1 more when they do not balance."""
    hordak = _models()
    sums = hordak.Leg.objects.aggregate(credit=Sum("credit"), debit=Sum("debit"))
    return abs(2 * transfers - hordak.Leg.objects.count()) + (sums["credit"] != sums["debit"])


if __name__ == "__main__":
    main()
