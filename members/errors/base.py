"""What every refusal of this app is."""

from privacy.errors import ShukeError


class MembersError(ShukeError):
    """The base of what this app refuses."""

    code = "members.error"
