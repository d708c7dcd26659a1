"""Why something was refused. One class a reason; `config.api` alone turns it into HTTP.

`code` is stable and public (docs/errors.md), `status` is its HTTP status, `message` is what a person
reads, in the reader's language. Details given by keyword fill the named placeholders of the message
and travel with the error; they must never hold personal data, as errors reach logs.
"""

from typing import Any, ClassVar

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class ShukeError(Exception):
    """The base of every refusal in every app."""

    code: ClassVar[str] = "shuke.error"
    status: ClassVar[int] = 400
    message: ClassVar[str | Promise] = _("This could not be done.")

    def __init__(self, **details: Any) -> None:
        super().__init__()
        self.details = details

    def __str__(self) -> str:
        """The message in the language that is active now, not in that of the raising code."""
        text = str(self.message)
        return text % self.details if self.details else text


class PrivacyError(ShukeError):
    """The base of what this app refuses."""

    code = "privacy.error"


class ReasonMissing(PrivacyError):
    """Personal data was asked for without saying why, or in fewer than five characters."""

    code = "privacy.reason_missing"
    message = _("Give the reason in at least five characters.")


class NotAllowed(PrivacyError):
    """The role of this person does not include what was asked (role-matrix.yaml)."""

    code, status = "api.forbidden", 403
    message = _("Your role does not allow this.")


class TooManyReveals(PrivacyError):
    """One person has revealed more within an hour than the work of a desk explains."""

    code, status = "privacy.too_many_reveals", 429
    message = _("You have revealed personal data too often within an hour. Try again later.")


class FieldNotRegistered(PrivacyError):
    """Asked to reveal something that the register of personal fields does not know."""

    code = "privacy.field_not_registered"
    message = _("The field %(field)s is not in the register of personal data.")


class PartyMissing(PrivacyError):
    """A consent to pass data on must name to whom (PIPL art. 23)."""

    code = "privacy.party_missing"
    message = _("Name the third party that this consent is about.")


class PurposeInvalid(PrivacyError):
    """A purpose or channel of a consent is not a word of lower-case letters, digits and _."""

    code = "privacy.purpose_invalid"
    message = _("The consent must name its purpose and channel in plain lower-case words.")


class NoticeUnknown(PrivacyError):
    """No notice of this kind, version or language has been published."""

    code, status = "privacy.notice_unknown", 404
    message = _("There is no such notice.")


class NoticeTaken(PrivacyError):
    """This version was published before with another text; a published text never changes."""

    code, status = "privacy.notice_taken", 409
    message = _("This version of the notice was already published with another text.")


class RoleUnknown(PrivacyError):
    """A role that is not in the role matrix."""

    code = "privacy.role_unknown"
    message = _("There is no role called %(role)s.")


class StaffNameTaken(PrivacyError):
    """Another member of staff signs in under this name."""

    code, status = "privacy.staff_name_taken", 409
    message = _("Somebody already signs in as %(name)s.")


class ApprovalNotFound(PrivacyError):
    """There is no request for approval with this number."""

    code, status = "privacy.approval_not_found", 404
    message = _("There is no such request.")


class ApprovalDecided(PrivacyError):
    """The request was approved, refused or withdrawn before."""

    code, status = "privacy.approval_decided", 409
    message = _("This request has been decided already.")


class ApprovalExpired(PrivacyError):
    """Nobody decided within 24 hours; what was asked must be asked again."""

    code, status = "privacy.approval_expired", 409
    message = _("This request was not decided within its time. Ask again.")


class ApprovalChanged(PrivacyError):
    """The change is not the one that was asked for: somebody altered it in the database."""

    code, status = "privacy.approval_changed", 409
    message = _("What was asked for has been altered since. It cannot be approved.")


class AskedOtherwise(PrivacyError):
    """The same cause asked for something else before."""

    code, status = "privacy.asked_otherwise", 409
    message = _("Something else was asked for under this cause before.")


class OwnRequest(PrivacyError):
    """Who asks for a change cannot be the one who approves it."""

    code, status = "privacy.own_request", 403
    message = _("You asked for this yourself: another person decides.")


class OthersRequest(PrivacyError):
    """Only who asked for a change withdraws the request; others refuse it."""

    code, status = "privacy.others_request", 403
    message = _("Somebody else asked for this: only they can withdraw it.")


class OwnBenefit(PrivacyError):
    """The change is about the membership of the very person who would decide."""

    code, status = "privacy.own_benefit", 403
    message = _("This is about your own membership: another person decides.")


class KeyUnknown(PrivacyError):
    """A sealed value names a key that is not in DATA_KEYS."""

    code, status = "privacy.key_unknown", 503
    message = _("The key %(key)s is not in the key ring.")


class KeyWrong(PrivacyError):
    """A key in the settings is not the one that this database was written with."""

    code, status = "privacy.key_wrong", 503
    message = _("The key %(key)s is not the one that this database was written with.")


class SealBroken(PrivacyError):
    """A sealed value was changed, or moved here from another row, column or table."""

    code, status = "privacy.seal_broken", 500
    message = _("A protected value could not be opened: it was changed or moved.")
