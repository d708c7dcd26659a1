"""What stands between somebody and joining: codes, WeChat, and asking too often."""

from django.utils.translation import gettext_lazy as _

from members.errors.base import MembersError


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
