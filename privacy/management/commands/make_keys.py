"""Print fresh keys, ready for the environment."""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from privacy import keys


class Command(BaseCommand):
    help = "Print a fresh DATA_KEYS and INDEX_KEY. Keep them outside the database and its backups."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        for name, value in keys.fresh(timezone.now().date()).items():
            self.stdout.write(f"{name}={value}")
