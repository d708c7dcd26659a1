"""What a comparison with a channel cannot be made of, or how it may not end."""

from django.utils.translation import gettext_lazy as _

from members.errors.base import MembersError


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
