"""Model fields whose values are never stored in clear (D5).

    class Person(SealedModel):
        phone = SealedTextField()
        phone_index = BlindIndexField(null=True, db_index=True)

    person.phone = "+8613800138000"     # clear in Python, sealed by save() and bulk_create()
    person.phone                        # opened when it is read, not when the row is loaded
    Person.objects.filter(phone_index=blind_index("+8613800138000", purpose="phone"))

Each row has a `seal`, a random UUID that its values are bound to. Statements that bypass the instance
(`update`, `bulk_update`) can blank a value but not write one, as they know no row; write those
through `field.seal_value(value, row)` together with the row's `seal`. An upsert that writes a sealed
column must write `seal` and every sealed column of the row with it.
"""

import base64
import json
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from typing import Any, ClassVar
from uuid import UUID, uuid4

from django.core import checks
from django.core.exceptions import FieldError
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.lookups import IsNull
from django.db.models.query_utils import DeferredAttribute
from django.utils.functional import cached_property

from privacy import crypto


class Sealed:
    """A value as the database holds it. Its text shows nothing; its clear value is not pickled."""

    __slots__ = ("blob", "clear")

    def __init__(self, blob: bytes, clear: Any = None) -> None:
        self.blob = blob
        self.clear = clear

    def __repr__(self) -> str:
        return "<sealed>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sealed) and other.blob == self.blob

    def __hash__(self) -> int:
        return hash(self.blob)

    def __reduce__(self) -> tuple[type["Sealed"], tuple[bytes]]:
        return Sealed, (self.blob,)


class SealedModel(models.Model):
    """A row that can hold sealed values: `seal` binds them to it and never changes."""

    seal = models.UUIDField(default=uuid4, editable=False)

    class Meta:
        abstract = True


class SealedAttribute(DeferredAttribute):
    """The attribute on the instance: opens when read, checks the type when written."""

    field: "SealedField"

    def __get__(self, instance: models.Model | None, cls: type[models.Model] | None = None) -> Any:
        if instance is None:
            return self
        name = self.field.attname
        if name not in instance.__dict__:
            # Deferred: fetch the seal in the same query, or opening would cost a second one.
            instance.refresh_from_db(fields=["seal", name])
        value = instance.__dict__[name]
        return self.field.open(instance, value) if isinstance(value, Sealed) else value

    def __set__(self, instance: models.Model, value: Any) -> None:
        instance.__dict__[self.field.attname] = self.field.accept(value)


class SealedField(models.BinaryField):
    """The base of the sealed fields. Empty is NULL; the only lookup is `isnull`."""

    _pyi_private_set_type: Any
    _pyi_private_get_type: Any
    descriptor_class = SealedAttribute
    accepts: ClassVar[Any] = object  # a type, or several joined by |
    # A clear value that can be changed in place is sealed anew at every save, or the change is lost.
    changes_in_place: ClassVar[bool] = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("null", True)
        kwargs.setdefault("blank", True)
        super().__init__(*args, **kwargs)

    def check(self, **kwargs: Any) -> list[checks.CheckMessage]:
        found = super().check(**kwargs)
        if not any(field.name == "seal" for field in self.model._meta.concrete_fields):
            hint = "Derive the model from privacy.fields.SealedModel."
            text = f"{type(self).__name__} needs a model with a `seal`."
            found.append(checks.Error(text, hint=hint, obj=self, id="privacy.E001"))
        return found

    @cached_property
    def place(self) -> tuple[str, str]:
        """Table and column, which a value is bound to beside its row."""
        assert self.column is not None
        return self.model._meta.db_table, self.column

    def to_text(self, value: Any) -> str:
        """The clear value as the text that is sealed."""
        raise NotImplementedError

    def from_text(self, text: str) -> Any:
        """The clear value from the text that was sealed."""
        raise NotImplementedError

    def accept(self, value: Any) -> Any:
        """Take what is assigned: a clear value of the right type, or one just loaded."""
        if value is None or value == "":
            return None
        if isinstance(value, (Sealed, self.accepts)):
            return value
        raise TypeError(f"{self.name} takes a clear value, not {type(value).__name__}")

    def seal_value(self, value: Any, row: UUID) -> bytes | None:
        """Seal a clear value for a row, for statements that bypass the instance (COPY, unnest)."""
        value = self.accept(value)
        if value is None:
            return None
        table, column = self.place
        return crypto.seal(self.to_text(value), table=table, column=column, row=row)

    def seal_values(self, values: Iterable[Any], rows: Sequence[bytes]) -> list[bytes | None]:
        """seal_value() for many rows at once, in their order; `rows` are the bytes of their seals."""
        table, column = self.place
        return crypto.seal_many(self.to_texts(values), table=table, column=column, rows=rows)

    def to_texts(self, values: Iterable[Any]) -> list[str | None]:
        """to_text() for many values, as accept() takes them."""
        accepted = map(self.accept, values)
        return [None if value is None else self.to_text(value) for value in accepted]

    def unseal_value(self, blob: bytes | None, row: UUID) -> Any:
        """The clear value of stored bytes, for statements that bypass the instance."""
        if blob is None:
            return None
        table, column = self.place
        return self.from_text(crypto.unseal(blob, table=table, column=column, row=row))

    def unseal_values(self, blobs: Sequence[bytes], rows: Sequence[bytes]) -> list[Any]:
        """unseal_value() for many rows that have a value, in their order; rows as for seal_values()."""
        table, column = self.place
        return list(map(self.from_text, crypto.unseal_many(blobs, table=table, column=column, rows=rows)))

    def open(self, instance: models.Model, value: Sealed) -> Any:
        """Open a loaded value once and remember it on the instance."""
        if value.clear is not None:
            return value.clear
        clear = self.unseal_value(value.blob, instance.seal)  # type: ignore[attr-defined]
        if self.changes_in_place:
            instance.__dict__[self.attname] = clear
        else:
            value.clear = clear
        return clear

    def pre_save(self, model_instance: models.Model, add: bool) -> Sealed | None:
        """Seal what was assigned; hand back unopened or unchanged what was loaded."""
        if self.attname not in model_instance.__dict__:
            getattr(model_instance, self.attname)
        value = model_instance.__dict__[self.attname]
        if value is None or isinstance(value, Sealed):
            return value
        blob = self.seal_value(value, model_instance.seal)  # type: ignore[attr-defined]
        assert blob is not None
        if self.changes_in_place:
            return Sealed(blob)
        sealed = Sealed(blob, clear=value)
        model_instance.__dict__[self.attname] = sealed
        return sealed

    def get_db_prep_value(self, value: Any, connection: BaseDatabaseWrapper, prepared: bool = False) -> Any:
        """Let sealed bytes and NULL through; refuse clear text that a bulk statement would write."""
        if value is None:
            return None
        if isinstance(value, Sealed):
            return value.blob  # psycopg sends bytes as bytea
        raise TypeError(
            f"{self.name} is sealed: write it with save(), bulk_create() or seal_value(), "
            "not with update() or bulk_update()"
        )

    def from_db_value(self, value: Any, *_: Any) -> Sealed | None:
        return None if value is None else Sealed(bytes(value))

    def get_lookup(self, lookup_name: str) -> type[IsNull] | None:
        if lookup_name == "isnull":
            return IsNull
        raise FieldError(
            f"{self.name} is sealed and cannot be searched with '{lookup_name}': "
            "look in its blind index, or use isnull"
        )

    def get_transform(self, lookup_name: str) -> Callable[..., Any] | None:  # type: ignore[override]
        raise FieldError(f"{self.name} is sealed: the database cannot transform it")

    def to_python(self, value: Any) -> Any:
        return value

    def value_from_object(self, obj: models.Model) -> Any:
        """Serializers get the sealed value, never the clear one."""
        return self.pre_save(obj, add=False)

    def value_to_string(self, obj: models.Model) -> str:
        value = self.value_from_object(obj)
        return base64.b64encode(value.blob).decode() if value else ""


class SealedTextField(SealedField):
    """Text: a name, a phone, an address."""

    _pyi_private_set_type: str | None
    _pyi_private_get_type: str | None
    accepts = str

    def to_text(self, value: Any) -> str:
        return str(value)

    def to_texts(self, values: Iterable[Any]) -> list[str | None]:
        # Text is what it is: to ask twice for each of a million takes as long as to write it.
        return [value if type(value) is str and value else self.accept(value) for value in values]

    def from_text(self, text: str) -> Any:
        return text


class SealedDateField(SealedField):
    """A day: a birthday."""

    _pyi_private_set_type: date | None
    _pyi_private_get_type: date | None
    accepts = date

    def accept(self, value: Any) -> Any:
        if type(value) is date:  # as nearly all are
            return value
        if isinstance(value, datetime):
            raise TypeError(f"{self.name} takes a day, not an instant")
        return super().accept(value)

    def to_text(self, value: Any) -> str:
        text: str = value.isoformat()
        return text

    def from_text(self, text: str) -> Any:
        return date.fromisoformat(text)


class SealedJSONField(SealedField):
    """A small structure of JSON types; a change in place is kept by save()."""

    _pyi_private_set_type: dict[str, Any] | list[Any] | None
    _pyi_private_get_type: Any
    accepts = dict | list
    changes_in_place = True

    def accept(self, value: Any) -> Any:
        return super().accept(value) or None  # {} and [] are empty, and empty is NULL

    def to_text(self, value: Any) -> str:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))

    def from_text(self, text: str) -> Any:
        return json.loads(text)


class BlindIndexField(models.BinaryField):
    """The keyed index of a sealed value: 32 bytes from `crypto.blind_index`, found by equality."""

    _pyi_private_set_type: bytes
    _pyi_private_get_type: bytes

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["max_length"] = crypto.INDEX_BYTES
        super().__init__(*args, **kwargs)

    def to_python(self, value: Any) -> Any:
        return value

    def from_db_value(self, value: Any, *_: Any) -> bytes | None:
        return None if value is None else bytes(value)

    def get_prep_value(self, value: Any) -> Any:
        if isinstance(value, str) or (isinstance(value, bytes) and len(value) != crypto.INDEX_BYTES):
            # A phone in clear here would be stored, and would never be found again.
            raise TypeError(f"{self.name} takes the {crypto.INDEX_BYTES} bytes of blind_index()")
        return super().get_prep_value(value)
