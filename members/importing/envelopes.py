"""Envelopes: what is written on the outside of a staged fact, which itself rests sealed.

By it the database finds what the fact tells of, when that happened and what money it moves, without
opening it.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from typing import NamedTuple
from uuid import UUID

from members import keys
from members.facts import AccountFact, Fact, OrderFact, RefundFact, digest
from members.importing.packing import pack, unpack
from members.models import Channel, ImportRun, StagedFact
from members.sealing import sealed_field
from privacy.crypto import SEAL_BYTES

NO_TIME = datetime(9000, 1, 1, tzinfo=UTC)  # what has no time comes last
ZERO = Decimal("0.00")
COPY = (
    "COPY members_stagedfact (run_id, sequence, number, refund_number, account_index, digest, happened_at,"
    " lines, net, postage, refunded, seal, payload) FROM STDIN"
)
_MOST_YUAN = Decimal(10) ** 10
_PAYLOAD = sealed_field(StagedFact, "payload")
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


class Enveloped(NamedTuple):
    """A fact with its place in the file and the lines that it stands on."""

    sequence: int
    lines: tuple[int, ...]
    fact: Fact


def copy_text(run: ImportRun, enveloped: Sequence[Enveloped]) -> str:
    """Facts in PostgreSQL's COPY text form, sealed."""
    key = run.key.int
    seals = [_seal_of(key, sequence) for sequence, _, _ in enveloped]
    payloads = _PAYLOAD.seal_values([pack(fact) for _, _, fact in enveloped], seals)
    return "".join(map(partial(_copy_line, run), enveloped, seals, payloads))


def _copy_line(run: ImportRun, enveloped: Enveloped, seal: bytes, payload: bytes | None) -> str:
    sequence, lines, fact = enveloped
    number, refund_number, index = names_of(fact, run.channel)
    net, postage, refunded = money_of(fact)
    assert payload is not None
    return (
        f"{run.pk}\t{sequence}\t{number.translate(_ESCAPES)}\t{refund_number.translate(_ESCAPES)}\t"
        f"\\\\x{index.hex()}\t\\\\x{digest(fact).hex()}\t{time_of(fact).isoformat()}\t"
        f"{{{','.join(map(str, lines))}}}\t{net!s}\t{postage!s}\t{refunded!s}\t"
        f"{seal.hex()}\t\\\\x{payload.hex()}\n"
    )


def _seal_of(key: int, sequence: int) -> bytes:
    """Binds a staged fact to its run, by the run's key, and to its place in it."""
    return (key ^ sequence).to_bytes(SEAL_BYTES, "big")


def names_of(fact: Fact, channel: Channel) -> tuple[str, str, bytes]:
    """Order number, refund number, and the index of the account that it is or that bought."""
    if isinstance(fact, AccountFact):
        return "", "", _index_of(fact, channel)
    if isinstance(fact, OrderFact):
        known = fact.buyer is not None and fact.buyer.is_known
        return fact.number, "", _index_of(fact.buyer, channel) if known and fact.buyer else b""
    return fact.order_number, fact.number if isinstance(fact, RefundFact) else "", b""


def _index_of(buyer: AccountFact, channel: Channel) -> bytes:
    return keys.account_index(channel, keys.external_id_of(buyer, channel))


def time_of(fact: Fact) -> datetime:
    if isinstance(fact, AccountFact):
        return fact.joined_at or NO_TIME
    if isinstance(fact, OrderFact | RefundFact):
        return fact.happened_at or NO_TIME
    return NO_TIME


def money_of(fact: Fact) -> tuple[Decimal, Decimal, Decimal]:
    """Net, postage and refunded yuan of one fact."""
    if isinstance(fact, OrderFact):
        return fact.amounts.net, fact.amounts.postage, fact.refunded_total or ZERO
    if isinstance(fact, RefundFact):
        return ZERO, ZERO, fact.goods + fact.postage
    return ZERO, ZERO, ZERO


def fault_of(fact: Fact) -> str | None:
    """A reject code for what no column can hold, so that one row cannot stop the copying of others."""
    if isinstance(fact, AccountFact):
        return None if fact.is_known else "buyer_missing"
    names = [fact.number] if isinstance(fact, OrderFact) else [fact.order_number]
    if isinstance(fact, RefundFact):
        names.append(fact.number)
    if any(len(name) > 64 for name in names):
        return "value_too_long"
    if any("\0" in name for name in names):
        return "row_unreadable"
    return "amount_invalid" if any(abs(amount) >= _MOST_YUAN for amount in money_of(fact)) else None


def sealed(fact: Fact, seal: UUID) -> bytes:
    """The fact as it rests in the database."""
    payload = _PAYLOAD.seal_value(pack(fact), seal)
    assert payload is not None
    return payload


def opened(kind: str, payloads: Sequence[bytes], seals: Sequence[bytes]) -> list[Fact]:
    """The facts that were sealed, in their order; raises SealBroken or KeyUnknown."""
    return [unpack(kind, text) for text in _PAYLOAD.unseal_values(payloads, seals)]
