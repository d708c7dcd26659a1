"""Why the demo is not loaded."""

from django.utils.translation import gettext_lazy as _

from privacy.errors import ShukeError


class DemoError(ShukeError):
    """The base of what the demo refuses."""

    code, status = "demo.error", 409


class NotADemo(DemoError):
    """This installation is in production."""

    code = "demo.in_production"
    message = _("The demo is not loaded into production.")


class NotEmpty(DemoError):
    """There are orders here that are not the demo's."""

    code = "demo.not_empty"
    message = _("There are orders here that are not the demo's. Load it into an empty installation.")


class OtherDemo(DemoError):
    """Another demo was begun here: half of one and half of another would be neither."""

    code = "demo.other"
    message = _("Another demo was begun here: %(members)s members, seed %(seed)s, history up to %(today)s.")


class FileNotTaken(DemoError):
    """A file of the demo did not go in row by row."""

    code = "demo.file_not_taken"
    message = _("%(file)s did not go in: %(reason)s")


class LedgerBroken(DemoError):
    """The audit found something after the load."""

    code = "demo.ledger_broken"
    message = _("After the load the ledger's audit finds %(count)s violations, the first of %(name)s.")
