from members.models.api_keys import ApiKey, ApiKeyUse, KeptAnswer, Scope
from members.models.channels import Channel, Platform, Store
from members.models.imports import ColumnMapping, ImportReject, ImportRun, StagedFact
from members.models.merges import Merge
from members.models.orders import Order, OrderLine, OrderStatusEntry, Refund
from members.models.outbox import OutboxEvent
from members.models.people import Account, Identifier, MatchReview, Member, MemberTag, Tag

__all__ = [
    "Account",
    "ApiKey",
    "ApiKeyUse",
    "Channel",
    "ColumnMapping",
    "Identifier",
    "ImportReject",
    "ImportRun",
    "KeptAnswer",
    "MatchReview",
    "Member",
    "MemberTag",
    "Merge",
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
]
