"""`python -m benchmarks.maker BATCH…`: make the codes of batches as a worker does, in a process to watch.

What goes out is how many seconds they took, the time in which Python starts not counted.
"""

import sys
from importlib import import_module

import django

from benchmarks.stopwatch import stopwatch


def main() -> None:
    """Carry out the batches whose numbers are given, one after the other."""
    django.setup()
    # It imports models, which can be done only now.
    coupon_batches = import_module("loyalty.coupon_batches")
    with stopwatch() as seconds:
        for batch_id in sys.argv[1:]:
            coupon_batches.work(int(batch_id))
    print(seconds())


if __name__ == "__main__":
    main()
