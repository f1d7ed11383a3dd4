"""A reader's own page: the real application on both databases, mail over a real SMTP server."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from sqlalchemy import select
from starlette.testclient import TestClient

from newsletter.audience.files.source import open_source
from newsletter.audience.imports import run_import
from newsletter.audience.jobs import Options
from newsletter.audience.links import ReaderLinks
from newsletter.audience.lists import Manner, add_list, edit_list
from newsletter.audience.subscriptions import PAUSE
from newsletter.audience.suppressions import suppress
from newsletter.config import Settings
from newsletter.db import Database
from newsletter.models import (
    Consent,
    ConsentAction,
    List,
    Publication,
    Subscriber,
    Subscription,
    SubscriptionStatus,
    SuppressionReason,
    Tracking,
)
from newsletter.sending.plan import audience_of
from tests.factories import DIGEST, NOW
from tests.servers.smtp import SmtpServer
from tests.unit.web.conftest import Sent, rows
from tests.unit.web.mailbox import Mailbox

ADA, NEW = "ada@example.org", "ada@new.example"
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def at_now() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def here(sent: Sent) -> str:
    """The page of the first recipient, Ada, by the link in her message."""
    return f"/preferences/{sent.unsubscribes}"


@pytest.fixture
def mailbox(settings: Settings, database: Database, smtp: SmtpServer) -> Mailbox:
    return Mailbox(settings, database, smtp)


def another_list(database: Database, *, is_public: bool, slug: str = "samedi") -> int:
    with database.write() as session:
        publication = session.scalars(select(Publication)).one()
        return add_list(session, publication, slug, f"Liste {slug}", NOW, Manner(is_public=is_public)).id


def place(database: Database, list_id: int = 1) -> Subscription | None:
    with database.read() as session:
        return session.scalar(
            select(Subscription).join(Subscriber).where(Subscriber.id == 1, Subscription.list_id == list_id)
        )


def ada(database: Database) -> Subscriber:
    with database.read() as session:
        return session.get_one(Subscriber, 1)


def trail(database: Database) -> list[tuple[ConsentAction, str]]:
    with database.read() as session:
        rows = session.execute(select(Consent.action, Consent.wording).order_by(Consent.id))
        return [(action, wording) for action, wording in rows]


def audience(database: Database, days: int = 0, list_id: int = 1) -> list[str]:
    with database.read() as session:
        return [email for _, email in session.execute(audience_of(list_id, NOW + days * DAY))]


def import_again(database: Database, list_id: int) -> None:
    """Import a file that has Ada's address in it still."""
    source = Path("people.csv")
    source.write_text(f"email\n{ADA}\n", encoding="utf-8")
    with database.write() as session:
        run_import(
            session, session.get_one(List, list_id), open_source(source), NOW, Options(consent="tests"), DIGEST
        )


def test_looking_changes_nothing_and_shows_the_address_to_its_owner_alone(
    client: TestClient, here: str, database: Database
) -> None:
    another_list(database, is_public=True)
    another_list(database, is_public=False, slug="secret")
    before = rows(database)
    for _ in range(2):
        answer = client.get(here)
        assert answer.status_code == 200
    assert rows(database) == before
    assert ADA not in answer.text
    assert "a…@example.org" in answer.text
    assert "Liste samedi" in answer.text
    assert "Liste secret" not in answer.text
    assert "set-cookie" not in answer.headers
    assert answer.headers["cache-control"] == "no-store"
    assert "<script" not in answer.text


def test_what_the_address_says_was_done_is_never_anything_but_ours(client: TestClient, here: str) -> None:
    plain = client.get(here).text
    assert client.get(f"{here}?done=<b>x").text == plain
    assert "C’est enregistré." in client.get(f"{here}?done=saved").text


def test_one_list_is_left_with_a_reason_and_the_others_are_not(
    client: TestClient, here: str, database: Database
) -> None:
    answer = client.post(f"{here}/lists/1", data={"action": "leave", "reason": " trop \r\n long "})
    assert (answer.status_code, answer.headers["location"]) == (303, f"{here}?done=left")
    left = place(database)
    assert left
    assert left.status is SubscriptionStatus.UNSUBSCRIBED
    assert trail(database) == [(ConsentAction.UNSUBSCRIBE, "trop long")]
    assert ADA not in audience(database)
    client.post(f"{here}/lists/1", data={"action": "leave"})
    assert len(trail(database)) == 1


def test_all_lists_are_left_for_good(client: TestClient, here: str, database: Database) -> None:
    client.post(f"{here}/leave-all", data={"reason": "assez"})
    assert trail(database) == [(ConsentAction.UNSUBSCRIBE, "assez")] * 2
    other = another_list(database, is_public=False)
    import_again(database, other)
    assert ADA not in audience(database)
    assert ADA not in audience(database, list_id=other)


def test_a_pause_holds_for_thirty_days_or_until_they_resume(
    client: TestClient, here: str, database: Database
) -> None:
    client.post(f"{here}/lists/1", data={"action": "pause"})
    assert ADA not in audience(database, 29)
    assert ADA in audience(database, PAUSE.days)
    assert "En pause jusqu’au 12 avril 2026" in client.get(here).text
    client.post(f"{here}/lists/1", data={"action": "resume"})
    assert ADA in audience(database)
    assert [action for action, _ in trail(database)] == [ConsentAction.PAUSE, ConsentAction.RESUME]


def test_joining_a_list_has_to_be_confirmed_from_the_mailbox(
    client: TestClient, here: str, database: Database, mailbox: Mailbox
) -> None:
    other = another_list(database, is_public=True)
    client.post(f"{here}/lists/{other}", data={"action": "join"})
    joined = place(database, other)
    assert joined
    assert joined.status is SubscriptionStatus.PENDING
    assert mailbox.send_due(NOW) == 1
    client.post(mailbox.link(ADA, "confirm"))
    joined = place(database, other)
    assert joined
    assert joined.status is SubscriptionStatus.ACTIVE


def test_nobody_joins_a_private_list_or_one_that_is_none(client: TestClient, here: str, database: Database) -> None:
    secret = another_list(database, is_public=False)
    before = rows(database)
    for list_id in (secret, 999, 2**63):
        for action in ("join", "leave", "pause", "resume", "", "nonsense"):
            assert client.post(f"{here}/lists/{list_id}", data={"action": action}).status_code in (303, 404)
    assert rows(database) == before


def test_language_and_tracking_are_theirs_to_set_and_kept_in_the_trail(
    client: TestClient, here: str, database: Database
) -> None:
    for _ in range(2):
        client.post(f"{here}/settings", data={"language": "en", "tracking": "off"})
    client.post(f"{here}/settings", data={"language": "xx", "tracking": "everything"})
    person = ada(database)
    assert (person.language, person.tracking) == ("en", Tracking.OFF)
    assert trail(database) == [(ConsentAction.PROFILE, "language: en"), (ConsentAction.TRACKING, "off")]
    assert "Your preferences" in client.get(here).text


def test_a_new_address_is_confirmed_there_and_told_at_the_old_one(
    client: TestClient, here: str, database: Database, mailbox: Mailbox
) -> None:
    client.post(f"{here}/address", data={"email": NEW})
    assert ada(database).email == ADA
    assert mailbox.send_due(NOW) == 2
    before = rows(database)
    link, veto = mailbox.link(NEW, "confirm"), mailbox.link(ADA, "veto")
    assert client.get(link).status_code == client.get(veto).status_code == 200
    assert rows(database) == before
    for _ in range(2):
        assert NEW in client.post(link).text
    assert ada(database).email == NEW
    assert NEW in audience(database)
    assert ADA not in audience(database)
    import_again(database, 1)
    assert ADA not in audience(database)


@pytest.mark.parametrize("is_confirmed", [True, False])
def test_the_old_address_forbids_the_change_before_and_after(
    client: TestClient, here: str, database: Database, mailbox: Mailbox, is_confirmed: bool
) -> None:
    client.post(f"{here}/address", data={"email": NEW})
    mailbox.send_due(NOW)
    link, veto = mailbox.link(NEW, "confirm"), mailbox.link(ADA, "veto")
    if is_confirmed:
        client.post(link)
    for _ in range(2):
        assert ADA in client.post(veto).text
    assert client.post(link).status_code == 410
    assert ada(database).email == ADA
    assert ADA in audience(database)


def test_a_change_of_address_expires(
    client: TestClient, here: str, database: Database, mailbox: Mailbox, at_now: time_machine.Traveller
) -> None:
    client.post(f"{here}/address", data={"email": NEW})
    mailbox.send_due(NOW)
    at_now.move_to(NOW + 7 * DAY)
    for path in (mailbox.link(NEW, "confirm"), mailbox.link(ADA, "veto")):
        assert client.post(path).status_code == 410
    assert ada(database).email == ADA


def test_the_page_does_not_tell_whose_the_new_address_is(
    client: TestClient, here: str, database: Database, mailbox: Mailbox
) -> None:
    with database.write() as session:
        suppress(session, "bounced@example.org", SuppressionReason.BOUNCED, "tests", NOW)
    addresses = ("blaise@example.org", "bounced@example.org")
    answers = [client.post(f"{here}/address", data={"email": email}) for email in addresses]
    assert {answer.headers["location"] for answer in answers} == {f"{here}?done=asked"}
    assert mailbox.send_due(NOW) == 1
    assert "déjà abonné" in mailbox.last("blaise@example.org")["Subject"]
    assert ada(database).email == ADA


@pytest.mark.parametrize("email", ["", "ada", "a@b@c", "ada@example.org\r\nBcc: eve@example.org", ADA])
def test_what_is_no_new_address_changes_and_sends_nothing(
    client: TestClient, here: str, database: Database, mailbox: Mailbox, email: str
) -> None:
    assert client.post(f"{here}/address", data={"email": email}).status_code == 303
    assert mailbox.send_due(NOW) == 0
    assert ada(database).email == ADA


def test_every_form_needs_its_token(client: TestClient, database: Database, sent: Sent) -> None:
    before = rows(database)
    for token in ("x", sent.opens, sent.clicks, "A" * 32):
        for path in ("lists/1", "leave/1", "leave-all", "settings"):
            data = {"action": "leave", "language": "en", "tracking": "off"}
            assert client.post(f"/preferences/{token}/{path}", data=data).status_code == 404
        assert client.post(f"/preferences/{token}/address", data={"email": NEW}).status_code == 404
    assert rows(database) == before


@pytest.mark.usefixtures("sent")
def test_a_readers_own_link_leads_to_nobody_else_who_was_given_their_number(
    client: TestClient, settings: Settings, database: Database
) -> None:
    own = f"/preferences/{ReaderLinks(settings.secret(), settings.base_url).preferences_token(ada(database))}"
    assert client.get(own).status_code == 200
    with database.write() as session:
        session.get_one(Subscriber, 1).created_at += DAY
    assert client.get(own).status_code == 404


def test_every_form_has_a_label_for_each_field(client: TestClient, here: str) -> None:
    text = client.get(here).text
    for field in ("reason-1", "language", "tracking-off", "new-address", "reason-all"):
        assert f'id="{field}"' in text
        assert f'for="{field}"' in text


def test_a_list_can_be_made_public_and_private_again(client: TestClient, sent: Sent, database: Database) -> None:
    assert sent.mailing_id
    for is_public, status in ((True, 200), (False, 404)):
        with database.write() as session:
            edit_list(session, session.get_one(List, 1), Manner(is_public=is_public))
        assert client.get("/subscribe/vendredi").status_code == status
