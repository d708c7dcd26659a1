"""Staff who are members too: their own membership, about which they decide nothing (D6).

Naming it takes a freedom away, so one person does it; changing or removing it gives that freedom back, so
a second person lets it happen.
"""

from collections.abc import Mapping
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext as _

from members import seeing
from members.errors import MembershipTaken
from members.models import Member
from privacy import approvals, roles
from privacy.errors import ReasonMissing
from privacy.models import Approval, StaffProfile

KIND = "staff.membership"


@transaction.atomic
def set_membership(user: User, member_no: str, actor: User, *, reason: str = "") -> Approval | None:
    """Note which member a member of staff is; '' for none. Answers the request, if one must be decided.

    reason: at least five characters, when a membership that is noted is changed or removed. Raises
    NotAllowed, MemberNotFound, MembershipTaken, ReasonMissing.
    """
    roles.require(actor, "staff.manage")
    profile = StaffProfile.objects.select_for_update(no_key=True).get(user=user)
    member_id = judge(profile, member_no, reason=reason)
    if member_id == profile.member_id:
        return None
    if profile.member_id is None:
        _write(profile, member_id)
        return None
    change = {"profile_id": profile.pk, "member_id": member_id, "was": profile.member_id}
    # About the membership that is noted now: its holder does not decide.
    return approvals.ask(KIND, change, reason=reason, asked_by=actor, member_id=profile.member_id)


def judge(profile: StaffProfile, member_no: str, *, reason: str) -> int | None:
    """The member of that number, or None for none, if it may be noted on a profile.

    Raises MemberNotFound, MembershipTaken, ReasonMissing.
    """
    member_id = seeing.find(member_no=member_no).pk if member_no else None
    _refuse_taken(profile, member_id)
    needs_reason = profile.member_id is not None and member_id != profile.member_id
    if needs_reason and len(reason.strip()) < approvals.REASON_LENGTH:
        raise ReasonMissing
    return member_id


def carry_out(change: Mapping[str, Any], approval: Approval) -> None:
    """Change or remove a membership, as a second person has approved. Raises MembershipTaken."""
    profile = StaffProfile.objects.select_for_update(no_key=True).get(pk=change["profile_id"])
    _refuse_taken(profile, change["member_id"])
    _write(profile, change["member_id"])


def in_words(change: Mapping[str, Any]) -> str:
    """The change in the reader's language."""
    profile = StaffProfile.objects.select_related("user").get(pk=change["profile_id"])
    numbers = Member.objects.only("number").in_bulk([change["was"], change["member_id"] or 0])
    said = {"name": profile.user.get_username(), "was": numbers[change["was"]].number}
    if change["member_id"] is None:
        return _("%(name)s is no member any more (was %(was)s).") % said
    said["now"] = numbers[change["member_id"]].number
    return _("%(name)s is the member %(now)s (was %(was)s).") % said


def _refuse_taken(profile: StaffProfile, member_id: int | None) -> None:
    others = StaffProfile.objects.exclude(pk=profile.pk)
    if member_id is not None and others.filter(member=member_id).exists():
        raise MembershipTaken


def _write(profile: StaffProfile, member_id: int | None) -> None:
    profile.member_id = member_id
    profile.save(update_fields=["member"])
