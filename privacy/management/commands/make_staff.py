"""Make a member of staff."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from privacy import roles
from privacy.errors import PrivacyError


class Command(BaseCommand):
    help = "Make a member of staff with a role, and print the password once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="the name to sign in with")
        parser.add_argument("--role", required=True, choices=roles.matrix().roles)
        parser.add_argument(
            "--store",
            default="",
            metavar="CODE",
            help="where a clerk works: CHANNEL/STORE, or CODE alone for the first store of a channel",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        store = options["store"]
        if store and "/" not in store:
            store = f"{store}/{store}"  # as make_channel names the first one
        try:
            _, password = roles.make_staff(options["name"], options["role"], store=store)
        except PrivacyError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(password)
