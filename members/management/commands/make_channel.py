"""`manage.py make_channel CODE --platform NAME`: a channel, and for a point of sale its first store (A1)."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.utils.translation import gettext as _

from members import channels
from members.errors import MembersError
from members.facts import IdentifierKind
from members.models import Platform


class Command(BaseCommand):
    help = "Makes a channel; for a point of sale also its first store, under the same code."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("code", help="short name, used in addresses and files")
        parser.add_argument("--platform", required=True, choices=Platform.values)
        parser.add_argument("--name", default="", help="what people call it (default: the code)")
        parser.add_argument("--brand", default="main", help="channels of one brand share brand-wide ids")
        parser.add_argument(
            "--vouches-for",
            action="append",
            choices=[kind.value for kind in IdentifierKind],
            help="an identifier that this channel has verified; may be repeated",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with transaction.atomic():
                channel = channels.make(
                    options["code"],
                    options["platform"],
                    name=options["name"],
                    brand=options["brand"],
                    vouches_for=options["vouches_for"],
                )
                if channel.platform == Platform.POS and not channel.stores.exists():
                    channels.make_store(channel, channel.code, name=channel.name)
        except MembersError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            _("Channel %(code)s (%(platform)s) is there.")
            % {"code": channel.code, "platform": channel.get_platform_display()}
        )
