"""How quotes are made: how long one holds, and what the priority score S weighs (B7, B13). Pure."""

from dataclasses import dataclass
from decimal import Decimal

from loyalty.reading import Part


@dataclass(frozen=True, slots=True)
class QuoteTerms:
    """valid_minutes: how long a quote can be committed. The weights are those of S (docs/programme.md)."""

    valid_minutes: int = 15
    saving: Decimal = Decimal(1)
    urgency: Decimal = Decimal("0.5")
    narrowness: Decimal = Decimal("0.25")


def read(parent: Part) -> QuoteTerms:
    """The section `quotes`; mistakes are noted on the part."""
    part = parent.part("quotes")
    weights = part.part("weights")
    terms = QuoteTerms(
        valid_minutes=part.whole("valid_minutes", 15, low=1, high=24 * 60),
        saving=weights.decimal("saving", "1", high="10"),
        urgency=weights.decimal("urgency", "0.5", high="10"),
        narrowness=weights.decimal("narrowness", "0.25", high="10"),
    )
    weights.done()
    part.done()
    return terms
