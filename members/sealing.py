"""Sealing for statements that bypass the models: the sealed fields of a model, by name."""

from django.db import models

from privacy.fields import SealedField


def sealed_field(model: type[models.Model], name: str) -> SealedField:
    """The sealed field of a model; its seal_value() and unseal_value() need the row's `seal`."""
    field = model._meta.get_field(name)
    assert isinstance(field, SealedField), f"{model.__name__}.{name} is not sealed"
    return field
