"""The app that wires the others."""

import gc
import os

from django.apps import AppConfig
from django.core.checks import Tags, register
from django.utils import translation

from config import checks

COLLECTED_AFTER = 50_000  # objects more than there were


class ConfigConfig(AppConfig):
    name = "config"

    def ready(self) -> None:
        """Register what a deployment is checked for, and speak the terminal's language in one (manage.py)."""
        if language := os.environ.pop("TERMINAL_LANGUAGE", ""):
            translation.activate(language)
        register(checks.settings_are_safe, Tags.security, deploy=True)
        register(checks.database_is_ready, Tags.database, deploy=True)
        _collect_seldom()


def _collect_seldom() -> None:
    """Let Python look for unreachable cycles seldom.

    A batch makes tens of thousands of objects and they all go by themselves, for there are few cycles among
    them; by default each 700 are looked through, which took a sixth of Python's part of an order.
    """
    gc.set_threshold(COLLECTED_AFTER, *gc.get_threshold()[1:])
