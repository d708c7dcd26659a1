"""Ending a member's accounts in a channel by API (A2): for staff keys alone, whose role may."""

from typing import Any

from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from members import channels, leaving, seeing
from members.api.approvals import StaffView
from members.api.shapes import Unknown, described
from members.api.view import unknown
from members.bodies import Body

CODE = 50
REASON = 300


class UnbindAsked(serializers.Serializer[Any]):
    channel = serializers.CharField(help_text="The code of the channel")
    reason = serializers.CharField(help_text="Why, in at least five characters; kept with who did it")


class Unbound(Unknown):
    member_no = serializers.CharField()
    channel = serializers.CharField()
    unbound = serializers.IntegerField(help_text="Accounts that ended now; 0 where they had before")
    told = serializers.IntegerField(help_text="Of these, those that the platform is being told of")


class UnbindMember(StaffView):
    """POST /members/{no}/unbind/."""

    verb = leaving.VERB

    @described("members_unbind", request=UnbindAsked, answers={200: Unbound}, refusals=(403, 404))
    def post(self, request: Request, member_no: str) -> Response:
        """End all accounts that a member has in a channel. Points and history stay; again changes nothing."""
        body = Body(request.data)
        code = body.required("channel", body.exact("channel", CODE)) or ""
        reason = body.required("reason", body.text("reason", REASON)) or ""
        body.settle()
        member, channel = seeing.find(member_no=member_no), channels.get(code)
        left = leaving.end_all(member.pk, channel, actor_id=self.person.pk, reason=reason, now=timezone.now())
        answer = {"member_no": member.number, "channel": channel.code}
        return Response(answer | {"unbound": left.ended, "told": left.told} | unknown(body))
