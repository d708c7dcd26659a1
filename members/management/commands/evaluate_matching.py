"""`manage.py evaluate_matching`: how good the scored matching is, where it is known who is who (A5)."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from members.matching import english, estimation, evaluation, parameters
from members.matching.evaluation import Figures, Measured
from privacy.errors import ShukeError

VERSION = "1"
TWICE = 0.25  # the share of members who are there under another number too; few shops have more
ESTIMATED_BY = 1  # the seed of the set that the parameters come from; it is never measured on


class Command(BaseCommand):
    help = (
        "Prints precision, recall and F1 of the matching by set and threshold. "
        "Exit status: 0, or 1 where members would be linked with less than the precision that is asked."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--data", type=Path, help="a folder of the public sets: febrl, splink, rldata")
        parser.add_argument(
            "--seed", type=int, action="append", help="of our own set; may be repeated (7, 8)"
        )
        parser.add_argument("--people", type=int, default=evaluation.PEOPLE, help="of a set of our own")
        parser.add_argument("--json", action="store_true", help="print the report as JSON")
        parser.add_argument(
            "--estimate",
            action="store_true",
            help="estimate the parameters, and replace the shipped ones",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        seeds = options["seed"] or [7, 8]
        if ESTIMATED_BY in seeds:
            raise CommandError(
                _("Seed %(seed)s is what the parameters were estimated by.") % {"seed": ESTIMATED_BY}
            )
        try:
            known = self._estimated(options["people"]) if options["estimate"] else parameters.shipped()
            measured = list(self._measured(known, seeds, options))
        except ShukeError as error:
            raise CommandError(str(error)) from error
        link, _ask = parameters.thresholds()
        precise = evaluation.is_precise(measured, link)
        if options["json"]:
            self.stdout.write(json.dumps(self._document(known, measured), ensure_ascii=False, indent=1))
        else:
            self._tell(measured)
        if not precise:
            raise SystemExit(1)

    def _estimated(self, people: int) -> parameters.Parameters:
        shipped = parameters.shipped()
        known = estimation.estimate(
            version=VERSION,
            seed=ESTIMATED_BY,
            number=people,
            twice=TWICE,
            link=shipped.link,
            ask=shipped.ask,
        )
        parameters.write(known)
        parameters.shipped.cache_clear()
        return known

    def _measured(
        self, known: parameters.Parameters, seeds: list[int], options: dict[str, Any]
    ) -> Iterator[Measured]:
        link, ask = parameters.thresholds()
        for seed in seeds:
            yield evaluation.measure(
                known,
                seed=seed,
                number=options["people"],
                link=link,
                ask=ask,
                questions=settings.MATCH_QUESTIONS,
            )
        folder = options["data"]
        names = english.found_in(folder) if folder else []
        if len(names) < len(english.SETS):
            missing = ", ".join(sorted(set(english.SETS) - set(names)))
            self.stderr.write(_("Not measured, as not found under --data: %(sets)s") % {"sets": missing})
        for name in names:
            yield evaluation.measure_english(folder, name)

    def _document(self, known: parameters.Parameters, measured: list[Measured]) -> dict[str, Any]:
        link, ask = parameters.thresholds()
        return {
            "parameters": known.version,
            "link": link,
            "ask": ask,
            "lowest_link": evaluation.choose(measured),
            "sets": [each.document() for each in measured],
        }

    def _tell(self, measured: list[Measured]) -> None:
        say = self.stdout.write
        link, ask = parameters.thresholds()
        for each in measured:
            say(_("%(set)s: %(rows)s rows, best F1 %(f1).4f") % _shown(each))
            say("            precision   recall       F1")
            for at, figures in each.by_threshold.items():
                say(_line(f"score {at:g}", figures))
            for at, figures in each.linked.items():
                say(_line(f"link {at:g}", figures))
            if each.asked:
                say(_line(f"ask {ask:g}", each.asked))
            for case, count in each.wrong.items():
                say(_("  wrongly linked: %(case)s, %(count)s pairs") % {"case": case, "count": count})
        say(
            _("Members are linked from %(link)s, asked about from %(ask)s; measured as precise: %(chosen)s")
            % {"link": link, "ask": ask, "chosen": evaluation.choose(measured) or _("none")}
        )


def _shown(measured: Measured) -> dict[str, Any]:
    return {"set": measured.name, "rows": measured.rows, "f1": measured.best_f1}


def _line(name: str, figures: Figures) -> str:
    rates = f"{figures.precision:9.4f}{figures.recall:9.4f}{figures.f1:9.4f}"
    return f"  {name:14}{rates}   {figures.right}/{figures.found}/{figures.true}"
