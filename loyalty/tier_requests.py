"""What a request about a member's tier says to the person who decides it (D6)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from loyalty import publishing, tier_paths
from loyalty.names import in_words
from members.numbers import number_of
from members.templatetags.amounts import day


def sentence(change: Mapping[str, Any]) -> str:
    """What a request to give a tier, or to end one that was given, asks for: the exact change."""
    names = {tier.code: in_words(tier.name) for tier in publishing.current().programme.tiers}
    said = {
        "member": number_of(change["member_id"]),
        "tier": names.get(change["tier"], change["tier"]),
    }
    if "ends" in change:
        return _("End now what gave %(member)s the tier %(tier)s.") % said
    if change["until"] is None:
        return _("Invite %(member)s to the tier %(tier)s.") % said
    until = day(datetime.fromisoformat(change["until"]))
    return _("Keep %(member)s at least in the tier %(tier)s until %(day)s.") % {**said, "day": until}


def after(change: Mapping[str, Any]) -> str:
    """The member's tier as it is, before anybody decides."""
    standing = tier_paths.stand(change["member_id"])
    return _("The member's tier is %(tier)s now; a tier that is higher already stays.") % {
        "tier": in_words(standing.tier.name)
    }
