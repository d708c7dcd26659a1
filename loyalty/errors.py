"""Why the programme or the ledger says no. One class a reason; `config.api` turns them into answers."""

from collections.abc import Sequence

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
