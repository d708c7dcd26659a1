"""The app that wires the others."""

import os

from django.apps import AppConfig
from django.core.checks import Tags, register
from django.utils import translation

from config import checks


class ConfigConfig(AppConfig):
    name = "config"

    def ready(self) -> None:
        """Register what a deployment is checked for, and speak the terminal's language in one (manage.py)."""
        if language := os.environ.pop("TERMINAL_LANGUAGE", ""):
            translation.activate(language)
        register(checks.settings_are_safe, Tags.security, deploy=True)
        register(checks.database_is_ready, Tags.database, deploy=True)
