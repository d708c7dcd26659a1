"""Who stands at which counter, and what they may do there (E1, D6)."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, wraps
from typing import Any, Concatenate, ParamSpec

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_cache_control

from members.models import Store
from privacy import roles
from privacy.access import Occasion

P = ParamSpec("P")
StationView = Callable[Concatenate[HttpRequest, "Station", P], HttpResponse]


@dataclass(frozen=True)
class Station:
    """A person at a counter. `store` is None for staff whose profile names no store: they may only look."""

    user: AbstractBaseUser | AnonymousUser
    store: Store | None

    @property
    def place(self) -> str:
        """The store as profiles name it, `channel/store`."""
        return f"{self.store.channel.code}/{self.store.code}" if self.store else ""

    @cached_property
    def may_sell(self) -> bool:
        return self.store is not None and roles.can(self.user, "orders.record", store=self.place)

    @cached_property
    def may_refund(self) -> bool:
        return self.store is not None and roles.can(self.user, "orders.refund", store=self.place)

    @cached_property
    def refunds_to_limit(self) -> bool:
        """Whether refunds of this person may want a second one, who is then told why."""
        return roles.extent(self.user, "orders.refund") == "limit"

    @cached_property
    def may_claim(self) -> bool:
        return self.store is not None and roles.can(self.user, "rewards.claim", store=self.place)

    @cached_property
    def may_hand_over(self) -> bool:
        return self.store is not None and roles.can(self.user, "rewards.fulfil", store=self.place)

    @cached_property
    def may_enrol(self) -> bool:
        return self.store is not None and roles.can(self.user, "members.enrol")


def station_of(user: AbstractBaseUser | AnonymousUser) -> Station:
    """The counter of a member of staff, by their profile. Raises PermissionDenied outside of desk roles."""
    if not roles.can(user, "desk.open"):
        raise PermissionDenied
    profile = roles.profile_of(user)
    channel, _, store = (profile.store_code if profile else "").partition("/")
    found = Store.objects.select_related("channel").filter(channel__code=channel, code=store, is_active=True)
    return Station(user, found.first())


def occasion(request: HttpRequest) -> Occasion:
    """Where a look at the desk came from, for the trail."""
    return Occasion(request_id=getattr(request, "request_id", ""), ip=request.META.get("REMOTE_ADDR", ""))


def staffed(view: StationView[P]) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
    """A page of the desk: signed in, with a desk role, given its station, and kept by no cache."""

    @wraps(view)
    def page(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        response = view(request, station_of(request.user), *args, **kwargs)
        patch_cache_control(response, no_store=True, private=True)
        return response

    signed_in: Any = login_required(page)
    return signed_in
