"""Uploads: streamed to disk, and cut off where they pass the limit instead of filling the disk first."""

from django.conf import settings
from django.core.files.uploadhandler import StopUpload, TemporaryFileUploadHandler


class LimitedUploadHandler(TemporaryFileUploadHandler):
    """Takes a request's files to temporary files, up to `settings.UPLOAD_LIMIT` bytes each.

    A file beyond it is left out of `request.FILES`, and `request.META["shuke.too_large"]` says so.
    """

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        """Write one block; raises StopUpload beyond the limit, which reads the rest and drops it."""
        if start + len(raw_data) > settings.UPLOAD_LIMIT:
            self.file.close()
            if self.request is not None:
                self.request.META["shuke.too_large"] = True
            raise StopUpload(connection_reset=False)
        super().receive_data_chunk(raw_data, start)
