"""Each service's webhook through the whole application: from the request as it is documented to what follows."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update
from starlette.testclient import TestClient

from newsletter.clock import utc_now
from newsletter.config import WebhookSetting, load_settings
from newsletter.db import Database
from newsletter.models import (
    Delivery,
    DeliveryState,
    SignalRecord,
    Subscriber,
    Subscription,
    SubscriptionStatus,
    Suppression,
    SuppressionReason,
)
from newsletter.web.webhooks import PROVIDERS
from tests.factories import BASE_URL, SECRET, make_mailing
from tests.servers.valkey import ValkeyServer
from tests.unit.feedback.providers.certificates import holder
from tests.unit.feedback.providers.test_sns import AMAZON, SCALEWAY
from tests.unit.feedback.test_record import token
from tests.unit.web.conftest import rows, serving
from tests.unit.web.services import SERVICES, Sent, Service, amazon, scaleway
from tests.unit.web.test_webhooks import counted

BLAISE = "blaise@example.org"
STRANGER = "stranger@example.org"
EACH = pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)
EACH_WITH_COMPLAINTS = pytest.mark.parametrize(
    "service", [one for one in SERVICES if one.complaint], ids=lambda service: service.name
)


@pytest.fixture
def client(database_url: str, valkey: ValkeyServer, tmp_path: Path) -> Iterator[TestClient]:
    """An application that hears all services; Amazon's and Scaleway's certificates are fetched already."""
    leaf = scaleway()
    authorities = tmp_path / "scaleway.pem"
    authorities.write_bytes(holder("authority").pem)
    more = {"scaleway": {"authorities_file": str(authorities)}}
    webhooks = [{"provider": one.name, **one.account, **more.get(one.name, {})} for one in SERVICES]
    settings = load_settings(
        database_url=database_url, broker_url=valkey.url, secret_key=SECRET, base_url=BASE_URL, webhooks=webhooks
    )
    for client in serving(settings):
        client.app.state.newsletter.certificates.update({AMAZON: amazon().pem, SCALEWAY: leaf.pem})  # type: ignore[attr-defined]
        yield client


@pytest.fixture
def mailing(database: Database) -> int:
    """One that everybody's server took an hour ago."""
    mailing_id = make_mailing(database)
    with database.write() as session:
        taken = utc_now() - timedelta(hours=1)
        session.execute(update(Delivery).values(state=DeliveryState.SENT, settled_at=taken, due_at=None))
    return mailing_id


def post(client: TestClient, service: Service, sent: Sent) -> int:
    headers, body = sent
    return client.post(f"/webhooks/{service.name}", content=body, headers=headers).status_code


def suppressions(database: Database) -> dict[str, SuppressionReason]:
    with database.read() as session:
        return dict(session.execute(select(Suppression.address, Suppression.reason)).all())


def unsubscribed(database: Database) -> list[str]:
    query = select(Subscriber.email).join(Subscription, Subscription.subscriber_id == Subscriber.id)
    with database.read() as session:
        return list(session.scalars(query.where(Subscription.status == SubscriptionStatus.UNSUBSCRIBED)))


def message_id(database: Database, mailing_id: int) -> str:
    return f"{token(database, mailing_id, BLAISE)}@hebdo.example"


def without_counts(database: Database) -> dict[str, list[object]]:
    return {name: found for name, found in rows(database).items() if name != "signal_counts"}


def test_every_service_that_may_be_set_is_tried_here() -> None:
    names = {service.name for service in SERVICES}
    assert names == set(PROVIDERS) == set(WebhookSetting.model_fields["provider"].annotation.__args__)  # type: ignore[union-attr]


@EACH
def test_a_bounce_suppresses_the_right_reader_once_however_often_it_is_told(
    client: TestClient, database: Database, mailing: int, service: Service
) -> None:
    data = service.bounce(BLAISE, message_id(database, mailing))
    assert post(client, service, service.sign(data, True)) == 200
    assert suppressions(database) == {BLAISE: SuppressionReason.BOUNCED}
    assert unsubscribed(database) == []
    with database.read() as session:
        kept = session.scalars(select(SignalRecord)).one()
    assert (kept.via, kept.kind, kept.severity, kept.reason) == (service.name, "bounce", "hard", "unknown-user")
    before = without_counts(database)
    # To the byte, and signed anew, as a service does that had no answer.
    same = service.sign(data, True)
    assert [post(client, service, sent) for sent in (same, same, service.sign(data, True))] == [200, 200, 200]
    assert without_counts(database) == before
    assert counted(database) == {(service.name, "replayed"): 3}


@EACH_WITH_COMPLAINTS
def test_a_complaint_suppresses_and_unsubscribes_the_right_reader(
    client: TestClient, database: Database, mailing: int, service: Service
) -> None:
    assert service.complaint is not None
    data = service.complaint(BLAISE, message_id(database, mailing))
    assert [post(client, service, service.sign(data, True)) for _ in range(2)] == [200, 200]
    assert suppressions(database) == {BLAISE: SuppressionReason.COMPLAINED}
    assert unsubscribed(database) == [BLAISE]
    assert counted(database) == {(service.name, "replayed"): 1}


@EACH
def test_what_another_key_signed_or_none_changes_nothing_and_is_counted(
    client: TestClient, database: Database, mailing: int, service: Service
) -> None:
    data = service.bounce(BLAISE, message_id(database, mailing))
    before = without_counts(database)
    headers, body = service.sign(data, True)
    # A password says nothing of the body; all else that is signed must be what was signed.
    forged = [service.sign(data, False), ({}, service.sign(data, False)[1]), ({}, b"{}"), ({}, b"no JSON")]
    if not headers.get("authorization") and service.name != "mailgun":
        forged.append((headers, body.replace(BLAISE.encode(), b"chloe@example.org")))
    assert [post(client, service, sent) for sent in forged] == [403] * len(forged)
    assert without_counts(database) == before
    assert counted(database) == {(service.name, "forged"): len(forged)}


@EACH
@pytest.mark.usefixtures("mailing")
def test_of_a_token_and_an_address_that_nobody_knows_nothing_follows_and_it_is_counted(
    client: TestClient, database: Database, service: Service
) -> None:
    before = without_counts(database)
    data = service.bounce(STRANGER, "no-token-of-ours@elsewhere.example")
    assert post(client, service, service.sign(data, True)) == 200
    assert without_counts(database) == before
    assert counted(database) == {(service.name, "unknown"): 1}
