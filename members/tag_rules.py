"""Tags by rule: who has a tag follows from what members did, set by set, each night and on demand (A13).

Promises: a rule gives its tag to every active member for whom it holds and takes it from every one for whom
it no longer does; a tag that was given by hand or told by a channel is never touched. A rule is applied in
one statement, however many members there are; two runs of one rule come one after the other.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, OperationalError, connection, transaction
from django.db.models import OuterRef, QuerySet, Subquery
from django.utils import timezone
from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued

from members import columns, tag_conditions, tags
from members.errors import TagRuleTaken
from members.models import Channel, TagRule, TagRun
from members.tag_conditions import AT_LEAST, AT_MOST, IS, Condition, Conditions

VERB = "members.tag"
APPLY = "members.apply_tag_rule"
PREVIEW_MS = 5000


def channel_names() -> dict[str, str]:
    """The channels' names by code, for conditions and their words."""
    return dict(Channel.objects.order_by("code").values_list("code", "name"))


def make(name: str, conditions: Conditions, *, actor_id: int | None) -> TagRule:
    """A rule for the tag of this name, which is made when it is not there; applied by the worker.

    Raises TagInvalid, TagRuleTaken.
    """
    with transaction.atomic():
        tag = tags.named(name)
        try:
            with transaction.atomic():
                rule = TagRule.objects.create(
                    tag=tag, conditions=tag_conditions.as_document(conditions), made_by_id=actor_id
                )
        except IntegrityError:
            raise TagRuleTaken(tag=tag.name) from None
        ask_to_apply(rule)
    return rule


@transaction.atomic
def change(rule: TagRule, conditions: Conditions, *, is_active: bool = True) -> None:
    """Other conditions for a rule; one that is switched off holds for nobody. Applied by the worker."""
    rule.conditions, rule.is_active = tag_conditions.as_document(conditions), is_active
    rule.save(update_fields=["conditions", "is_active"])
    ask_to_apply(rule)


def ask_to_apply(rule: TagRule) -> None:
    """Let a worker apply the rule; one that waits already will find it as it is then."""
    with suppress(AlreadyEnqueued), transaction.atomic():
        app.configure_task(APPLY, queueing_lock=f"{APPLY} {rule.pk}").defer(rule_id=rule.pk)


def with_last_run() -> QuerySet[TagRule]:
    """All rules with their tags and what their last run came to."""
    last = TagRun.objects.filter(rule=OuterRef("pk")).order_by("-ran_at", "-pk")
    return TagRule.objects.select_related("tag", "made_by").annotate(
        **{
            f"last_{name}": Subquery(last.values(name)[:1])
            for name in ("ran_at", "members", "given", "taken")
        }
    )


# -- who is meant ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Preview:
    """How many members a rule would hold for, of how many; None where counting took too long."""

    members: int
    of: int


def count(conditions: Conditions, *, now: datetime | None = None) -> Preview | None:
    """How many members the conditions hold for now."""
    statement, parameters = _holding(conditions, now or timezone.now())
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL statement_timeout = {PREVIEW_MS}")
            cursor.execute(
                f"WITH RECURSIVE {statement} SELECT count(*),"
                " (SELECT count(*) FROM members_member WHERE status = 'active') FROM holding",
                parameters,
            )
            members, of = cursor.fetchone()
            cursor.execute("SET LOCAL statement_timeout = 0")
    except OperationalError:
        return None
    return Preview(members, of)


@transaction.atomic
def apply(rule_id: int, *, now: datetime | None = None) -> TagRun:
    """Give the tag to whom the rule holds for, and take it from those for whom it does not any more."""
    rule = TagRule.objects.select_for_update(of=("self",), no_key=True).get(pk=rule_id)
    conditions = tag_conditions.read(rule.conditions, channels=channel_names())
    statement, parameters = _holding(conditions, now or timezone.now())
    ((members, given, taken),) = columns.ask(
        f"""
        WITH RECURSIVE {statement},
        taken AS (
            DELETE FROM members_membertag AS had
             WHERE had.rule_id = %(rule)s
               AND (NOT %(active)s OR NOT EXISTS (SELECT FROM holding WHERE holding.id = had.member_id))
            RETURNING 1
        ), given AS (
            INSERT INTO members_membertag (member_id, tag_id, rule_id)
            SELECT id, %(tag)s, %(rule)s FROM holding WHERE %(active)s
                ON CONFLICT (member_id, tag_id) DO NOTHING
            RETURNING 1
        )
        SELECT (SELECT count(*) FROM holding WHERE %(active)s), (SELECT count(*) FROM given),
               (SELECT count(*) FROM taken)
        """,
        {**parameters, "rule": rule.pk, "tag": rule.tag_id, "active": rule.is_active},
    )
    return TagRun.objects.create(rule=rule, members=members, given=given, taken=taken)


def apply_all(*, now: datetime | None = None) -> list[TagRun]:
    """Apply every rule, each in a transaction of its own; the worker does it each night."""
    return [
        apply(rule_id, now=now) for rule_id in TagRule.objects.order_by("pk").values_list("pk", flat=True)
    ]


# -- conditions as SQL -------------------------------------------------------------------------------------

# Members who are somebody else by merges, however often: what they did, their survivor did.
_MERGED = """merged(id, survivor_id) AS (
    SELECT member.id, last.id FROM members_member AS last JOIN members_member AS member
        ON member.merged_into_id = last.id
     WHERE last.merged_into_id IS NULL
     UNION ALL
    SELECT member.id, merged.survivor_id FROM merged JOIN members_member AS member
        ON member.merged_into_id = merged.id
)"""
# Purchases are orders that were paid and not cancelled; what of the goods was refunded is not spent.
_ORDERS = """
    SELECT coalesce(merged.survivor_id, bought.member_id) AS member_id
      FROM members_order AS bought LEFT JOIN merged ON merged.id = bought.member_id
     WHERE bought.member_id IS NOT NULL AND paid_at IS NOT NULL AND status <> 'cancelled' {since} {of}
     GROUP BY 1 HAVING {having}
"""
_EVENTS = """
    SELECT coalesce(merged.survivor_id, visitor.member_id, account.member_id) AS member_id
      FROM (
           SELECT visitor_id, count(*) AS n FROM members_event WHERE true {since} {of} GROUP BY visitor_id
           ) AS counted
      JOIN members_visitor AS visitor ON visitor.id = counted.visitor_id
      LEFT JOIN members_account AS account
        ON account.channel_id = visitor.channel_id AND account.external_index = visitor.index
      LEFT JOIN merged ON merged.id = coalesce(visitor.member_id, account.member_id)
     WHERE visitor.member_id IS NOT NULL OR account.id IS NOT NULL
     GROUP BY 1 HAVING sum(counted.n) {compares} {value}
"""
_CASES = """
    SELECT coalesce(merged.survivor_id, opened.member_id) AS member_id
      FROM members_case AS opened LEFT JOIN merged ON merged.id = opened.member_id
     WHERE opened.member_id IS NOT NULL {since} {of}
     GROUP BY 1 HAVING count(*) {compares} {value}
"""
_ACCOUNTS = """
    SELECT DISTINCT coalesce(merged.survivor_id, account.member_id) AS member_id
      FROM members_account AS account LEFT JOIN merged ON merged.id = account.member_id
     WHERE unbound_at IS NULL AND channel_id = (SELECT id FROM members_channel WHERE code = {code})
"""
_PROVINCE = "SELECT id AS member_id FROM members_member WHERE province = {code}"
_JOINED = "SELECT id AS member_id FROM members_member WHERE joined_at {compares} {ago}"
_TIME_OF = {"orders": "paid_at", "spend": "paid_at", "events": "at", "cases": "opened_at"}
_HAVING = {
    "orders": "count(*) {compares} {value}",
    "spend": "sum(net - refunded_goods) {compares} {value}",
    "last_order": "max(paid_at) {compares} {ago}",
}


def _holding(conditions: Conditions, now: datetime) -> tuple[str, dict[str, Any]]:
    """Common table expressions whose last, `holding`, has the ids of the members meant; and their parameters.

    A row that many fulfil by doing nothing, such as at most two purchases, is asked as its opposite: who does
    not fulfil it did something, and is in a table.
    """
    parts: list[str] = [_MERGED]
    joins: list[str] = []
    tests: list[str] = []
    parameters: dict[str, Any] = {}
    for number, row in enumerate(conditions.rows):
        statement, is_opposite = _asked(row, number, now, parameters)
        parts.append(f"fact{number} AS MATERIALIZED ({statement})")
        joins.append(f"LEFT JOIN fact{number} ON fact{number}.member_id = member.id")
        tests.append(f"fact{number}.member_id IS {'' if is_opposite else 'NOT '}NULL")
    word = " AND " if conditions.match == "all" else " OR "
    parts.append(
        f"holding AS MATERIALIZED (SELECT member.id FROM members_member AS member {' '.join(joins)}"
        f" WHERE member.status = 'active' AND ({word.join(tests)}))"
    )
    return ", ".join(parts), parameters


def _asked(row: Condition, number: int, now: datetime, parameters: dict[str, Any]) -> tuple[str, bool]:
    """The statement of one row, and whether it tells those for whom the row does not hold."""

    def given(name: str, value: Any) -> str:
        parameters[f"{name}{number}"] = value
        return f"%({name}{number})s"

    if row.fact in ("channel", "province"):
        statement = _ACCOUNTS if row.fact == "channel" else _PROVINCE
        return statement.format(code=given("code", row.of)), row.op != IS
    if row.fact in ("joined", "last_order"):
        # So many days ago or more is as early as that instant, or earlier.
        parts = {
            "compares": "<=" if row.op == AT_LEAST else ">=",
            "ago": given("ago", now - timedelta(days=int(row.value))),
        }
        if row.fact == "joined":
            return _JOINED.format(**parts), False
        return _ORDERS.format(since="", of="", having=_HAVING["last_order"].format(**parts)), False
    parts = {
        "compares": ">" if row.op == AT_MOST else ">=",
        "value": given("value", row.value),
        "since": _since(row, given, now),
        "of": _of(row, given),
    }
    if row.fact in _HAVING:
        return _ORDERS.format(**parts, having=_HAVING[row.fact].format(**parts)), row.op == AT_MOST
    return (_EVENTS if row.fact == "events" else _CASES).format(**parts), row.op == AT_MOST


def _since(row: Condition, given: Any, now: datetime) -> str:
    if row.days is None:
        return ""
    return f"AND {_TIME_OF[row.fact]} >= {given('since', now - timedelta(days=row.days))}"


def _of(row: Condition, given: Any) -> str:
    if not row.of:
        return ""
    if row.fact in ("orders", "spend"):
        return f"AND channel_id = (SELECT id FROM members_channel WHERE code = {given('of', row.of)})"
    return f"AND kind = {given('of', row.of)}"


def in_words(rule: TagRule, *, channels: Mapping[str, str]) -> str:
    """Who a rule means, in the language that is active."""
    conditions = tag_conditions.read(rule.conditions, channels=channels)
    return tag_conditions.sentence(conditions, channels=channels)
