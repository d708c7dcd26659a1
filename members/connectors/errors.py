"""Why a platform's message is not taken in, or a call of ours not taken. Details hold no personal data."""

from django.utils.translation import gettext_lazy as _

from members.errors import MembersError


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


class BoundAgain(MembersError):
    """The platform was to be told that an account has ended, and meanwhile the buyer joined again."""

    code, status = "members.bound_again", 409
    message = _("The buyer has joined again meanwhile, so the platform is not told to end it.")
