from members.models.api_keys import ApiKey, ApiKeyUse, KeptAnswer, Scope
from members.models.channels import Channel, Platform, Store
from members.models.credentials import Credential
from members.models.imports import ColumnMapping, ImportReject, ImportRun, StagedFact
from members.models.orders import Order, OrderLine, OrderStatusEntry, Refund
from members.models.outbox import OutboxEvent
from members.models.people import Account, Identifier, MatchReview, Member, MemberTag, Tag
from members.models.reconciliations import Reconciliation, ReconciliationDifference, ReconciliationRow

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
    "MatchReview",
    "Member",
    "MemberTag",
    "Order",
    "OrderLine",
    "OrderStatusEntry",
    "OutboxEvent",
    "Platform",
    "Reconciliation",
    "ReconciliationDifference",
    "ReconciliationRow",
    "Refund",
    "Scope",
    "StagedFact",
    "Store",
    "Tag",
]
