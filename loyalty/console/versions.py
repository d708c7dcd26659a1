"""Where the pages of the programme's versions are, for whoever may open them (B14)."""

from collections.abc import Mapping

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.urls import reverse

from loyalty.models import ProgrammeVersion
from privacy import roles

VERB = "programme.view"


def addresses(user: AbstractBaseUser | AnonymousUser) -> Mapping[int, str]:
    """The addresses of published versions by their numbers; none for who may not look at the programme."""
    if not roles.can(user, VERB):
        return {}
    published = ProgrammeVersion.objects.filter(state=ProgrammeVersion.State.PUBLISHED)
    return {
        number: reverse("admin:loyalty_programme_compare", args=[key])
        for number, key in published.values_list("number", "id")
    }
