"""manage.py make_messages"""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from config import messages


class Command(BaseCommand):
    help = "Collect the texts of the source into the Chinese catalogue and compile every catalogue."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        own, *others = (
            Path(place) / messages.LANGUAGE_FOLDER / "django.po" for place in settings.LOCALE_PATHS
        )
        catalogue = messages.open_catalogue(own)
        added, removed = messages.update(catalogue, messages.collect(settings.BASE_DIR))
        own.parent.mkdir(parents=True, exist_ok=True)
        catalogue.save(str(own))
        for path in (own, *others):
            if path.exists():
                messages.open_catalogue(path).save_as_mofile(str(path.with_suffix(".mo")))
        waiting = len(catalogue.untranslated_entries()) + len(catalogue.fuzzy_entries())
        self.stdout.write(f"{added} texts added, {removed} removed, {waiting} to translate.")
