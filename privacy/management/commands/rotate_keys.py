"""Seal all personal values anew with the newest key of DATA_KEYS, while serving."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from privacy import crypto, keys


class Command(BaseCommand):
    help = "Seal every personal value with the newest key. Can be stopped and run again. Runs as the owner."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--batch", type=int, default=500, help="rows a transaction (default 500)")
        parser.add_argument("--json", action="store_true", help="print the result as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        keys.prove()
        done: dict[str, int] = {}
        for progress in keys.rotate(batch=options["batch"]):
            done[progress.model] = progress.done
            if not options["json"]:
                self.stdout.write(f"{progress.model}: {progress.done} rows done, {progress.left} left")
        left = {model._meta.label: keys.left_on_old_keys(model) for model in keys.sealed_models()}
        if options["json"]:
            self.stdout.write(json.dumps({"key": crypto.newest_key(), "rows": done, "left": left}))
        else:
            self.stdout.write(
                f"Rows on an old key: {sum(left.values())}. The newest is {crypto.newest_key()}."
            )
