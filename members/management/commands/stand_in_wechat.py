from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from members import channels, credentials
from members.errors import MembersError
from members.stand_ins.wechat import Server, Wechat


class Command(BaseCommand):
    help = (
        "Serve a WeChat of our own on this machine, to try one-tap enrolment. With a channel, its "
        "credentials are set to it. POST /stand-in/login and /stand-in/phone {openid, phone, unionid} give "
        "codes."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("channel", nargs="?", help="a channel on the platform wechat")
        parser.add_argument("--port", type=int, default=8099)

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.ENVIRONMENT != "demo":
            raise CommandError("The stand-in serves in the demo only.")
        with Server(Wechat(), port=options["port"]) as server:
            if options["channel"]:
                self._introduce(options["channel"], server)
            self.stdout.write(f"WeChat's stand-in: {server.address} (Ctrl-C stops it)")
            try:
                server.thread.join()
            except KeyboardInterrupt:
                self.stdout.write("Stopped.")

    def _introduce(self, code: str, server: Server) -> None:
        known = {
            "app_id": server.wechat.app_id,
            "app_secret": server.wechat.secret,
            "address": server.address,
        }
        try:
            credentials.keep(channels.get(code), known)
        except MembersError as refusal:
            raise CommandError(str(refusal)) from refusal
