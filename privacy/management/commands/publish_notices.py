"""Publish the notices that ship, where there are none yet."""

from typing import Any

from django.core.management.base import BaseCommand

from privacy import notices


class Command(BaseCommand):
    help = "Publish the notices that ship, filled in with BRAND_NAME and BRAND_CONTACT, where there are none."

    def handle(self, *args: Any, **options: Any) -> None:
        published = notices.publish_defaults()
        for notice in published:
            self.stdout.write(str(notice))
        self.stdout.write(f"{len(published)} published.")
