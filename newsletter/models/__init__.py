"""Every table, as typed entities."""

from newsletter.models.asset import Asset
from newsletter.models.audience import (
    Consent,
    ConsentAction,
    List,
    OptIn,
    Segment,
    Subscriber,
    Subscription,
    SubscriptionStatus,
    Tracking,
    is_mailed,
)
from newsletter.models.base import Base
from newsletter.models.event import Event, EventKind, Verdict, reader_name, unsubscribe_source
from newsletter.models.feedback import LeftMessage, SignalCount, SignalRecord
from newsletter.models.imports import Import, ImportChange, ImportState
from newsletter.models.issue import Issue, Revision
from newsletter.models.ledger import OPEN_STATES, Batch, Delivery, DeliveryState, new_salt, of_mailing, veiled
from newsletter.models.mailing import Link, LinkCorrection, Mailing, MailingStatus
from newsletter.models.notice import Notice, NoticeKind
from newsletter.models.pace import DayCount, Pace
from newsletter.models.publication import Publication
from newsletter.models.rollup import Facet, Rollup, lock_events
from newsletter.models.suppression import (
    Erasure,
    Suppression,
    SuppressionReason,
    at_domain,
    holds,
    is_mailable,
    is_suppressed,
)

__all__ = [
    "OPEN_STATES",
    "Asset",
    "Base",
    "Batch",
    "Consent",
    "ConsentAction",
    "DayCount",
    "Delivery",
    "DeliveryState",
    "Erasure",
    "Event",
    "EventKind",
    "Facet",
    "Import",
    "ImportChange",
    "ImportState",
    "Issue",
    "LeftMessage",
    "Link",
    "LinkCorrection",
    "List",
    "Mailing",
    "MailingStatus",
    "Notice",
    "NoticeKind",
    "OptIn",
    "Pace",
    "Publication",
    "Revision",
    "Rollup",
    "Segment",
    "SignalCount",
    "SignalRecord",
    "Subscriber",
    "Subscription",
    "SubscriptionStatus",
    "Suppression",
    "SuppressionReason",
    "Tracking",
    "Verdict",
    "at_domain",
    "holds",
    "is_mailable",
    "is_mailed",
    "is_suppressed",
    "lock_events",
    "new_salt",
    "of_mailing",
    "reader_name",
    "unsubscribe_source",
    "veiled",
]
