"""Why an import refuses something. What is wrong with one row is a reject, not an error."""

from django.utils.translation import gettext_lazy as _

from members.errors import MembersError


class ImportUnknown(MembersError):
    """There is no import with this number."""

    code, status = "members.import_unknown", 404
    message = _("There is no such import.")


class FileTooLarge(MembersError):
    """More bytes than UPLOAD_LIMIT allows."""

    code, status = "members.file_too_large", 413
    message = _("The file is larger than %(limit)s MB.")


class FileGone(MembersError):
    """The uploaded file has been erased, so it cannot be read again."""

    code, status = "members.file_gone", 410
    message = _("The file of this import has been erased. Upload it again.")


class OtherFile(MembersError):
    """To resume an import needs the very file that it began with."""

    code, status = "members.other_file", 409
    message = _("This is not the file that the import began with.")


class StateForbids(MembersError):
    """What was asked does not fit the state the import is in."""

    code, status = "members.import_state", 409
    message = _("This cannot be done with an import in this state: %(state)s.")


class ImportBusy(MembersError):
    """Another process works on this import, or imports into the same channel."""

    code, status = "members.import_busy", 409
    message = _("Another import into this channel is running.")


class ChannelUnclear(MembersError):
    """Nothing in the file says of which channel it is, or there is no channel of that platform."""

    code = "members.channel_unclear"
    message = _("The file does not say which channel it is of. Choose the channel.")


class ColumnsUnknown(MembersError):
    """No format knows these columns and nobody has said what they mean; a person must map them."""

    code = "members.columns_unknown"
    message = _("Nobody has said yet what the columns of this file mean.")


class ImportFailed(MembersError):
    """An error that is ours, not the file's; the log has it, and the import can be resumed."""

    code, status = "members.import_failed", 500
    message = _("The import was interrupted by an error of the programme. It can be resumed.")


class NothingToCorrect(MembersError):
    """No row of the file was rejected that could come in, corrected or as it stands."""

    code, status = "members.import_nothing_to_correct", 409
    message = _("There is no rejected row that could be imported. Put a value right first.")


class UndoImpossible(MembersError):
    """What the import made new is not remembered any more, or it made nothing new."""

    code, status = "members.import_not_undoable", 409
    message = _("This import cannot be undone: it brought nothing new, or it is too long ago.")


class NotAccepted(MembersError):
    """The database refused an entry by one of its rules."""

    code, status = "members.not_accepted", 409
    message = _("This entry contradicts a rule of the database.")
