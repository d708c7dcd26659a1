"""Why this app refuses something. Details never hold personal data: errors reach logs."""

from collections.abc import Sequence

from django.utils.translation import gettext_lazy as _

from privacy.errors import ShukeError


class MembersError(ShukeError):
    """The base of what this app refuses."""

    code = "members.error"


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


class ChannelTaken(MembersError):
    """A channel with this code exists on another platform or for another brand."""

    code, status = "members.channel_taken", 409
    message = _("The channel %(channel)s exists already, on another platform or for another brand.")


class PlatformUnknown(MembersError):
    """A platform that is not one of the fixed words of interface.md."""

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


class ScopeMissing(MembersError):
    """The key is valid, but not for this."""

    code, status = "api.forbidden", 403
    message = _("This key does not allow this; it needs the scope %(scope)s.")


class KeyHolderInvalid(MembersError):
    """An API key belongs to one active channel or to one active member of staff with a role."""

    code = "members.key_holder_invalid"
    message = _("A key belongs to one active channel or to one active member of staff.")


class ScopeUnknown(MembersError):
    """A scope that is not one of the fixed words of interface.md."""

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
    """What was sent cannot be read; `problems` says what is wrong and where, as {path, code, message}."""

    code = "api.invalid"
    message = _("The request cannot be read.")

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


class AlreadyMerged(MembersError):
    """One of the two members was merged into another, or they are one person already."""

    code, status = "members.already_merged", 409
    message = _("One of these members was merged already.")


class MergeOfOne(MembersError):
    """A member cannot be merged with themselves."""

    code = "members.merge_of_one"
    message = _("Choose two different members.")


class MergeOfOwn(MembersError):
    """Nobody merges a membership of their own: they would come by what another member has."""

    code, status = "members.merge_of_own", 403
    message = _("Somebody else must merge or unmerge your own membership.")


class MergeChoiceInvalid(MembersError):
    """A choice names no field of a profile, or neither of the two members."""

    code = "members.merge_choice_invalid"
    message = _("Choose for each field which of the two members' value stays.")


class MergeNotFound(MembersError):
    """There is no such merge, or it is not one of this member's."""

    code, status = "members.merge_not_found", 404
    message = _("There is no such merge.")


class MergeUndone(MembersError):
    """A merge is undone once."""

    code, status = "members.merge_undone", 409
    message = _("This merge was undone already.")


class MergeNotLatest(MembersError):
    """Merges of one person are undone latest first: each began from what the one before had made."""

    code, status = "members.merge_not_latest", 409
    message = _("Undo the later merge with %(number)s first.")


class DecidedDifferent(MembersError):
    """A person has decided that these are two people; only a person may decide otherwise."""

    code, status = "members.decided_different", 409
    message = _("Somebody decided that these members are different people.")


class ReviewNotFound(MembersError):
    """There is no such match to review."""

    code, status = "members.review_not_found", 404
    message = _("There is no such match to review.")


class ReviewDecided(MembersError):
    """The match was decided before, and otherwise."""

    code, status = "members.review_decided", 409
    message = _("This match was decided already.")


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


class AddressRefused(MembersError):
    """A URL that leads into an inner network, or is not plainly an https address of the internet."""

    code = "members.webhook_address_refused"
    message = _("This URL cannot be used: %(why)s.")


class AddressUnresolved(MembersError):
    """The name in a URL has no address now."""

    code = "members.webhook_address_unresolved"
    message = _("The name %(host)s has no address.")


class EndpointUnknown(MembersError):
    """The channel has no webhook endpoint with this number."""

    code, status = "members.webhook_endpoint_unknown", 404
    message = _("This channel has no such webhook endpoint.")


class EndpointTaken(MembersError):
    """The channel has a webhook endpoint with this URL already."""

    code, status = "members.webhook_endpoint_taken", 409
    message = _("This channel has a webhook endpoint with this URL already.")


class EndpointsTooMany(MembersError):
    """A channel has as many webhook endpoints as one may have."""

    code, status = "members.webhook_endpoints_too_many", 409
    message = _("A channel may have %(most)s webhook endpoints at the most.")


class TooOften(MembersError):
    """One-time codes were asked for too often by this phone, from this address or in this channel today."""

    code, status = "members.too_often", 429
    message = _("Codes were asked for too often. Try again in %(seconds)s seconds.")


class CodeWrong(MembersError):
    """The one-time code is wrong, late or used, or there is no such enrolment: which of them is not told."""

    code = "members.code_wrong"
    message = _("This code is wrong or no longer valid. Check it, or ask for a new one.")


class CodeNotSent(MembersError):
    """The sender of one-time codes did not take a code; it is tried again while the code is good."""

    code, status = "members.code_not_sent", 503
    message = _("The code could not be sent.")


class CodeNotSendable(MembersError):
    """The sender of one-time codes refuses a code for good; it is not tried again."""

    code, status = "members.code_not_sendable", 409
    message = _("The sender refuses to send this code.")


class CodeSenderMissing(MembersError):
    """This installation has no sender of one-time codes (CODE_SENDER)."""

    code, status = "members.code_sender_missing", 409
    message = _("No one-time codes are sent here yet. An administrator sets CODE_SENDER.")


class EnrolmentUnknown(MembersError):
    """There is no enrolment to go on with: it was never begun, or it has ended."""

    code, status = "members.enrolment_unknown", 404
    message = _("There is nothing to go on with. Begin again.")


class MemberCodeUnknown(MembersError):
    """A member code that was not made here, or was typed wrong."""

    code, status = "members.member_code_unknown", 404
    message = _("This is no member code of ours. Scan it again, or ask for the phone.")


class MemberCodeExpired(MembersError):
    """A member code lives for a minute; this one is older."""

    code, status = "members.member_code_expired", 409
    message = _("This member code has run out. Ask the customer to show the card again.")


class MemberCodeUsed(MembersError):
    """A member code counts once at a counter; this one was used."""

    code, status = "members.member_code_used", 409
    message = _("This member code was used already. Ask the customer for the next one.")


class WechatCodeInvalid(MembersError):
    """WeChat does not know the login or phone code: it was used, has run out, or is another app's."""

    code = "members.wechat_code_invalid"
    message = _("WeChat does not accept this code. Ask the mini program for a fresh one.")


class WechatBlocked(MembersError):
    """WeChat takes the user for a risk and gives no identity (errcode 40226)."""

    code, status = "members.wechat_blocked", 403
    message = _("WeChat does not let this user in. They can join by phone and code.")


class WechatBusy(MembersError):
    """WeChat has been asked too often for this user or app (errcode 45011)."""

    code, status = "members.wechat_busy", 429
    message = _("WeChat has been asked too often. Try again in %(seconds)s seconds.")


class WechatRefused(MembersError):
    """WeChat refuses the channel itself: a wrong app id or secret, or an app without this right."""

    code, status = "members.wechat_refused", 409
    message = _("WeChat refuses this channel (errcode %(errcode)s). Check its credentials and rights.")


class WechatAway(MembersError):
    """WeChat did not answer in time, or not in a way that can be read."""

    code, status = "members.wechat_away", 503
    message = _("WeChat does not answer. Try again in a moment, or join by phone and code.")


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


class ReconciliationUnknown(MembersError):
    """The channel has no reconciliation with this number."""

    code, status = "members.reconciliation_unknown", 404
    message = _("There is no such reconciliation.")


class ReconciliationClosed(MembersError):
    """Orders can be told only until the telling was said to be complete."""

    code, status = "members.reconciliation_closed", 409
    message = _("This reconciliation is compared already. Begin another one for the day.")


class ReconciliationOpen(MembersError):
    """Nothing can be settled before the two sides were compared."""

    code, status = "members.reconciliation_open", 409
    message = _("This reconciliation is not compared yet.")


class ReconciliationFailed(MembersError):
    """An error that is ours, not the file's; the log has it, and nothing was kept."""

    code, status = "members.reconciliation_failed", 500
    message = _("The comparison was interrupted by an error of the programme. Upload the file again.")


class DaysInvalid(MembersError):
    """A day that has not begun, or more days in one file than a month has."""

    code = "members.days_invalid"
    message = _("Choose days that have begun, at most 31 at once, the first not after the last.")


class NoOrdersInFile(MembersError):
    """A file of customers, refunds or lines says nothing about which orders there are."""

    code = "members.no_orders_in_file"
    message = _("This file tells no orders, so there is nothing to compare: %(format)s.")


class NothingToSettle(MembersError):
    """None of the chosen differences is open and can be settled in this way."""

    code, status = "members.nothing_to_settle", 409
    message = _("None of the chosen differences can be settled in this way.")


class AcceptedWithoutReason(MembersError):
    """A difference is accepted for a reason of five to three hundred characters, which is kept beside it."""

    code = "members.accepted_without_reason"
    message = _("Say in five to three hundred characters why these differences are right as they are.")


class SignatureInvalid(MembersError):
    """The call is not signed by the platform of a channel that is open here: the caller learns no more."""

    code, status = "api.signature_invalid", 401
    message = _("The signature is missing or not valid.")


class DeliveryCrashed(MembersError):
    """Working on a platform's message broke off again and again; it was set aside and the others went on."""

    code, status = "members.delivery_crashed", 500
    message = _("Working on this message broke off several times. The cause is in the log.")


class DeliveryPurged(MembersError):
    """What the message said has been forgotten, or its channel is of another platform now."""

    code, status = "members.delivery_purged", 410
    message = _("What this message said is not kept any more; let the platform send it again.")


class CallRefused(MembersError):
    """A platform did not take a call of ours: it is away, or says why; the call is repeated."""

    code, status = "members.call_refused", 503
    message = _("The platform did not take the call: %(reason)s.")
