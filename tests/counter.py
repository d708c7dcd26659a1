"""A brand with a counter in Jing'an, its notices, and Mei, who has bought online for ¥500."""

from members import channels
from members.models import Member
from privacy import notices
from tests import trade as brand
from tests.trade import Trade

MEI = "+8613800138001"
PLACE = "jingan/jingan"  # as a clerk's profile names the store


class Shop(Trade):
    """The brand of `tests.trade` with one counter."""

    def __init__(self) -> None:
        super().__init__()
        jingan = channels.make("jingan", "pos", name="静安")
        channels.make_store(jingan, "jingan")
        notices.publish_defaults()
        bought = self.buy("T-1", "500.00", brand.buyer("tb-mei", brand.phone(MEI), name="梅晓雨"))
        assert bought.member_id is not None
        self.mei: int = bought.member_id

    @property
    def member(self) -> Member:
        return Member.objects.get(pk=self.mei)
