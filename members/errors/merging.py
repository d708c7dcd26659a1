"""Members who are one person, and what stands against making them one, or two again."""

from django.utils.translation import gettext_lazy as _

from members.errors.base import MembersError


class AlreadyMerged(MembersError):
    """One of the two members was merged into another, or they are one person already."""

    code, status = "members.already_merged", 409
    message = _("One of these members was merged already.")


class MergeOfOne(MembersError):
    """A member cannot be merged with themselves."""

    code = "members.merge_of_one"
    message = _("Choose two different members.")


class MergeOfOwn(MembersError):
    """Nobody merges a membership of their own: they would come by what another member has."""

    code, status = "members.merge_of_own", 403
    message = _("Somebody else must merge or unmerge your own membership.")


class MergeChoiceInvalid(MembersError):
    """A choice names no field of a profile, or neither of the two members."""

    code = "members.merge_choice_invalid"
    message = _("Choose for each field which of the two members' value stays.")


class MergeNotFound(MembersError):
    """There is no such merge, or it is not one of this member's."""

    code, status = "members.merge_not_found", 404
    message = _("There is no such merge.")


class MergeUndone(MembersError):
    """A merge is undone once."""

    code, status = "members.merge_undone", 409
    message = _("This merge was undone already.")


class MergeNotLatest(MembersError):
    """Merges of one person are undone latest first: each began from what the one before had made."""

    code, status = "members.merge_not_latest", 409
    message = _("Undo the later merge with %(number)s first.")


class DecidedDifferent(MembersError):
    """A person has decided that these are two people; only a person may decide otherwise."""

    code, status = "members.decided_different", 409
    message = _("Somebody decided that these members are different people.")


class ReviewNotFound(MembersError):
    """There is no such match to review."""

    code, status = "members.review_not_found", 404
    message = _("There is no such match to review.")


class ReviewDecided(MembersError):
    """The match was decided before, and otherwise."""

    code, status = "members.review_decided", 409
    message = _("This match was decided already.")
