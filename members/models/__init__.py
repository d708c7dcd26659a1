from members.models.api_keys import ApiKey, ApiKeyUse, KeptAnswer, Scope
from members.models.cases import Case, CaseStep
from members.models.channels import Channel, Platform, Store
from members.models.credentials import Credential
from members.models.enrolments import Enrolment, EnrolmentStep, PlatformToken, RateCount, SpentMemberCode
from members.models.events import Event, EventKey, Visitor
from members.models.imports import ColumnMapping, ImportMade, ImportReject, ImportRun, StagedFact
from members.models.inbox import InboxDelivery, PlatformCall, PlatformRequest, TellingCursor
from members.models.legacy import LegacyRow, LegacyRun
from members.models.matching import Footprint, MatchRun, ValueShare
from members.models.merges import Merge
from members.models.orders import Order, OrderLine, OrderStatusEntry, Refund
from members.models.outbox import OutboxEvent
from members.models.people import Account, Identifier, MatchReview, Member, MemberTag, Tag
from members.models.queues import PlatformQueue
from members.models.reconciliations import Reconciliation, ReconciliationDifference, ReconciliationRow
from members.models.tag_rules import TagRule, TagRun
from members.models.unbindings import Unbinding
from members.models.webhooks import (
    DeliveryProblem,
    Topic,
    WebhookDelivery,
    WebhookEndpoint,
    WebhookFailure,
    WebhookHour,
)

__all__ = [
    "Account",
    "ApiKey",
    "ApiKeyUse",
    "Case",
    "CaseStep",
    "Channel",
    "ColumnMapping",
    "Credential",
    "DeliveryProblem",
    "Enrolment",
    "EnrolmentStep",
    "Event",
    "EventKey",
    "Footprint",
    "Identifier",
    "ImportMade",
    "ImportReject",
    "ImportRun",
    "InboxDelivery",
    "KeptAnswer",
    "LegacyRow",
    "LegacyRun",
    "MatchReview",
    "MatchRun",
    "Member",
    "MemberTag",
    "Merge",
    "Order",
    "OrderLine",
    "OrderStatusEntry",
    "OutboxEvent",
    "Platform",
    "PlatformCall",
    "PlatformQueue",
    "PlatformRequest",
    "PlatformToken",
    "RateCount",
    "Reconciliation",
    "ReconciliationDifference",
    "ReconciliationRow",
    "Refund",
    "Scope",
    "SpentMemberCode",
    "StagedFact",
    "Store",
    "Tag",
    "TagRule",
    "TagRun",
    "TellingCursor",
    "Topic",
    "Unbinding",
    "ValueShare",
    "Visitor",
    "WebhookDelivery",
    "WebhookEndpoint",
    "WebhookFailure",
    "WebhookHour",
]
