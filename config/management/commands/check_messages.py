"""manage.py check_messages"""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from config import messages

SHOWN = 40


class Command(BaseCommand):
    help = "Fail when a text is not translated, a translation is doubtful, or a catalogue is not compiled."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        faults: list[str] = []
        for number, folder in enumerate(settings.LOCALE_PATHS):
            path = Path(folder) / messages.LANGUAGE_FOLDER / "django.po"
            name = path.relative_to(settings.BASE_DIR)
            if number and not path.exists():
                continue
            catalogue = messages.open_catalogue(path)
            # Only the first catalogue is of our own texts; the others complete what packages left out.
            wanted = messages.collect(settings.BASE_DIR) if number == 0 else None
            faults += [f"{name}: {fault}" for fault in messages.faults_of(catalogue, wanted)]
            compiled = path.with_suffix(".mo")
            if not compiled.exists() or compiled.read_bytes() != catalogue.to_binary():
                faults.append(f"{name}: not compiled; manage.py make_messages does it")
        for fault in faults[:SHOWN]:
            self.stderr.write(fault)
        if faults:
            raise CommandError(f"{len(faults)} faults in the translations.")
        self.stdout.write("Every text is translated.")
