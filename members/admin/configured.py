"""Lists of what staff configure: edited in forms, or by a small sheet that shows its differences first.

django-import-export serves these few hundred rows; the files of channels go the staged way of
`members.imports`.
"""

from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from import_export.admin import ImportExportModelAdmin
from import_export.fields import Field
from import_export.formats.base_formats import CSV, XLSX, Format
from import_export.resources import ModelResource
from import_export.widgets import ForeignKeyWidget
from tablib import Dataset
from unfold.contrib.import_export.forms import ExportForm, ImportForm

from members.cells import guarded
from members.models import Channel, Store, Tag
from privacy import roles
from privacy.lists import NarrowedAdmin


class SheetCSV(CSV):
    """CSV as Excel in China writes and reads it: GB18030 is understood, and what goes out opens unharmed."""

    def create_dataset(self, in_stream: Any, **kwargs: Any) -> Dataset:
        if isinstance(in_stream, bytes):
            try:
                in_stream = in_stream.decode("utf-8-sig")
            except UnicodeDecodeError:
                in_stream = in_stream.decode("gb18030")
        return super().create_dataset(in_stream, **kwargs)

    def is_binary(self) -> bool:
        return True

    def get_read_mode(self) -> str:
        return "rb"

    def export_data(self, dataset: Dataset, **kwargs: Any) -> bytes:
        return ("\ufeff" + super().export_data(_guarded(dataset), **kwargs)).encode()


class SheetXLSX(XLSX):
    def export_data(self, dataset: Dataset, **kwargs: Any) -> bytes:
        return super().export_data(_guarded(dataset), **kwargs)


def _guarded(dataset: Dataset) -> Dataset:
    """No cell may be taken for a formula by whoever opens the sheet."""
    rows = [[guarded(cell) for cell in row] for row in dataset]
    return Dataset(*rows, headers=dataset.headers, title=dataset.title)


class ByCode(ForeignKeyWidget):
    """A channel by its code, with an answer in words when there is none."""

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> Any:
        try:
            return super().clean(value, row, **kwargs)
        except self.model.DoesNotExist:
            raise ValidationError(
                _("There is no channel with the code %(code)s.") % {"code": value}
            ) from None


class StoreSheet(ModelResource):
    channel = Field(attribute="channel", column_name="channel", widget=ByCode(Channel, "code"))

    class Meta:
        model = Store
        fields = ("channel", "code", "name", "province", "city", "is_active")
        import_id_fields = ("channel", "code")
        skip_unchanged = True
        report_skipped = True
        clean_model_instances = True


class TagSheet(ModelResource):
    class Meta:
        model = Tag
        fields = ("code", "name")
        import_id_fields = ("code",)
        skip_unchanged = True
        report_skipped = True
        clean_model_instances = True


class ConfiguredAdmin(NarrowedAdmin, ImportExportModelAdmin):
    """A list whose rows those may edit whose role has the verb. Nothing is deleted: it is switched off."""

    verb: ClassVar[str]
    import_form_class = ImportForm
    export_form_class = ExportForm
    formats: ClassVar[list[type[Format]]] = [SheetCSV, SheetXLSX]
    warn_unsaved_form = True

    def has_add_permission(self, request: HttpRequest) -> bool:
        return roles.can(request.user, self.verb)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return roles.can(request.user, self.verb)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_import_permission(self, request: HttpRequest) -> bool:
        return roles.can(request.user, self.verb)

    def has_export_permission(self, request: HttpRequest) -> bool:
        return self.has_view_or_change_permission(request)
