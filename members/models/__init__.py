from members.models.api_keys import ApiKey, ApiKeyUse, KeptAnswer, Scope
from members.models.cases import Case, CaseStep
from members.models.channels import Channel, Platform, Store
from members.models.events import Event, EventKey, Visitor
from members.models.imports import ColumnMapping, ImportReject, ImportRun, StagedFact
from members.models.orders import Order, OrderLine, OrderStatusEntry, Refund
from members.models.outbox import OutboxEvent
from members.models.people import Account, Identifier, MatchReview, Member, MemberTag, Tag
from members.models.tag_rules import TagRule, TagRun

__all__ = [
    "Account",
    "ApiKey",
    "ApiKeyUse",
    "Case",
    "CaseStep",
    "Channel",
    "ColumnMapping",
    "Event",
    "EventKey",
    "Identifier",
    "ImportReject",
    "ImportRun",
    "KeptAnswer",
    "MatchReview",
    "Member",
    "MemberTag",
    "Order",
    "OrderLine",
    "OrderStatusEntry",
    "OutboxEvent",
    "Platform",
    "Refund",
    "Scope",
    "StagedFact",
    "Store",
    "Tag",
    "TagRule",
    "TagRun",
    "Visitor",
]
