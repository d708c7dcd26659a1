"""The demo: a brand with its members, loaded the way any brand would load itself (E4).

    channels, staff and programme → files as the platforms export them → imports → a day at the desk

Nothing enters by a side door: every order is a row of a file, and every file goes through `members.imports`.
The same seed, size and day make the same files, so a load that was cut short is begun again and passes over
what is in already.
"""

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import date
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.db.models import Count, Sum
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from config.demos import files, shop
from config.demos.files import File, Made
from loyalty import audit, counter, nightly
from loyalty.models import Entry, Wallet
from members import channels, imports
from members.formats.mapped import guess_mapping
from members.importing import files as uploads
from members.importing import report
from members.models import ImportRun, MatchReview, Member, Order
from privacy.errors import ShukeError

MEMBERS: Final = 3000
SEED: Final = 20260101
MOST_MEMBERS: Final = 1_000_000
MOST_SALES: Final = 60  # at the desk on the day of loading
State = ImportRun.State
Say = Callable[[str], None]


class DemoError(ShukeError):
    """The demo cannot be loaded."""

    code, status = "demo.failed", 409
    message = _("The demo cannot be loaded.")


class NotEmpty(DemoError):
    """There are orders here that are not the demo's."""

    code = "demo.not_empty"
    message = _("There are orders here already that are not the demo's: load it into an empty installation.")


class OtherDemo(DemoError):
    """Another demo has been begun here."""

    code = "demo.other"
    message = _("Another demo was begun here: %(members)s members, seed %(seed)s, %(today)s.")


class FileNotTaken(DemoError):
    """A file of the demo was not imported row by row."""

    code = "demo.file_not_taken"
    message = _("%(file)s: %(rows)s rows were not imported. %(reason)s")


class LedgerBroken(DemoError):
    """The audit found something after the load."""

    code = "demo.ledger_broken"
    message = _("The ledger's audit finds %(count)s violations after the load.")
