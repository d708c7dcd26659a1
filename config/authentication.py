"""Who comes in by the API. Imports no view: DRF loads this module while it loads its own."""

from django.contrib.auth.models import AnonymousUser, User
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from members import api_keys
from members.api.address import address_of
from members.api_keys import Caller
from members.errors import KeyInvalid

SCHEME = "Api-Key"


class KeyAuthentication(BaseAuthentication):
    """`Authorization: Api-Key <prefix>.<secret>`: to whom a key belongs, and that it was used."""

    def authenticate(self, request: Request) -> tuple[User | AnonymousUser, Caller] | None:
        """The person and the caller; None without a key. Raises KeyInvalid."""
        scheme, _space, key = request.META.get("HTTP_AUTHORIZATION", "").strip().partition(" ")
        if not scheme:
            return None
        if scheme.lower() != SCHEME.lower():
            raise KeyInvalid
        caller = api_keys.check(key.strip(), ip=address_of(request))
        return caller.staff or AnonymousUser(), caller

    def authenticate_header(self, request: Request) -> str:
        return SCHEME
