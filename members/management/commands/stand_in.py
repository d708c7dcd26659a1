"""`manage.py stand_in PLATFORM --channel CODE`: a platform on this machine, sending as the real one does."""

import time
from argparse import ArgumentParser
from random import Random
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from members import channels, credentials
from members.errors import MembersError
from members.models import Channel
from members.stand_ins import courier, tmall
from members.stand_ins.courier import Mischief
from members.stand_ins.registry import STAND_INS


class Command(BaseCommand):
    help = "Stand in for a platform: send its webhooks, signed and repeated as documented, and some badly."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("platform", choices=sorted(STAND_INS))
        parser.add_argument("--channel", required=True, help="code of the channel that the messages are for")
        parser.add_argument(
            "--to", metavar="URL", default="http://127.0.0.1:8000", help="where Shuke answers"
        )
        parser.add_argument("--count", type=int, default=10, help="how many orders, or buyers who join")
        parser.add_argument("--seed", type=int, default=0, help="the same seed tells the same story again")
        parser.add_argument(
            "--scale", type=float, default=0.001, help="of the platform's pauses between attempts; 1 is real"
        )
        parser.add_argument("--well", action="store_true", help="send everything once, in order, unforged")
        parser.add_argument(
            "--prepare", action="store_true", help="make the channel, with made-up credentials (demo only)"
        )
        parser.add_argument("--listen", type=int, metavar="PORT", help="of Tmall's gateway, for our calls")
        parser.add_argument(
            "--queue", action="store_true", help="let messages wait in Tmall's queue instead (with --listen)"
        )
        parser.add_argument("--wait", type=float, default=0, help="seconds to go on listening at the end")

    def handle(self, *args: Any, **options: Any) -> None:
        stand_in = STAND_INS[options["platform"]]
        held = dict(stand_in.credentials)
        if options["listen"] and stand_in.platform == "tmall":
            held["address"] = f"http://127.0.0.1:{options['listen']}/router/rest"
        is_queued = options["queue"] and "address" in held
        if is_queued:
            held["group_name"] = "default"
        if options["prepare"]:
            self._prepare(options["channel"], stand_in.platform, held)
        gateway = tmall.Gateway(held)
        server = gateway.serve(port=options["listen"]) if "address" in held else None
        parcels = stand_in.story(held, options["count"], options["seed"])
        if is_queued:
            parcels = tmall.queue_up(gateway.queue, parcels)
        mischief = Mischief(twice=0, overtaken=0, stale=0, forged=0) if options["well"] else Mischief()
        tally = courier.deliver(
            stand_in,
            courier.plan(parcels, mischief, Random(options["seed"])),
            f"{options['to'].rstrip('/')}/api/v1/hooks/{options['channel']}/",
            scale=options["scale"],
            say=self.stdout.write if options["verbosity"] > 1 else lambda line: None,
        )
        self.stdout.write(
            f"sent {tally.sent}, taken {tally.taken}, repeated {tally.repeated}, given up {tally.given_up}, "
            f"forged and refused {tally.forged_refused}"
        )
        if server is not None:
            time.sleep(options["wait"])
            server.shutdown()
            self.stdout.write(
                f"calls taken {len(gateway.taken)}, with a wrong signature {gateway.forged}, "
                f"records answered {len(gateway.answers)}, balances {len(gateway.balances)}, "
                f"left in the queue {len(gateway.queue.waiting)}"
            )
        if tally.given_up:
            raise CommandError(
                "Some messages were never acknowledged: is Shuke running, with these credentials?"
            )

    def _prepare(self, code: str, platform: str, held: dict[str, str]) -> Channel:
        if not settings.IS_DEMO:
            raise CommandError("A channel with made-up credentials is for the demo only.")
        try:
            channel = channels.make(code, platform)
            credentials.keep(channel, held)
        except MembersError as error:
            raise CommandError(str(error)) from error
        return channel
