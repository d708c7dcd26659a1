"""The app that wires the others."""

from django.apps import AppConfig
from django.core.checks import Tags, register

from config import checks


class ConfigConfig(AppConfig):
    name = "config"

    def ready(self) -> None:
        """Register what a deployment is checked for."""
        register(checks.settings_are_safe, Tags.security, deploy=True)
        register(checks.database_is_ready, Tags.database, deploy=True)
