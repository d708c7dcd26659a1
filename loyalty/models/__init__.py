"""Every table of the programme, by its name."""

from loyalty.models.clock import ClockShift
from loyalty.models.points import Entry, Hold, HoldLot, Lot, LotMove, OrderEarning, RuleUse, Wallet
from loyalty.models.programme import ProgrammeVersion
from loyalty.models.tiers import TierChange

__all__ = [
    "ClockShift",
    "Entry",
    "Hold",
    "HoldLot",
    "Lot",
    "LotMove",
    "OrderEarning",
    "ProgrammeVersion",
    "RuleUse",
    "TierChange",
    "Wallet",
]
