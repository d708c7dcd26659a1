"""Why a package of an old system is refused. What is wrong with one row is a reject, not an error."""

from django.utils.translation import gettext_lazy as _

from members.errors import MembersError


class PackageUnknown(MembersError):
    """There is no migration with this number."""

    code, status = "members.package_unknown", 404
    message = _("There is no such migration.")


class PackageEmpty(MembersError):
    """Nothing in the folder is called as a file of a package is."""

    code = "members.package_empty"
    message = _("None of these files is one of a package. Files are called members, lots, tiers, …")


class PackageFileTwice(MembersError):
    """Two files of one package tell the same kind of thing."""

    code = "members.package_file_twice"
    message = _("Two files of the package are of the same kind: %(kind)s.")


class PackageColumnsMissing(MembersError):
    """A file lacks a column that is needed, and nobody has said which one it is."""

    code = "members.package_columns_missing"
    message = _("The file %(file)s lacks columns that are needed: %(columns)s.")


class PackageMembersRefused(MembersError):
    """The file of members is none that can be read, for the reason that is told."""

    code = "members.package_members_refused"
    message = _("The file of members cannot be used: %(reason)s")


class PackageControlInvalid(MembersError):
    """A control total or a choice of columns cannot be read, or names what is not counted."""

    code = "members.package_control_invalid"
    message = _("This is not a control total or a choice of columns: %(what)s.")


class TotalsMissing(MembersError):
    """Nobody has said what the old system adds up to, so nothing could tie out."""

    code, status = "members.totals_missing", 409
    message = _("Say what the old system adds up to before anything is migrated: %(names)s.")


class TotalsDoNotTieOut(MembersError):
    """What the files bring is not what the old system says it has; nothing was applied."""

    code, status = "members.totals_do_not_tie_out", 409
    message = _("The totals do not tie out, and nothing was migrated: %(differences)s.")


class PackageNeedsSecondPerson(MembersError):
    """Whoever uploaded a package, and said what it adds up to, does not let it in as well (D6)."""

    code, status = "members.package_needs_second_person", 409
    message = _("A second person must start this migration: not who uploaded it.")


class PackageUsed(MembersError):
    """Something that the package brought was used since, and it was not said what becomes of that."""

    code, status = "members.package_used", 409
    message = _("Some of what was brought has been used since: %(points)s points and %(coupons)s coupons.")


class SpentUnknown(MembersError):
    """What was used can be refused, become debt, or stay given; nothing else."""

    code = "members.spent_unknown"
    message = _("What was used can only be: refuse, debt or keep.")
