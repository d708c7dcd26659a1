"""The pages of the console that are no lists of the admin, and rows for what stands on them alone."""

from datetime import timedelta
from typing import Final

from django.contrib.auth.models import User
from django.urls import reverse
from django.utils import timezone

from loyalty import adjustments
from loyalty.models import Wallet
from members import channels, endpoints, reconciling, tag_conditions, tag_rules
from members.models import Member, OutboxEvent, WebhookDelivery
from members.reconciliation_facts import Totals
from tests.trade import Trade

NAMES: Final = (
    "approvals:inbox",
    "audit:overview",
    "channels:dead-letters",
    "channels:health",
    "coupons:batches",
    "enrolments:overview",
    "enrolments:stores",
    "imports:list",
    "inbox:overview",
    "packages:list",
    "reconciliation:days",
    "reconciliation:parked",
    "referrals:overview",
    "reviews:queue",
    "rewards:overview",
    "rewards:to-do",
    "rules:list",
    "rules:versions",
    "tag-rules:list",
)
TABS: Final = ("waiting", "done", "calls", "requests")
REGULAR: Final = {"match": "all", "rows": [{"fact": "orders", "op": "ge", "value": 1, "days": 90, "of": ""}]}


def addresses() -> dict[str, str]:
    """Every page, with its address."""
    someone = Member.objects.earliest("id").number
    return {
        **{name: reverse(name) for name in NAMES},
        **{f"inbox:overview, {tab}": f"{reverse('inbox:overview')}?list={tab}" for tab in TABS},
        "merges:of": reverse("merges:of", args=[someone]),
    }


def grow(trade: Trade, name: str) -> None:
    """Four more: requests to approve, refunds that wait, rules for tags, dead letters, days compared."""
    service = User.objects.get(username=f"service-{name}")
    asked = tag_conditions.read(REGULAR, channels=tag_rules.channel_names())
    event = OutboxEvent.objects.earliest("id")
    for number, wallet in enumerate(Wallet.objects.order_by("-id")[:4]):
        word = f"{name}{number}"
        channel = channels.get(f"c-{word}")
        adjustments.adjust(wallet.member_id, 100_000, "A parcel was lost", service, cause=word)
        trade.refund(f"unknown-{word}", "R1", "5")
        tag_rules.make(f"Regular {word}", asked, actor_id=None)
        endpoint = endpoints.make(channel, f"http://127.0.0.1:8080/{word}").endpoint
        now = timezone.now()
        WebhookDelivery.objects.create(
            endpoint=endpoint, event=event, state="dead", problem="status", due_at=now, settled_at=now
        )
        reconciling.check_totals(channel, reconciling.today() - timedelta(days=number), Totals(orders=7))
