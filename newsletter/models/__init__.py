"""Every table, as typed entities."""

from newsletter.models.asset import Asset
from newsletter.models.audience import List, Subscriber, Subscription, SubscriptionStatus, Suppression
from newsletter.models.base import Base
from newsletter.models.event import Event, EventKind
from newsletter.models.imports import Import, ImportChange, ImportState
from newsletter.models.issue import Issue, Revision
from newsletter.models.ledger import OPEN_STATES, Batch, Delivery, DeliveryState, of_mailing
from newsletter.models.mailing import Link, Mailing, MailingStatus
from newsletter.models.pace import DayCount, Pace
from newsletter.models.publication import Publication

__all__ = [
    "OPEN_STATES",
    "Asset",
    "Base",
    "Batch",
    "DayCount",
    "Delivery",
    "DeliveryState",
    "Event",
    "EventKind",
    "Import",
    "ImportChange",
    "ImportState",
    "Issue",
    "Link",
    "List",
    "Mailing",
    "MailingStatus",
    "Pace",
    "Publication",
    "Revision",
    "Subscriber",
    "Subscription",
    "SubscriptionStatus",
    "Suppression",
    "of_mailing",
]
