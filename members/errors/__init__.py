"""Why this app refuses something. Details never hold personal data: errors reach logs."""

from collections.abc import Sequence

from django.utils.translation import gettext_lazy as _

from members.errors.base import (
    MembersError,
)
from members.errors.joining import (
    CodeNotSendable,
    CodeNotSent,
    CodeSenderMissing,
    CodeWrong,
    EnrolmentUnknown,
    MemberCodeExpired,
    MemberCodeUnknown,
    MemberCodeUsed,
    TooOften,
    WechatAway,
    WechatBlocked,
    WechatBusy,
    WechatCodeInvalid,
    WechatRefused,
)
from members.errors.merging import (
    AlreadyMerged,
    DecidedDifferent,
    MergeChoiceInvalid,
    MergeNotFound,
    MergeNotLatest,
    MergeOfOne,
    MergeOfOwn,
    MergeUndone,
    ReviewDecided,
    ReviewNotFound,
)
from members.errors.reconciling import (
    AcceptedWithoutReason,
    DaysInvalid,
    NoOrdersInFile,
    NothingToSettle,
    ReconciliationClosed,
    ReconciliationFailed,
    ReconciliationOpen,
    ReconciliationUnknown,
)
from members.errors.webhooks import (
    AddressRefused,
    AddressUnresolved,
    EndpointsTooMany,
    EndpointTaken,
    EndpointUnknown,
)

__all__ = [
    "AcceptedWithoutReason",
    "AccountNotFound",
    "AddressRefused",
    "AddressUnresolved",
    "AlreadyMerged",
    "AmountsInvalid",
    "BodyInvalid",
    "BuyerUnknown",
    "CaseNotFound",
    "CaseStateForeign",
    "CaseTimesDisorder",
    "ChannelCodeInvalid",
    "ChannelKeyNeeded",
    "ChannelTaken",
    "ChannelUnknown",
    "CodeNotSendable",
    "CodeNotSent",
    "CodeSenderMissing",
    "CodeWrong",
    "CredentialMissing",
    "CredentialUnknown",
    "DaysInvalid",
    "DecidedDifferent",
    "EndpointTaken",
    "EndpointUnknown",
    "EndpointsTooMany",
    "EnrolmentUnknown",
    "EventInFuture",
    "EventTooOld",
    "ExportKindUnknown",
    "ExportSuffixUnknown",
    "ExternalIdPersonal",
    "IdempotencyKeyMissing",
    "IdempotencyKeyReused",
    "InProgress",
    "KeyHolderInvalid",
    "KeyInvalid",
    "KeyUnknown",
    "MatchingBusy",
    "MatchingFailed",
    "MemberCodeExpired",
    "MemberCodeUnknown",
    "MemberCodeUsed",
    "MemberNotFound",
    "MembersError",
    "MembershipTaken",
    "MergeChoiceInvalid",
    "MergeNotFound",
    "MergeNotLatest",
    "MergeOfOne",
    "MergeOfOwn",
    "MergeUndone",
    "NoOrdersInFile",
    "NothingToSettle",
    "OrderUnknown",
    "PhoneInvalid",
    "PlatformUnknown",
    "RateInvalid",
    "RateLimited",
    "ReconciliationClosed",
    "ReconciliationFailed",
    "ReconciliationOpen",
    "ReconciliationUnknown",
    "ReviewDecided",
    "ReviewNotFound",
    "ScopeMissing",
    "ScopeUnknown",
    "StaffKeyNeeded",
    "StoreUnknown",
    "TagInvalid",
    "TagRuleInvalid",
    "TagRuleTaken",
    "TextTooLong",
    "TooOften",
    "VersionConflict",
    "WechatAway",
    "WechatBlocked",
    "WechatBusy",
    "WechatCodeInvalid",
    "WechatRefused",
]


class MemberNotFound(MembersError):
    """Nobody is known by what was asked."""

    code, status = "members.not_found", 404
    message = _("No member was found.")


class AccountNotFound(MembersError):
    """The channel has no buyer with this id."""

    code, status = "members.account_not_found", 404
    message = _("This channel knows no such buyer.")


class ChannelUnknown(MembersError):
    """There is no channel with this code."""

    code, status = "members.channel_unknown", 404
    message = _("There is no channel called %(channel)s.")


class ChannelCodeInvalid(MembersError):
    """The code of a channel stands in addresses, so it is of plain letters, digits, - and _ alone."""

    code = "members.channel_code_invalid"
    message = _("Write the code of a channel in up to 50 letters, digits, - or _.")


class ChannelTaken(MembersError):
    """A channel with this code exists on another platform or for another brand."""

    code, status = "members.channel_taken", 409
    message = _("The channel %(channel)s exists already, on another platform or for another brand.")


class PlatformUnknown(MembersError):
    """A platform that is not one of the fixed words of the API."""

    code = "members.platform_unknown"
    message = _("There is no platform called %(platform)s.")


class StoreUnknown(MembersError):
    """The channel has no store with this code."""

    code = "members.store_unknown"
    message = _("The channel %(channel)s has no store called %(store)s.")


class VersionConflict(MembersError):
    """The same thing was told with another content and no newer version."""

    code, status = "members.version_conflict", 409
    message = _("This was told before with another content; a change needs a newer version.")


class BuyerUnknown(MembersError):
    """An account that names neither an id nor anything by which to recognise the buyer."""

    code = "members.buyer_unknown"
    message = _("The account names no id, phone, e-mail or other key of the buyer.")


class AmountsInvalid(MembersError):
    """Amounts that no order can have: negative, beyond ten digits, or a discount above the goods."""

    code = "members.amounts_invalid"
    message = _("The amounts make no sense: none may be negative and the discount may not exceed the goods.")


class TextTooLong(MembersError):
    """A number or code that is longer than any platform's, so that cutting it could join two things."""

    code = "members.text_too_long"
    message = _("The field %(field)s is longer than %(limit)s characters.")


class PhoneInvalid(MembersError):
    """What was typed is no telephone number that can exist."""

    code = "members.phone_invalid"
    message = _("This is not a telephone number.")


class OrderUnknown(MembersError):
    """The channel has told no order with this number."""

    code, status = "members.order_unknown", 404
    message = _("This channel has told no such order.")


class KeyInvalid(MembersError):
    """No key, a wrong, expired or revoked one, or one used from elsewhere: the caller learns no more."""

    code, status = "api.key_invalid", 401
    message = _("The API key is missing or not valid.")


class StaffKeyNeeded(MembersError):
    """A channel's key asks for what only a person may do."""

    code, status = "api.forbidden", 403
    message = _("Only a key of a member of staff can do this.")


class ChannelKeyNeeded(MembersError):
    """The key of a person asks for what only a channel tells."""

    code, status = "api.forbidden", 403
    message = _("Only a channel's key can do this.")


class ScopeMissing(MembersError):
    """The key is valid, but not for this."""

    code, status = "api.forbidden", 403
    message = _("This key does not allow this; it needs the scope %(scope)s.")


class KeyHolderInvalid(MembersError):
    """An API key belongs to one active channel or to one active member of staff with a role."""

    code = "members.key_holder_invalid"
    message = _("A key belongs to one active channel or to one active member of staff.")


class ScopeUnknown(MembersError):
    """A scope that is not one of the fixed words of the API."""

    code = "members.scope_unknown"
    message = _("There is no scope called %(scope)s.")


class RateInvalid(MembersError):
    """A rate is written as requests a minute."""

    code = "members.rate_invalid"
    message = _("Write the rate as 600/min, at least one request a minute.")


class KeyUnknown(MembersError):
    """There is no API key with this prefix."""

    code, status = "members.key_unknown", 404
    message = _("There is no API key that begins with %(prefix)s.")


class RateLimited(MembersError):
    """The key has been used more often than its rate allows."""

    code, status = "api.rate_limited", 429
    message = _("Too many requests with this key. Try again in %(seconds)s seconds.")


class BodyInvalid(MembersError):
    """What was sent is readable, but wrong; `problems` says what and where, as {path, code, message}."""

    code = "api.invalid"
    message = _("The request was read, but some of it is wrong or missing: `errors` says what and where.")

    def __init__(self, problems: Sequence[dict[str, str]] = ()) -> None:
        super().__init__()
        self.problems = list(problems)


class ExternalIdPersonal(MembersError):
    """Addresses are logged along the way, so no personal data may stand in one (PIPL art. 51)."""

    code = "api.external_id_personal"
    message = _("Use the platform's own id of the buyer: no phone and no e-mail may stand in an address.")


class IdempotencyKeyMissing(MembersError):
    """Without a key of its own, a repeated request could not be told from a second one."""

    code = "api.idempotency_key_missing"
    message = _("Send an Idempotency-Key with this request, one to 255 printable characters.")


class IdempotencyKeyReused(MembersError):
    """This Idempotency-Key came before with another request."""

    code, status = "api.idempotency_key_reused", 422
    message = _("This Idempotency-Key was used before with another request.")


class InProgress(MembersError):
    """The first request with this Idempotency-Key has not been answered yet."""

    code, status = "api.in_progress", 409
    message = _("The first request with this Idempotency-Key is still running. Try again in a moment.")


class TagInvalid(MembersError):
    """A tag's name without a letter or digit, or longer than fifty characters."""

    code = "members.tag_invalid"
    message = _("A tag is a word or a few, of at most fifty characters.")


class ExportKindUnknown(MembersError):
    """Nothing of this name can be exported."""

    code = "members.export_kind_unknown"
    message = _("%(kind)s cannot be exported. There are: %(kinds)s.")


class ExportSuffixUnknown(MembersError):
    """The name of the file does not say what to write."""

    code = "members.export_suffix_unknown"
    message = _("The name of the file must end in one of: %(suffixes)s.")


class MembershipTaken(MembersError):
    """The membership is on the profile of another member of staff."""

    message = _("This is the membership of another member of staff.")
    code = "members.membership_taken"
    status = 409


class CredentialUnknown(MembersError):
    """The platform has no credential of this name."""

    code = "members.credential_unknown"
    message = _("%(platform)s has no credential named %(name)s.")


class CredentialMissing(MembersError):
    """The channel lacks a credential that its platform asks for."""

    code, status = "members.credential_missing", 409
    message = _("Channel %(channel)s lacks the credential %(name)s.")


class EventTooOld(MembersError):
    """An event of a month that is no longer kept: it would be forgotten the next night."""

    code = "members.event_too_old"
    message = _("Events are kept for %(months)s months; this one is older.")


class EventInFuture(MembersError):
    """An event of tomorrow or later; a clock that is a little ahead is forgiven."""

    code = "members.event_in_future"
    message = _("This event has not happened yet.")


class CaseNotFound(MembersError):
    """The channel has told no case with this number."""

    code, status = "members.case_not_found", 404
    message = _("This channel has told no such case.")


class CaseStateForeign(MembersError):
    """A state of what is sent back, of a case in which nothing is; or a replacement in a plain return."""

    code = "members.case_state_foreign"
    message = _("A case of this kind cannot be in this state.")


class CaseTimesDisorder(MembersError):
    """A case that was answered or closed before it was opened."""

    code = "members.case_times_disorder"
    message = _("A case is opened first: no answer and no end may lie before that.")


class TagRuleInvalid(MembersError):
    """Conditions that say nothing, or name a fact, a comparison or a value that is not known."""

    code = "members.tag_rule_invalid"
    message = _("The conditions of this rule cannot be read: %(what)s")


class TagRuleTaken(MembersError):
    """A second rule for one tag would take away what the first one gives."""

    code, status = "members.tag_rule_taken", 409
    message = _("The tag %(tag)s has a rule already.")


class MatchingFailed(MembersError):
    """The engine that compares members broke off; its own words may quote a value, so they are left out."""

    code, status = "members.matching_failed", 500
    message = _("Matching broke off (%(kind)s). Nothing was linked by it; it is tried again.")


class MatchingBusy(MembersError):
    """Another process is matching."""

    code, status = "members.matching_busy", 409
    message = _("Members are being matched already.")
