"""Outcomes: what became of each row of a file. No row is without one, so that counts add up."""

import re
from dataclasses import dataclass

from members.cleaning import Unclean
from members.facts import Fact

_LONG_NUMBER = re.compile(r"\d{7,}")
_MAILBOX = re.compile(r"[^\s@]+@")


@dataclass(frozen=True, slots=True)
class Remark:
    """A cell that was left out although its row is good, as the phone of a receiver that cannot be right."""

    line: int
    column: str
    code: str
    value_masked: str = ""


@dataclass(frozen=True, slots=True)
class Read:
    """One fact, out of one line or, for orders of several rows, out of several."""

    lines: tuple[int, ...]
    fact: Fact
    remarks: tuple[Remark, ...] = ()


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row that cannot be used: which cell, and why (`code` is one of `cleaning.REJECT_CODES`)."""

    line: int
    column: str
    code: str
    value_masked: str = ""


@dataclass(frozen=True, slots=True)
class Ignored:
    """A row that tells no fact: `blank`, `total`, `description`, `not_a_refund`, `not_refunded`."""

    line: int
    reason: str


Outcome = Read | Rejected | Ignored


def mask(value: str) -> str:
    """What may stand in a report: long numbers and mailboxes lose their middle; 40 characters at most."""
    value = _LONG_NUMBER.sub(lambda found: found[0][:3] + "*" * (len(found[0]) - 5) + found[0][-2:], value)
    return _MAILBOX.sub(lambda found: found[0][0] + "***@", value)[:40]


def rejected(line: int, fault: Unclean) -> Rejected:
    """The rejection that a fault in a row means."""
    return Rejected(line, fault.column, fault.code, mask(fault.value))
