from __future__ import annotations

import json
import socket
from base64 import b64encode
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from sqlalchemy import select, update
from starlette.testclient import TestClient

from newsletter.clock import utc_now
from newsletter.config import Settings, load_settings
from newsletter.db import Database
from newsletter.feedback.counts import counts
from newsletter.models import Delivery, DeliveryState, Suppression
from tests.factories import BASE_URL, SECRET, make_mailing
from tests.servers.https import Answer, HttpsServer
from tests.servers.tls import Authority
from tests.servers.valkey import ValkeyServer
from tests.unit.feedback.providers.certificates import holder
from tests.unit.feedback.providers.requests import basic
from tests.unit.feedback.providers.test_sns import AMAZON, SIGNED
from tests.unit.web.conftest import rows, serving

PASSWORD = "postmark:a long password"
TOPIC = "arn:aws:sns:eu-west-1:123456789012:weekly"
POSTMARK = {
    "RecordType": "Bounce",
    "Type": "HardBounce",
    "ID": 4323372036854775807,
    "Email": "ada@example.org",
    "Details": "smtp;550 5.1.1 The email account that you tried to reach does not exist.",
    "BouncedAt": "2026-03-13T07:30:00Z",
}


@pytest.fixture
def settings(database_url: str, valkey: ValkeyServer) -> Settings:
    webhooks = [{"provider": "postmark", "secret": PASSWORD}, {"provider": "ses", "topics": [TOPIC]}]
    return load_settings(
        database_url=database_url, broker_url=valkey.url, secret_key=SECRET, base_url=BASE_URL, webhooks=webhooks
    )


@pytest.fixture
def client(settings: Settings) -> Iterator[TestClient]:
    yield from serving(settings)


@pytest.fixture
def mailing(database: Database) -> int:
    """One that everybody's server took an hour ago."""
    mailing_id = make_mailing(database)
    with database.write() as session:
        session.execute(
            update(Delivery).values(state=DeliveryState.SENT, settled_at=utc_now() - timedelta(hours=1), due_at=None)
        )
    return mailing_id


def post(client: TestClient, data: Any, password: str = PASSWORD, provider: str = "postmark") -> int:
    return client.post(f"/webhooks/{provider}", json=data, headers={"Authorization": basic(password)}).status_code


def suppressed(database: Database) -> set[str]:
    with database.read() as session:
        return set(session.scalars(select(Suppression.address)))


def counted(database: Database) -> dict[tuple[str, str], int]:
    with database.read() as session:
        return {(one.via, one.outcome): one.signals for one in counts(session)}


@pytest.mark.usefixtures("mailing")
def test_a_bounce_that_a_service_tells_suppresses_once_however_often_it_is_told(
    client: TestClient, database: Database
) -> None:
    assert [post(client, POSTMARK) for _ in range(2)] == [200, 200]
    assert suppressed(database) == {"ada@example.org"}
    assert counted(database) == {("postmark", "replayed"): 1}


@pytest.mark.usefixtures("mailing")
def test_a_forged_webhook_is_counted_and_changes_nothing(client: TestClient, database: Database) -> None:
    before = rows(database)
    assert [post(client, POSTMARK, password) for password in ("guess", "", "postmark:")] == [403, 403, 403]
    assert client.post("/webhooks/postmark", json=POSTMARK).status_code == 403
    assert counted(database) == {("postmark", "forged"): 4}
    assert rows(database) | {"signal_counts": []} == before


@pytest.mark.usefixtures("mailing")
def test_a_service_cannot_suppress_whom_we_never_mailed(client: TestClient, database: Database) -> None:
    assert post(client, POSTMARK | {"Email": "stranger@example.org"}) == 200
    assert suppressed(database) == set()
    assert counted(database) == {("postmark", "unknown"): 1}


def test_only_services_of_the_settings_are_heard(client: TestClient, database: Database) -> None:
    assert [post(client, POSTMARK, provider=name) for name in ("mailgun", "nobody")] == [404, 404]
    assert client.get("/webhooks/postmark").status_code == 405
    assert counted(database) == {}


def test_a_body_that_is_too_large_or_no_json_is_refused(client: TestClient, database: Database) -> None:
    headers = {"Authorization": basic(PASSWORD)}
    assert client.post("/webhooks/postmark", content=b" " * ((1 << 20) + 1), headers=headers).status_code == 413
    assert client.post("/webhooks/postmark", content=b"no", headers=headers).status_code == 400
    assert counted(database) == {("postmark", "unread"): 1}


def test_a_database_that_is_away_has_the_service_try_again(client: TestClient) -> None:
    state = client.app.state.newsletter  # type: ignore[attr-defined]
    state.database.close()
    state.database = Database("postgresql+psycopg://nobody@127.0.0.1:1/none")
    assert post(client, POSTMARK) == 503
    assert post(client, POSTMARK, "guess") == 503


def notification(message: dict[str, Any], signer: str = "sns", **fields: str) -> dict[str, Any]:
    """As SNS signs it now."""
    data = {
        "Type": "Notification",
        "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
        "TopicArn": TOPIC,
        "Message": json.dumps(message),
        "Timestamp": f"{utc_now():%Y-%m-%dT%H:%M:%S}.000Z",
        "SignatureVersion": "2",
        "SigningCertURL": AMAZON,
        **fields,
    }
    text = "".join(f"{name}\n{data[name]}\n" for name in SIGNED if data.get(name))
    return {**data, "Signature": b64encode(holder(signer).key.sign(text.encode(), PKCS1v15(), SHA256())).decode()}


SES_COMPLAINT = {
    "notificationType": "Complaint",
    "complaint": {
        "complainedRecipients": [{"emailAddress": "ada@example.org"}],
        "timestamp": "2026-03-13T08:59:38.000Z",
    },
    "mail": {"messageId": "0000"},
}


@pytest.mark.usefixtures("mailing")
def test_amazon_is_believed_by_its_certificate_and_nobody_else(client: TestClient, database: Database) -> None:
    # As fetched from Amazon before.
    client.app.state.newsletter.certificates[AMAZON] = holder("sns").pem  # type: ignore[attr-defined]
    forged = (
        notification(SES_COMPLAINT, signer="somebody else"),
        notification(SES_COMPLAINT, TopicArn="arn:aws:sns:eu-west-1:666666666666:weekly"),
        notification(SES_COMPLAINT, SigningCertURL="https://evil.example/SimpleNotificationService-6209c161.pem"),
    )
    assert [post(client, data, provider="ses") for data in forged] == [403, 403, 403]
    asking = notification(
        {}, Type="SubscriptionConfirmation", Token="2336", SubscribeURL="https://evil.example/?Token=2336"
    )
    assert post(client, asking, provider="ses") == 400
    assert suppressed(database) == set()
    assert post(client, notification(SES_COMPLAINT), provider="ses") == 200
    assert suppressed(database) == {"ada@example.org"}
    assert counted(database) == {("ses", "forged"): 3, ("ses", "unread"): 1}


@pytest.fixture
def amazon(client: TestClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HttpsServer]:
    """Stands where Amazon is, for whoever asks for it by name; `client` trusts its certificate."""
    authority = Authority(tmp_path)
    client.app.state.newsletter.tls = authority.client()  # type: ignore[attr-defined]
    with HttpsServer(authority.server("sns.eu-west-1.amazonaws.com")) as server:
        dial = socket.create_connection

        def rerouted(address: tuple[str, int], *arguments: Any, **named: Any) -> socket.socket:
            server.dialled.append(address[0])
            return dial(("127.0.0.1", server.port), *arguments, **named)

        monkeypatch.setattr(socket, "create_connection", rerouted)
        server.answers[urlsplit(AMAZON).path] = Answer(body=holder("sns").pem)
        yield server


@pytest.mark.usefixtures("mailing")
def test_amazons_certificate_is_fetched_once(client: TestClient, database: Database, amazon: HttpsServer) -> None:
    told = notification(SES_COMPLAINT)
    assert [post(client, told, provider="ses") for _ in range(2)] == [200, 200]
    assert suppressed(database) == {"ada@example.org"}
    assert amazon.asked == [urlsplit(AMAZON).path]


@pytest.mark.parametrize(
    "fields",
    [
        {"TopicArn": "arn:aws:sns:eu-west-1:666666666666:weekly"},
        {
            "TopicArn": "",
            "SigningCertURL": "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-1234abcd.pem",
        },
        {"Timestamp": "2026-03-01T00:00:00.000Z"},
        {"SigningCertURL": "https://evil.example/SimpleNotificationService-6209c161.pem"},
        {"SigningCertURL": "https://sns.eu-west-1.amazonaws.com:8443/SimpleNotificationService-6209c161.pem"},
        {"SigningCertURL": "http://sns.eu-west-1.amazonaws.com/SimpleNotificationService-6209c161.pem"},
        {"Type": "Greeting"},
    ],
)
def test_of_foreign_topics_old_notifications_and_foreign_hosts_no_certificate_is_fetched(
    client: TestClient, database: Database, amazon: HttpsServer, fields: dict[str, str]
) -> None:
    assert post(client, notification(SES_COMPLAINT, **fields), provider="ses") == 403
    assert amazon.dialled == []
    assert counted(database) == {("ses", "forged"): 1}


@pytest.mark.parametrize(
    ("answer", "status"), [(Answer(404), 403), (Answer(302, location=AMAZON), 403), (Answer(503), 503)]
)
def test_without_a_certificate_nothing_is_believed_and_amazon_may_try_again_where_it_failed(
    client: TestClient, database: Database, amazon: HttpsServer, answer: Answer, status: int
) -> None:
    amazon.answers[urlsplit(AMAZON).path] = answer
    assert post(client, notification(SES_COMPLAINT), provider="ses") == status
    assert suppressed(database) == set()
    assert len(amazon.asked) == 1


def test_a_topics_subscription_is_confirmed_once_it_is_verified(client: TestClient, amazon: HttpsServer) -> None:
    query = f"/?Action=ConfirmSubscription&TopicArn={TOPIC}&Token=2336"
    amazon.answers[query] = Answer(body=b"<ConfirmSubscriptionResponse/>")
    fields = {"Type": "SubscriptionConfirmation", "Token": "2336"}
    asking = notification({}, SubscribeURL=f"https://sns.eu-west-1.amazonaws.com{query}", **fields)
    assert post(client, {**asking, "Token": "2337"}, provider="ses") == 403
    assert query not in amazon.asked
    assert post(client, asking, provider="ses") == 200
    assert amazon.asked[-1] == query
