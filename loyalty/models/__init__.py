"""Every table of the programme, by its name."""

from loyalty.models.audits import AuditRun, Closing, ClosingBalance
from loyalty.models.clock import ClockShift
from loyalty.models.coupon_withdrawals import CouponWithdrawal
from loyalty.models.coupons import Coupon, CouponBatch, CouponMove, CouponReject, CouponUse
from loyalty.models.grants import Activity, BirthdayIndex, CheckIn, Grant
from loyalty.models.points import Entry, Hold, HoldLot, Lot, LotMove, OrderEarning, RuleUse, Wallet
from loyalty.models.programme import ProgrammeVersion
from loyalty.models.quotes import Quote
from loyalty.models.referrals import DeviceSeen, Referral, ReferralCode
from loyalty.models.rewards import Claim, ClaimMove, RewardPicture, Shelf, ShelfMove
from loyalty.models.tiers import (
    BenefitUse,
    EarnedTier,
    GrowthEntry,
    ProgrammeSweep,
    TierBeforeMerge,
    TierChange,
    TierCut,
    TierEvent,
    TierLook,
    TierWarning,
)

__all__ = [
    "Activity",
    "AuditRun",
    "BenefitUse",
    "BirthdayIndex",
    "CheckIn",
    "Claim",
    "ClaimMove",
    "ClockShift",
    "Closing",
    "ClosingBalance",
    "Coupon",
    "CouponBatch",
    "CouponMove",
    "CouponReject",
    "CouponUse",
    "CouponWithdrawal",
    "DeviceSeen",
    "EarnedTier",
    "Entry",
    "Grant",
    "GrowthEntry",
    "Hold",
    "HoldLot",
    "Lot",
    "LotMove",
    "OrderEarning",
    "ProgrammeSweep",
    "ProgrammeVersion",
    "Quote",
    "Referral",
    "ReferralCode",
    "RewardPicture",
    "RuleUse",
    "Shelf",
    "ShelfMove",
    "TierBeforeMerge",
    "TierChange",
    "TierCut",
    "TierEvent",
    "TierLook",
    "TierWarning",
    "Wallet",
]
