"""The console's pages about the programme and the ledger."""

from loyalty.admin import coupons, grants, points, rewards, tiers
from loyalty.admin.programme import ProgrammeVersionAdmin

__all__ = ["ProgrammeVersionAdmin", "coupons", "grants", "points", "rewards", "tiers"]
