"""Why a whole file was refused. What is wrong with single rows is an outcome, not an error."""

from django.utils.translation import gettext_lazy as _

from privacy.errors import ShukeError


class FileRefused(ShukeError):
    """The base of what is wrong with a whole file."""

    code = "members.file_refused"
    message = _("This file cannot be read.")


class FileEmpty(FileRefused):
    """Nothing that could be a header was found in the first lines."""

    code = "members.file_empty"
    message = _("There is no table in this file.")


class FileKindUnknown(FileRefused):
    """The first bytes are of a picture, a web page, a PDF …, whatever the file is called."""

    code = "members.file_kind_unknown"
    message = _("This is neither a text file with columns (CSV) nor a spreadsheet (XLSX, XLS).")


class EncodingUnknown(FileRefused):
    """Some byte is of none of the encodings that platforms use."""

    code = "members.encoding_unknown"
    message = _("The text is neither UTF-8, UTF-16 nor GB18030; the first wrong byte is number %(byte)s.")


class SpreadsheetBroken(FileRefused):
    """The spreadsheet is damaged or locked with a password."""

    code = "members.spreadsheet_broken"
    message = _(
        "The spreadsheet is damaged or locked with a password. "
        "Open it, and save it without one as XLSX or CSV."
    )


class FileTooLargeInside(FileRefused):
    """A packed file that would unpack to far more than a table of orders ever holds."""

    code = "members.file_too_large_inside"
    status = 413
    message = _("The spreadsheet is too large when unpacked. Save it as CSV.")


class FormatUnknown(FileRefused):
    """No format has all its columns in this header; names the nearest and what it misses."""

    code = "members.format_unknown"
    message = _("The columns are of no known format. The nearest is %(nearest)s; missing: %(missing)s.")


class MappingIncomplete(FileRefused):
    """A mapping names a column that is not there, or leaves out a field that is needed."""

    code = "members.mapping_incomplete"
    message = _("The mapping is not complete. Missing: %(missing)s.")
