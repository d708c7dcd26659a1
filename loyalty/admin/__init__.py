"""The console's pages about the programme and the ledger."""

from loyalty.admin import points
from loyalty.admin.programme import ProgrammeVersionAdmin

__all__ = ["ProgrammeVersionAdmin", "points"]
