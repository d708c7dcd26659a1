"""Totals: what a package adds up to, set against what the old system says it does (A16).

    members, points, points.2026-12, points.never, lots, tiers, tiers.gold, growth, coupons, coupons.spring,
    consents, consents.marketing (each a yes), referrals

Counted is what could be used, whether it is new or was brought before; rejected rows are not. Months are
those of the last day on which points can be spent, by the clocks of the house.
"""

import re
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.db import connection

from members.legacy.errors import PackageControlInvalid, TotalsDoNotTieOut, TotalsMissing
from members.models import LegacyRun

_NAMES = re.compile(
    r"members|lots|growth|points(\.(\d{4}-\d{2}|never|by_rule))?|tiers(\.\S+)?|coupons(\.\S+)?|"
    r"consents(\.\S+)?|referrals"
)
_TOTALS = """
    WITH counted AS (SELECT kind, amount, document FROM members_legacyrow
                      WHERE run_id = %(run)s AND code = '' AND state <> 'rejected'),
         points AS (SELECT amount, CASE WHEN document ? 'by_rule' THEN 'by_rule'
                           WHEN document ? 'expires_at' THEN to_char(((document->>'expires_at')::timestamptz
                                - interval '1 microsecond') AT TIME ZONE %(zone)s, 'YYYY-MM')
                           ELSE 'never' END AS month
                      FROM counted WHERE kind IN ('lots', 'balances') AND amount > 0)
    SELECT kind, count(*) FROM counted
     WHERE kind IN ('members', 'tiers', 'coupons', 'consents', 'referrals')
     GROUP BY kind
     UNION ALL SELECT 'lots', count(*) FROM points HAVING count(*) > 0
     UNION ALL SELECT 'points', sum(amount)::bigint FROM points HAVING count(*) > 0
     UNION ALL SELECT 'points.' || month, sum(amount)::bigint FROM points GROUP BY month
     UNION ALL SELECT 'growth', sum(amount)::bigint FROM counted WHERE kind = 'growth' HAVING count(*) > 0
     UNION ALL SELECT 'tiers.' || (document->>'tier'), count(*) FROM counted WHERE kind = 'tiers' GROUP BY 1
     UNION ALL SELECT 'coupons.' || (document->>'campaign'), count(*) FROM counted WHERE kind = 'coupons'
               GROUP BY 1
     UNION ALL SELECT 'consents.' || (document->>'purpose'), count(*) FROM counted WHERE kind = 'consents'
               AND (document->>'granted')::boolean GROUP BY 1"""
_OUTCOMES = """
    SELECT kind, state, count(*), sum(amount)::bigint, sum(taken)::bigint, sum(kept)::bigint
      FROM members_legacyrow WHERE run_id = %s GROUP BY kind, state, place ORDER BY place, state"""
_REASONS = """
    SELECT kind, code, count(*) FROM members_legacyrow
     WHERE run_id = %s AND state = 'rejected' GROUP BY kind, code, place ORDER BY place, code"""


def of(run: LegacyRun) -> dict[str, int]:
    """What the rows of a package add up to, by name; what is not there is not named."""
    with connection.cursor() as cursor:
        cursor.execute(_TOTALS, {"run": run.pk, "zone": settings.TIME_ZONE})
        return {name: int(total) for name, total in sorted(cursor.fetchall())}


def outcomes(run: LegacyRun) -> dict[str, dict[str, int]]:
    """By file, how many rows ended how; every line is counted once."""
    found: dict[str, dict[str, int]] = {}
    for kind, state, rows, *_sums in _rows(_OUTCOMES, run):
        found.setdefault(kind, {})[state] = rows
    return found


def amounts(run: LegacyRun) -> dict[str, dict[str, int]]:
    """By file, what was brought, taken back, and stays because it was used."""
    found: dict[str, dict[str, int]] = {}
    for kind, state, _count, amount, taken, kept in _rows(_OUTCOMES, run):
        if state in ("new", "undone"):
            mine = found.setdefault(kind, {"brought": 0, "taken_back": 0, "kept": 0})
            mine["brought"] += amount
            mine["taken_back"] += taken
            mine["kept"] += kept
    return found


def rejected(run: LegacyRun) -> dict[str, dict[str, int]]:
    """By file and reason, how many rows were rejected."""
    found: dict[str, dict[str, int]] = {}
    for kind, code, rows in _rows(_REASONS, run):
        found.setdefault(kind, {})[code] = rows
    return found


def expected(told: Mapping[str, Any]) -> dict[str, int]:
    """Control totals by their names. Raises PackageControlInvalid for what is not counted or no number."""
    found = {}
    for name, value in told.items():
        text = str(value).strip().replace(",", "")
        if not _NAMES.fullmatch(name.strip()) or not re.fullmatch(r"\d+", text, re.ASCII):
            raise PackageControlInvalid(what=f"{name}={value}"[:100])
        found[name.strip()] = int(text)
    return found


_ASKED = ("members", "tiers", "growth", "coupons", "consents", "referrals")


def needed(run: LegacyRun) -> list[str]:
    """The totals that must be told for a package with these files."""
    kinds = run.files.keys()
    asked = [name for name in _ASKED if name in kinds]
    return sorted([*asked, *(["points"] if {"lots", "balances"} & kinds else [])])


def differences(run: LegacyRun) -> dict[str, tuple[int, int]]:
    """The control totals that do not tie out: what the old system says, and what the files bring."""
    told = run.told
    return {
        name: (asked, told.get(name, 0)) for name, asked in run.expected.items() if told.get(name, 0) != asked
    }


def tie_out(run: LegacyRun) -> None:
    """Raise TotalsMissing or TotalsDoNotTieOut unless the package brings exactly what it should."""
    missing = [name for name in needed(run) if name not in run.expected]
    if missing:
        raise TotalsMissing(names=", ".join(missing))
    found = differences(run)
    if found:
        raise TotalsDoNotTieOut(
            differences="; ".join(f"{name}: {asked} ≠ {told}" for name, (asked, told) in found.items())
        )


def _rows(statement: str, run: LegacyRun) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, [run.pk])
        return cursor.fetchall()
