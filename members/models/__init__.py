from members.models.api_keys import ApiKey, ApiKeyUse, KeptAnswer, Scope
from members.models.channels import Channel, Platform, Store
from members.models.credentials import Credential
from members.models.imports import ColumnMapping, ImportReject, ImportRun, StagedFact
from members.models.legacy import LegacyRow, LegacyRun
from members.models.orders import Order, OrderLine, OrderStatusEntry, Refund
from members.models.outbox import OutboxEvent
from members.models.people import Account, Identifier, MatchReview, Member, MemberTag, Tag

__all__ = [
    "Account",
    "ApiKey",
    "ApiKeyUse",
    "Channel",
    "ColumnMapping",
    "Credential",
    "Identifier",
    "ImportReject",
    "ImportRun",
    "KeptAnswer",
    "LegacyRow",
    "LegacyRun",
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
]
