"""What every view of the API begins with: whose key it is, whether it may, and how fast it goes.

A view names the `scope` that a channel's key needs and the `verb` that the role of a member of staff
must have (role-matrix.yaml); a view without a verb is not for staff, and one without a scope is for staff
alone. `config.api` authenticates and turns refusals into problem+json.
"""

from collections.abc import Callable, Iterable
from typing import Any, ClassVar, NamedTuple

from django.db import models
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from members import replays
from members.api.address import address_of
from members.api.parsing import JsonParser
from members.api_keys import WINDOW, Caller
from members.bodies import Body
from members.errors import ChannelKeyNeeded, KeyInvalid, ScopeMissing, StaffKeyNeeded
from members.models import Channel, Scope, Store
from members.numbers import read_number
from members.replays import Answer
from members.seeing import acting
from privacy import access, roles
from privacy.access import Occasion
from privacy.errors import NotAllowed
from privacy.models import AccessRecord


class Place(NamedTuple):
    """Where something happens: the channel of the key, or the store in which its holder works."""

    channel: Channel
    store_id: int | None
    actor_id: int | None


class ApiView(APIView):
    """One address of the API."""

    scope: ClassVar[str] = ""
    verb: ClassVar[str] = ""
    parser_classes = (JsonParser,)
    renderer_classes = (JSONRenderer,)
    permission_classes = ()  # initial() asks for the scope or the verb

    @property
    def caller(self) -> Caller:
        """Who is asking; KeyInvalid when nobody said."""
        caller = self.request.auth
        if not isinstance(caller, Caller):
            raise KeyInvalid
        return caller

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Refuse who is nobody, too fast or not allowed, in this order."""
        super().initial(request, *args, **kwargs)
        caller = self.caller
        caller.require_rate()
        if caller.staff is not None:
            if not self.verb:
                raise ChannelKeyNeeded
            roles.require(caller.staff, self.verb)
        elif not self.scope:
            raise StaffKeyNeeded
        elif self.scope not in caller.scopes:
            raise ScopeMissing(scope=self.scope)

    def perform_content_negotiation(self, request: Request, force: bool = False) -> tuple[JSONRenderer, str]:
        """Answer in JSON whatever is accepted: there is nothing else to choose from."""
        return JSONRenderer(), JSONRenderer.media_type

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        """Say how much of the key's rate is left, and that nobody on the way may keep the answer."""
        response = super().finalize_response(request, response, *args, **kwargs)
        response.headers["Cache-Control"] = "no-store"
        caller = getattr(request, "_auth", None)
        if isinstance(caller, Caller):
            response.headers["RateLimit-Policy"] = f"{caller.rate};w={WINDOW}"
            response.headers["RateLimit-Limit"] = str(caller.rate)
            response.headers["RateLimit-Remaining"] = str(caller.remaining)
            response.headers["RateLimit-Reset"] = str(caller.seconds)
        return response

    # -- what views ask of themselves -------------------------------------------------------------------

    @property
    def channel(self) -> Channel:
        """The channel of the key; staff have none of their own."""
        if self.caller.channel is None:
            raise ChannelKeyNeeded
        return self.caller.channel

    def place(self) -> Place:
        """Where the caller acts: a channel's key in its channel, staff in their store. Raises NotAllowed."""
        if self.caller.channel is not None:
            return Place(self.caller.channel, None, None)
        profile = roles.profile_of(self.caller.staff)
        channel_code, _, code = (profile.store_code if profile else "").partition("/")
        stores = Store.objects.select_related("channel")
        store = stores.filter(channel__code=channel_code, code=code, is_active=True).first()
        if store is None:
            raise NotAllowed
        return Place(store.channel, store.pk, self.caller.staff.pk if self.caller.staff else None)

    def named(self, cause: str) -> str:
        """A cause is unique in the channel; those of staff are their own."""
        return f"staff-{self.caller.staff.pk}:{cause}" if self.caller.staff else cause

    def sees_clear(self) -> bool:
        """Whether personal data is answered in clear; each time it is, `note_reveal` must say so."""
        return Scope.MEMBERS_PERSONAL in self.caller.scopes

    def note_reveal(self, member: models.Model, fields: Iterable[str]) -> None:
        """Record in the trail that this key saw personal data of a member in clear."""
        access.note(
            self.caller.staff,
            AccessRecord.Action.REVEAL,
            model=member._meta.label,
            member=member,
            subjects=[member.pk],
            fields=fields,
            reason=f"scope {Scope.MEMBERS_PERSONAL}",
            label=f"key {self.caller.prefix}",
            occasion=occasion_of(self.request, self.caller),
        )

    def once(self, work: Callable[[], Answer], body: Body | None = None) -> Response:
        """Do what a POST asks for once per Idempotency-Key, in a transaction that keeps the answer too.

        `body` was read: the answer names the fields in it that nobody knows.
        """
        return self._once("", lambda found: work(), body)

    def once_for(self, member_no: str, work: Callable[[int], Answer], body: Body | None = None) -> Response:
        """As `once`, for a member: the work is told their id, the survivor's for one who was merged.

        Raises MemberNotFound, where no answer was kept.
        """
        return self._once(read_number(member_no) or "", lambda found: work(acting(member_no, found)), body)

    def _once(self, number: str, work: Callable[[replays.Found], Answer], body: Body | None) -> Response:
        more = unknown(body) if body is not None else {}

        def answered(found: replays.Found) -> Answer:
            done = work(found)
            return Answer(done.status, done.body | more)

        request = self.request
        line = f"{request.method} {request.path}"
        key = request.META.get("HTTP_IDEMPOTENCY_KEY")
        asked = replays.request(self.caller.holder, key, line, request.data, number)
        answer = replays.once_for(asked, answered)
        headers = {"Idempotent-Replay": "true"} if answer.is_replay else None
        return Response(answer.body, status=answer.status, headers=headers)


def unknown(body: Body) -> dict[str, Any]:
    """`ignored`: the fields of a body that was read whole and that nobody knows; said where there are any."""
    body.leave()
    return {"ignored": sorted(body.ignored)} if body.ignored else {}


def occasion_of(request: Request, caller: Caller) -> Occasion:
    """Where a look at personal data came from, for the trail."""
    return Occasion(
        request_id=str(getattr(request._request, "request_id", "")),
        ip=address_of(request),
        channel=caller.channel.code if caller.channel else None,
    )
