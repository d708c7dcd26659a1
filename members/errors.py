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
