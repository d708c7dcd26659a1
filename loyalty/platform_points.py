"""Points for platforms that show and exchange them themselves, as Tmall's member link does (B3, A14)."""

from collections.abc import Collection

from loyalty import accounts, points, publishing
from loyalty.errors import NotEnoughPoints
from members.models import Channel


def change(channel: Channel, member_id: int, amount: int, *, record: str, reason: str = "") -> bool:
    """Take (`amount` negative) or give points once for a record of the platform; False when they are short.

    The cause is `<channel>:point:<record>`. Raises CauseTaken for a record that came before otherwise.
    """
    cause = f"point:{record}"
    if amount > 0:
        points.earn(member_id, amount, cause=cause, reason=reason, channel=channel)
        return True
    try:
        points.redeem(member_id, -amount, cause=cause, reason=reason, channel=channel)
    except NotEnoughPoints:
        return False
    return True


def standings(member_ids: Collection[int]) -> dict[int, tuple[int, int]]:
    """For each member the points they may spend, and the place of their tier, the lowest being 1."""
    places = {tier.code: tier.rank + 1 for tier in publishing.current().programme.tiers}
    return {
        member_id: (standing.figures.available, places.get(standing.tier, 1))
        for member_id, standing in accounts.standings(member_ids).items()
    }
