"""Why the programme or the ledger says no. One class a reason; `config.api` turns them into answers."""

from collections.abc import Sequence
from typing import ClassVar

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from privacy.errors import ShukeError


class LoyaltyError(ShukeError):
    """The programme does not allow it."""

    message = _("The programme does not allow it.")
    code = "loyalty.refused"
    status = 409


class ProgrammeInvalid(LoyaltyError):
    """The programme's document breaks its own rules; `problems` says where, as `{path, message}`."""

    message = _("The programme has mistakes.")
    code = "loyalty.programme_invalid"
    status = 400

    def __init__(self, problems: Sequence[dict[str, str]]) -> None:
        super().__init__(problems=list(problems))
        self.problems = list(problems)


class ProgrammeMissing(LoyaltyError):
    """No version of the programme has been published yet."""

    message = _("No programme has been published yet.")
    code = "loyalty.programme_missing"
    status = 409


class MergedMeanwhile(LoyaltyError):
    """The member is just being merged with another, and somebody is at work on that one's points."""

    message = _("This member is just being merged with another. Try again in a moment.")
    code = "loyalty.merged_meanwhile"
    status = 409


class SecondPersonNeeded(LoyaltyError):
    """A programme is published by somebody who had no hand in the draft, or with a reason on record (D6)."""

    message = _("A second person must publish this programme.")
    code = "privacy.needs_approval"
    status = 409


class DraftChanged(LoyaltyError):
    """Somebody else edited the draft since it was read; saving now would undo their change."""

    message = _("Somebody else changed the draft meanwhile. Read it again and repeat your change.")
    code = "loyalty.draft_changed"
    status = 409


class NotADraft(LoyaltyError):
    """The version has been published; what was published is never edited."""

    message = _("This version has been published and cannot be changed.")
    code = "loyalty.not_a_draft"
    status = 409


class NotReady(LoyaltyError):
    """Its author has not said that the draft is ready for review, or has edited it since (D6)."""

    message = _("The draft is not ready for review yet. Its author says when it is.")
    code = "loyalty.not_ready"
    status = 409


class RuleNotFound(LoyaltyError):
    """The draft has no earning rule of this code; somebody may have removed it."""

    message = _("There is no such rule in the draft.")
    code = "loyalty.rule_not_found"
    status = 404


class NotEnoughPoints(LoyaltyError):
    """The wallet has fewer available points than asked for."""

    message = _("The member does not have that many points available.")
    code = "loyalty.not_enough_points"
    status = 409


class CauseTaken(LoyaltyError):
    """The cause has been used before, for something else."""

    message = _("This cause has been used before with other content.")
    code = "loyalty.cause_taken"
    status = 409


class RefundShort(LoyaltyError):
    """The points an order earned are spent, and the programme refuses refunds then."""

    message = _("The points this order earned have been spent; the programme refuses the refund.")
    code = "loyalty.refund_short"
    status = 409


class RefundTooLarge(LoyaltyError):
    """The refunds of an order would exceed what was bought."""

    message = _("The refund is larger than what is left of the order.")
    code = "loyalty.refund_too_large"
    status = 409


class RefundChanged(LoyaltyError):
    """A refund would do something else by now than its reader was shown. Nothing has moved."""

    message = _("What this refund does has changed since it was shown. Look again, and confirm.")
    code = "loyalty.refund_changed"
    status = 409


class HoldEnded(LoyaltyError):
    """The hold was captured, released or timed out before."""

    message = _("This hold has already ended.")
    code = "loyalty.hold_ended"
    status = 409


class HoldNotFound(LoyaltyError):
    """There is no such hold in this channel."""

    message = _("There is no such hold.")
    code = "loyalty.hold_not_found"
    status = 404


class OrderNotFound(LoyaltyError):
    """There is no such order in this channel."""

    message = _("There is no such order.")
    code = "loyalty.order_not_found"
    status = 404


class AmountInvalid(LoyaltyError):
    """An amount of money at the counter that is none: zero, negative, too large, or with parts of a cent."""

    message = _("Enter an amount above ¥0.00 with at most two decimals.")
    code = "loyalty.amount_invalid"
    status = 400


class AdjustmentEmpty(LoyaltyError):
    """An adjustment of no points at all."""

    message = _("Say how many points to give or to take.")
    code = "loyalty.adjustment_empty"
    status = 400


class EntryNotReversible(LoyaltyError):
    """A correction names an entry of another member or direction, or of an order, claim or grant."""

    message = _("This entry cannot be corrected by hand. What an order moved follows the order.")
    code = "loyalty.entry_not_reversible"
    status = 409


class ReversedAlready(LoyaltyError):
    """A correction would reverse more than the entry moved, with those before it."""

    message = _("Only %(left)s points of this entry are left to correct.")
    code = "loyalty.reversed_already"
    status = 409


class ActivityNotOffered(LoyaltyError):
    """The programme gives nothing for this kind of activity, or knows no such kind."""

    message = _("The programme gives nothing for this activity.")
    code = "loyalty.activity_not_offered"
    status = 409


class ActivityInvalid(LoyaltyError):
    """What was done does not say enough to be counted, or has not been done; `problems` says where."""

    message = _("This activity cannot be counted.")
    code = "loyalty.activity_invalid"
    status = 400

    _REASONS: ClassVar[dict[str, str | Promise]] = {
        "required": _("This is missing."),
        "too_long": _("Write a text of 1 to 50 characters."),
        "unknown": _("This member has no such thing here."),
        "not_taken": _("This has not been told to us yet."),
        "out_of_range": _("This is in the future, or too long ago."),
    }

    def __init__(self, *, field: str, reason: str) -> None:
        super().__init__()
        self.problems = [{"path": field, "code": reason, "message": str(self._REASONS[reason])}]


class CouponNotFound(LoyaltyError):
    """No coupon has this code, and no campaign answers to it."""

    message = _("There is no coupon with this code.")
    code = "loyalty.coupon_not_found"
    status = 404


class CouponNotUsable(LoyaltyError):
    """The coupon is there, but not for this order; `errors` says why, as a code and in words."""

    message = _("This coupon cannot be used. %(words)s")
    code = "loyalty.coupon_not_usable"
    status = 409

    def __init__(self, reason: str, words: str) -> None:
        super().__init__(reason=reason, words=words)
        self.reason = reason
        self.problems = [{"path": "code", "code": reason, "message": words}]


class QuoteNotFound(LoyaltyError):
    """This channel has made no such quote, or it has been removed because nobody took it up."""

    message = _("There is no such quote.")
    code = "loyalty.quote_not_found"
    status = 404


class QuoteEnded(LoyaltyError):
    """The time of a quote is out, or it was committed for another order."""

    message = _("This quote has ended. Ask for a new one.")
    code = "loyalty.quote_ended"
    status = 409


class QuoteChanged(LoyaltyError):
    """What was offered is no longer to be had: a coupon or the tier changed. Nothing has moved."""

    message = _("What the member can use has changed since. Check the new sum.")
    code = "loyalty.quote_changed"
    status = 409


class CouponBatchRefused(LoyaltyError):
    """Codes cannot be made or taken in like this: no such campaign, none wanted, or more than are left."""

    message = _("Codes of this campaign cannot be made: unknown campaign, or more than its quota leaves.")
    code = "loyalty.coupon_batch_refused"
    status = 409


class CouponBatchNotFound(LoyaltyError):
    """There is no batch of coupon codes with this number."""

    message = _("There is no such batch of codes.")
    code = "loyalty.coupon_batch_not_found"
    status = 404


class CouponBatchBusy(LoyaltyError):
    """The codes of a batch are being made or withdrawn: only one of it goes on at a time."""

    message = _("This batch is still being worked on. Try again when it is done.")
    code = "loyalty.coupon_batch_busy"
    status = 409


class RewardNotFound(LoyaltyError):
    """The programme that holds now has no such reward."""

    message = _("There is no such reward.")
    code = "loyalty.reward_not_found"
    status = 404


class RewardNotOffered(LoyaltyError):
    """The reward cannot be claimed at this time, or is only given by the programme."""

    message = _("This reward cannot be claimed now.")
    code = "loyalty.reward_not_offered"
    status = 409


class RewardOfOtherTiers(LoyaltyError):
    """The reward is for other tiers than the member's."""

    message = _("This reward is for members of other tiers.")
    code = "loyalty.reward_of_other_tiers"
    status = 409


class RewardLimitReached(LoyaltyError):
    """The member has claimed this reward as often as one member may."""

    message = _("The member has claimed this reward as often as one member may.")
    code = "loyalty.reward_limit_reached"
    status = 409


class RewardPriceChanged(LoyaltyError):
    """The price that was seen is not the one that holds: a points sale has begun or ended meanwhile."""

    message = _("The price has changed meanwhile. Look at the reward again.")
    code = "loyalty.reward_price_changed"
    status = 409


class RewardWayNotOffered(LoyaltyError):
    """The reward does not reach members in this way."""

    message = _("This reward is not handed out in this way.")
    code = "loyalty.reward_way_not_offered"
    status = 409


class OutOfStock(LoyaltyError):
    """Nothing of the reward is left."""

    message = _("Nothing of this reward is left.")
    code = "loyalty.out_of_stock"
    status = 409


class RewardCouponRefused(LoyaltyError):
    """The coupon that the reward consists of could not be issued; `reason` is the campaign's refusal."""

    message = _("The coupon of this reward cannot be issued.")
    code = "loyalty.reward_coupon_refused"
    status = 409


class ClaimNotFound(LoyaltyError):
    """There is no such claim here."""

    message = _("There is no such claim.")
    code = "loyalty.claim_not_found"
    status = 404


class ClaimElsewhere(LoyaltyError):
    """The claim has gone on meanwhile, and this step does not follow from where it is."""

    message = _("This claim is already further, or has ended.")
    code = "loyalty.claim_elsewhere"
    status = 409


class ParcelNumberMissing(LoyaltyError):
    """A parcel was sent off without its number."""

    message = _("Enter the number of the parcel.")
    code = "loyalty.parcel_number_missing"
    status = 400


class StockBelowTaken(LoyaltyError):
    """More was to be taken off a shelf than is left on it."""

    message = _("Only %(left)s are left; the others have been claimed.")
    code = "loyalty.stock_below_taken"
    status = 409


class StockUnchanged(LoyaltyError):
    """A change of stock by nothing, or by more than a shelf can hold."""

    message = _("Enter by how many the stock changes, such as 20 or -5.")
    code = "loyalty.stock_unchanged"
    status = 400


class PictureRefused(LoyaltyError):
    """An upload that is no picture, or one that is too large to be opened safely."""

    message = _("Upload a PNG, JPEG or WebP picture of at most 8 MB and 40 megapixels.")
    code = "loyalty.picture_refused"
    status = 400


class TierUnknown(LoyaltyError):
    """The programme has no tier of this code."""

    message = _("There is no such tier.")
    code = "loyalty.tier_unknown"
    status = 404


class TierNotGivable(LoyaltyError):
    """The lowest tier is everybody's and cannot be given; what has ended cannot be ended again."""

    message = _("This tier cannot be given or ended so.")
    code = "loyalty.tier_not_givable"
    status = 409


class TimeInvalid(LoyaltyError):
    """A floor needs an end that lies ahead; only a tier by invitation is given without one."""

    message = _("Say until when, in the future. Only a tier by invitation needs no end.")
    code = "loyalty.time_invalid"
    status = 400


class BenefitNotYours(LoyaltyError):
    """The member's tier has no counted benefit of this code."""

    message = _("This tier has no such benefit.")
    code = "loyalty.benefit_not_yours"
    status = 409


class BenefitUsedUp(LoyaltyError):
    """The benefit has been had as often as the period allows."""

    message = _("This benefit has been used up for this period; it comes again on %(day)s.")
    code = "loyalty.benefit_used_up"
    status = 409


class ReferralNotFound(LoyaltyError):
    """There is no such referral."""

    message = _("There is no such referral.")
    code = "loyalty.referral_not_found"
    status = 404


class ReferralSettled(LoyaltyError):
    """A person decided about a friend about whom there is nothing left to decide."""

    message = _("This friend counts or waits already, is the referrer, or was brought by somebody else.")
    code = "loyalty.referral_settled"
    status = 409


class ReferralCodeUnknown(LoyaltyError):
    """A clerk typed a referral code that is nobody's."""

    message = _("No member has this referral code. Check it, or leave it out.")
    code = "loyalty.referral_code_unknown"
    status = 404
