"""What members of the demo did beside buying: they looked around, asked, complained, sent things back.

Told through the same operations as the API's, for people and orders that the files have brought. The same
seed and day tell the same; told again it is the same.
"""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from random import Random
from typing import Final

from django.db.models import QuerySet

from members import cases, channels, events, tag_conditions, tag_rules
from members.cleaning import SHANGHAI
from members.facts import AccountFact, CaseFact, CaseKind, CaseState, EventFact, EventKind
from members.models import Account, Order, TagRule

_CHANNELS: Final = ("wechat", "tmall", "youzan")
_VISITORS: Final = 60  # members of a channel who look around
_CASES: Final = 20  # orders of a channel about which somebody writes
_DAYS: Final = 60
_WAY: Final = (
    EventKind.APP_OPEN,
    EventKind.SEARCH,
    EventKind.VIEW,
    EventKind.DWELL,
    EventKind.VIEW,
    EventKind.FAVOURITE,
    EventKind.CART_ADD,
    EventKind.CONSULT,
)
_SOUGHT: Final = ("围巾", "羊绒大衣", "礼物", "白茶", "杯子")
_ENTRANCES: Final = ("搜索", "首页推荐", "收藏夹", "活动页")
_QUESTIONS: Final = {
    CaseKind.RETURN: ("尺码不合", "请问怎么退？"),
    CaseKind.EXCHANGE: ("颜色", "想换一个颜色。"),
    CaseKind.COMPLAINT: ("物流慢", "等了一周才到。"),
    CaseKind.CONSULTATION: ("洗涤", "可以机洗吗？"),
    CaseKind.REVIEW: ("好评", "很喜欢，会再来。"),
}
_ENDS: Final = {
    CaseKind.RETURN: (CaseState.APPROVED, CaseState.SENT, CaseState.ARRIVED, CaseState.REFUNDED),
    CaseKind.EXCHANGE: (CaseState.SENT, CaseState.REPLACED),
    CaseKind.COMPLAINT: (CaseState.WORKING, CaseState.RESOLVED),
    CaseKind.CONSULTATION: (CaseState.WAITING, CaseState.RESOLVED),
    CaseKind.REVIEW: (CaseState.RESOLVED,),
}
# The tag, how its conditions hold together, and they: 3 purchases in half a year; looked and did not buy.
_RULES: Final = (
    ("常客", "all", [{"fact": "orders", "op": "ge", "value": "3", "days": 180}]),
    (
        "近期有意向",
        "all",
        [
            {"fact": "events", "op": "ge", "value": "1", "days": 30, "of": "cart_add"},
            {"fact": "orders", "op": "le", "value": "0", "days": 30},
        ],
    ),
)


def look_around(seed: int, day: date) -> int:
    """Members look around and write to the service, up to the noon of a day; how many events there are."""
    now = datetime.combine(day, time(12), SHANGHAI)
    told = 0
    for code in _CHANNELS:
        channel = channels.get(code)
        rng = Random(f"{seed}:browsing:{code}")
        facts = [
            fact
            for account in Account.objects.filter(channel=channel).order_by("pk")[:_VISITORS]
            for fact in _visits(account, rng, now)
        ]
        for start in range(0, len(facts), 1000):
            events.record(channel, facts[start : start + 1000], now=now)
        told += len(facts)
        bought = Order.objects.filter(
            channel=channel, paid_at__lt=now - timedelta(days=5), member__isnull=False
        )
        for fact in _cases(bought, rng, now):
            cases.receive(channel, fact, now=now)
    return told


def tag_by_rule(actor_id: int, day: date) -> int:
    """Rules that give tags, applied once; how many tags they have given."""
    names = tag_rules.channel_names()
    for name, match, rows in _RULES:
        if not TagRule.objects.filter(tag__name=name).exists():
            read = tag_conditions.read({"match": match, "rows": rows}, channels=names)
            tag_rules.make(name, read, actor_id=actor_id)
    now = datetime.combine(day, time(12), SHANGHAI)
    return sum(run.given for run in tag_rules.apply_all(now=now))


def _visits(account: Account, rng: Random, now: datetime) -> Iterator[EventFact]:
    """A few sessions of one member, each a part of the way from the door to the till."""
    for visit in range(rng.randint(1, 4)):
        at = now - timedelta(days=rng.randint(0, _DAYS), minutes=rng.randint(0, 600))
        product, entrance = f"P{rng.randint(1, 60):03}", rng.choice(_ENTRANCES)
        for step, kind in enumerate(_WAY[: rng.randint(2, len(_WAY))]):
            at += timedelta(seconds=rng.randint(5, 180))
            yield EventFact(
                event_id=f"demo-{account.pk}-{visit}-{step}",
                kind=kind,
                at=min(at, now),
                buyer=AccountFact(external_id=account.external_id),
                session=f"demo-{account.pk}-{visit}",
                path="/" if kind is EventKind.APP_OPEN else f"/goods/{product}",
                entrance=entrance,
                keyword=rng.choice(_SOUGHT) if kind is EventKind.SEARCH else "",
                product="" if kind in (EventKind.APP_OPEN, EventKind.SEARCH) else product,
                duration=rng.randint(10, 240) if kind in (EventKind.DWELL, EventKind.CONSULT) else None,
            )


def _cases(bought: QuerySet[Order], rng: Random, now: datetime) -> Iterator[CaseFact]:
    for order in bought.order_by("-paid_at", "-pk")[:_CASES]:
        assert order.paid_at is not None, "only what was paid is asked for"
        kind = rng.choice(list(CaseKind))
        state = rng.choice(_ENDS[kind])
        opened = min(order.paid_at + timedelta(hours=rng.randint(20, 90)), now - timedelta(hours=3))
        answered = opened + timedelta(minutes=rng.randint(2, 170))
        closed = answered + timedelta(minutes=rng.randint(1, 9)) if state in cases.ENDED else None
        question, words = _QUESTIONS[kind]
        yield CaseFact(
            number=f"S{order.pk:06}",
            kind=kind,
            state=state,
            opened_at=opened,
            order_number=order.number,
            question_type=question,
            feedback_channel=rng.choice(("在线客服", "电话")),
            words=words,
            first_response_at=answered,
            closed_at=closed,
            satisfaction=rng.choice((6, 8, 9, 10)) if closed else None,
        )
