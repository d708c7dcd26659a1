"""Measure Shuke beside the limits of this machine, print a table, and append it to results.md."""

import argparse
import os
import sys
from importlib import import_module
from pathlib import Path

import django

from benchmarks import place

VAR = Path(__file__).resolve().parent.parent / "var"
DEFAULT_SCALE = "0.1"


def read_arguments() -> argparse.Namespace:
    """What to measure, how large, and where."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="what to measure; everything by default")
    parser.add_argument(
        "--scale",
        type=float,
        default=float(os.environ.get("BENCH_SCALE", DEFAULT_SCALE)),
        help="1 is the size of the goals, a million members (default: $BENCH_SCALE, else 0.1)",
    )
    parser.add_argument("--folder", type=Path, default=VAR / "bench", help="made, and removed again")
    parser.add_argument("--keep", action="store_true", help="leave the installation as it is at the end")
    parser.add_argument("--results", type=Path, default=Path(__file__).with_name("results.md"))
    return parser.parse_args()


def main() -> int:
    """Run; the status is 1 when something went wrong that is not a matter of speed."""
    arguments = read_arguments()
    place.enter(arguments.folder)
    django.setup()
    # The suite imports models, which can be done only now.
    suite = import_module("benchmarks.suite")
    try:
        status: int = suite.run(arguments.names, scale=arguments.scale, results_file=arguments.results)
    finally:
        if not arguments.keep:
            place.remove(arguments.folder)
    return status


if __name__ == "__main__":
    sys.exit(main())
