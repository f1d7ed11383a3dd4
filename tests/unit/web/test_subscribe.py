"""A reader signs up, confirms, and is welcomed: the real application, both databases, a real SMTP server."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
import time_machine
from sqlalchemy import func, select
from starlette.testclient import TestClient

from newsletter.audience.digests import address_digest, erased_digests
from newsletter.audience.lists import Manner, edit_list
from newsletter.audience.signup import forget_unconfirmed
from newsletter.audience.subscriptions import unsubscribe
from newsletter.audience.suppressions import suppress
from newsletter.config import Settings, load_settings
from newsletter.db import Database
from newsletter.models import (
    Consent,
    ConsentAction,
    Erasure,
    List,
    Notice,
    NoticeKind,
    OptIn,
    Subscriber,
    Subscription,
    SubscriptionStatus,
    SuppressionReason,
)
from newsletter.sending import notices
from newsletter.sending.plan import audience_of
from tests.factories import NOW, SECRET, make_list, make_publication, subscribe
from tests.servers.smtp import SmtpServer
from tests.unit.web.conftest import BAD_TOKENS, rows, serving
from tests.unit.web.mailbox import Mailbox

ADA = "ada@example.org"
FORM = {"email": ADA, "first_name": "Ada", "consent": "yes", "language": "fr"}
DAY = timedelta(days=1)

pytestmark = pytest.mark.usefixtures("mailing_list")


@pytest.fixture(autouse=True)
def at_now() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def mailing_list(database: Database) -> List:
    with database.write() as session:
        added = make_list(session)
        edit_list(session, added, Manner(is_public=True, description="Chaque vendredi."))
    return added


@pytest.fixture
def mailbox(settings: Settings, database: Database, smtp: SmtpServer) -> Mailbox:
    return Mailbox(settings, database, smtp)


def status(database: Database, email: str = ADA) -> SubscriptionStatus | None:
    with database.read() as session:
        return session.scalar(select(Subscription.status).join(Subscriber).where(Subscriber.email == email))


def trail(database: Database) -> list[ConsentAction]:
    with database.read() as session:
        return list(session.scalars(select(Consent.action).order_by(Consent.id)))


def audience(database: Database, mailing_list: List, now: datetime = NOW) -> list[str]:
    with database.read() as session:
        return [email for _, email in session.execute(audience_of(mailing_list.id, now))]


def test_the_form_says_what_is_agreed_to_and_changes_nothing(client: TestClient, database: Database) -> None:
    before = rows(database)
    answer = client.get("/subscribe/vendredi", headers={"accept-language": "en"})
    assert answer.status_code == 200
    assert "I agree that L’Hebdo sends me Liste vendredi by email." in answer.text
    assert "Chaque vendredi." in answer.text
    assert "<script" not in answer.text
    assert "set-cookie" not in answer.headers
    assert rows(database) == before
    assert "J’accepte que" in client.get("/subscribe/vendredi", headers={"accept-language": "kk"}).text


def test_a_private_list_and_one_that_is_none_cannot_be_told_apart(
    client: TestClient, mailing_list: List, database: Database
) -> None:
    with database.write() as session:
        edit_list(session, session.get_one(List, mailing_list.id), Manner(is_public=False))
    for method in ("GET", "POST"):
        private = client.request(method, "/subscribe/vendredi", data=FORM if method == "POST" else None)
        absent = client.request(method, "/subscribe/absent", data=FORM if method == "POST" else None)
        assert (private.status_code, private.text) == (absent.status_code, absent.text)
        assert private.status_code == 404
    assert status(database) is None


def test_whoever_confirms_from_the_mailbox_is_on_the_list_and_welcomed(
    client: TestClient, mailing_list: List, database: Database, mailbox: Mailbox
) -> None:
    assert client.post("/subscribe/vendredi", data=FORM).status_code == 200
    assert status(database) is SubscriptionStatus.PENDING
    assert audience(database, mailing_list) == []
    assert mailbox.send_due(NOW) == 1
    message = mailbox.last(ADA)
    assert message["Subject"] == "À confirmer\u00a0: Liste vendredi"
    assert message["From"] == "L’Hebdo <redaction@hebdo.example>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["List-Unsubscribe"] is None
    link = mailbox.link(ADA, "confirm")
    before = rows(database)
    for _ in range(2):
        asked = client.get(link)
        assert asked.status_code == 200
        assert asked.text.count("<button") == 1
        assert '<form method="post">' in asked.text
    assert rows(database) == before
    for _ in range(2):
        assert "Vous êtes abonné" in client.post(link).text
    assert status(database) is SubscriptionStatus.ACTIVE
    assert audience(database, mailing_list) == [ADA]
    assert trail(database) == [ConsentAction.SIGN_UP, ConsentAction.CONFIRM]
    assert mailbox.send_due(NOW) == 1
    welcome = mailbox.last(ADA)
    assert welcome["Subject"] == "Bienvenue\u00a0: Liste vendredi"
    assert welcome["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert client.get(mailbox.link(ADA, "preferences")).status_code == 200
    assert mailbox.send_due(NOW + 3 * DAY) == 0, "no reminder"


def test_the_consent_trail_says_when_how_from_where_and_in_which_words(
    client: TestClient, mailing_list: List, database: Database
) -> None:
    client.post("/subscribe/vendredi", data=FORM)
    with database.read() as session:
        consent = session.scalars(select(Consent)).one()
    assert consent.list_id == mailing_list.id
    assert consent.wording.startswith("J’accepte que L’Hebdo m’envoie Liste vendredi")
    assert consent.wording_version.startswith("fr-")
    assert consent.wording_version in client.get("/subscribe/vendredi", headers={"accept-language": "fr"}).text
    assert (consent.by, consent.at) == ("reader", NOW)


def test_one_click_in_the_welcome_mail_takes_them_off_the_list(
    client: TestClient, mailing_list: List, database: Database, mailbox: Mailbox
) -> None:
    with database.write() as session:
        edit_list(session, session.get_one(List, mailing_list.id), Manner(opt_in=OptIn.SINGLE))
    client.post("/subscribe/vendredi", data=FORM)
    assert status(database) is SubscriptionStatus.ACTIVE
    mailbox.send_due(NOW)
    url = str(mailbox.last(ADA)["List-Unsubscribe"]).partition(">")[0].removeprefix("<https://lettres.example.org")
    assert client.get(url).status_code == 303
    assert status(database) is SubscriptionStatus.ACTIVE
    for _ in range(2):
        assert client.post(url, data={"List-Unsubscribe": "One-Click"}).status_code == 200
    assert status(database) is SubscriptionStatus.UNSUBSCRIBED
    assert trail(database) == [ConsentAction.SIGN_UP, ConsentAction.UNSUBSCRIBE]


def test_the_answer_is_the_same_whatever_is_known_of_the_address(
    client: TestClient, mailing_list: List, database: Database, mailbox: Mailbox
) -> None:
    with database.write() as session:
        here = session.get_one(List, mailing_list.id)
        subscribe(session, here, "active@example.org")
        left = subscribe(session, here, "left@example.org")
        unsubscribe(session, here.id, left.id, NOW - DAY)
        for reason in (SuppressionReason.BOUNCED, SuppressionReason.COMPLAINED, SuppressionReason.BLOCKED):
            suppress(session, f"{reason.value}@example.org", reason, "tests", NOW)
        suppress(session, "@barred.example", SuppressionReason.BLOCKED, "tests", NOW)
    mailed = ("new@example.org", "active@example.org", "left@example.org")
    silent = ("bounced@example.org", "complained@example.org", "blocked@example.org", "x@barred.example")
    answers = [client.post("/subscribe/vendredi", data={**FORM, "email": email}) for email in (*mailed, *silent)]
    assert len({(answer.status_code, answer.text) for answer in answers}) == 1
    assert mailbox.send_due(NOW) == len(mailed)
    assert [mailbox.messages(email) for email in silent] == [[]] * len(silent)
    assert mailbox.last("active@example.org")["Subject"] == "Vous êtes déjà abonné\u00a0: Liste vendredi"
    assert "/confirm/" not in str(mailbox.last("active@example.org"))
    assert client.get(mailbox.link("active@example.org", "preferences")).status_code == 200


def test_who_had_left_comes_back_by_confirming_and_not_before(
    client: TestClient, mailing_list: List, database: Database, mailbox: Mailbox
) -> None:
    with database.write() as session:
        person = subscribe(session, session.get_one(List, mailing_list.id), ADA)
        unsubscribe(session, mailing_list.id, person.id, NOW - DAY)
        suppress(session, ADA, SuppressionReason.UNSUBSCRIBED, "tests", NOW - DAY)
    client.post("/subscribe/vendredi", data=FORM)
    assert status(database) is SubscriptionStatus.UNSUBSCRIBED
    mailbox.send_due(NOW)
    client.post(mailbox.link(ADA, "confirm"))
    assert status(database) is SubscriptionStatus.ACTIVE
    assert audience(database, mailing_list) == [ADA]


def test_who_was_forgotten_may_be_known_again_once_they_confirm_and_not_before(
    client: TestClient, mailing_list: List, database: Database, mailbox: Mailbox
) -> None:
    with database.write() as session:
        session.add(Erasure(digest=address_digest(SECRET.encode())(ADA), erased_at=NOW - DAY))
    client.post("/subscribe/vendredi", data=FORM)
    with database.read() as session:
        assert len(erased_digests(session)) == 1
    mailbox.send_due(NOW)
    client.post(mailbox.link(ADA, "confirm"))
    assert audience(database, mailing_list) == [ADA]
    with database.read() as session:
        assert erased_digests(session) == frozenset()


def test_a_link_from_before_they_left_does_not_bring_them_back(
    client: TestClient, mailing_list: List, database: Database, mailbox: Mailbox
) -> None:
    client.post("/subscribe/vendredi", data=FORM)
    mailbox.send_due(NOW)
    link = mailbox.link(ADA, "confirm")
    client.post(link)
    with database.write() as session:
        person = session.scalars(select(Subscriber)).one()
        unsubscribe(session, mailing_list.id, person.id, NOW + DAY)
    assert client.post(link).status_code == 410
    assert status(database) is SubscriptionStatus.UNSUBSCRIBED
    assert audience(database, mailing_list) == []


def test_one_reminder_comes_after_two_days_and_then_silence_and_forgetting(
    client: TestClient, database: Database, mailbox: Mailbox, at_now: time_machine.Traveller
) -> None:
    client.post("/subscribe/vendredi", data=FORM)
    client.post("/subscribe/vendredi", data=FORM)
    assert mailbox.send_due(NOW) == 2
    assert mailbox.send_due(NOW + DAY) == 0
    assert mailbox.send_due(NOW + 2 * DAY) == 1
    assert mailbox.last(ADA)["Subject"] == "Encore à confirmer\u00a0: Liste vendredi"
    link = mailbox.link(ADA, "confirm")
    assert mailbox.send_due(NOW + 6 * DAY) == 0
    at_now.move_to(NOW + 7 * DAY)
    assert client.get(link).status_code == 410
    assert client.post(link).status_code == 410
    assert status(database) is SubscriptionStatus.PENDING
    with database.write() as session:
        assert forget_unconfirmed(session, NOW + 9 * DAY) == 0
        assert forget_unconfirmed(session, NOW + 11 * DAY) == 1
    with database.read() as session:
        for entity in (Subscriber, Subscription, Consent, Notice):
            assert session.scalar(select(func.count()).select_from(entity)) == 0
    assert client.post(link).status_code == 404


def test_forgetting_leaves_alone_whoever_is_known_otherwise(client: TestClient, database: Database) -> None:
    with database.write() as session:
        subscribe(session, make_list(session, make_publication(session, "autre"), "samedi"), ADA)
    client.post("/subscribe/vendredi", data=FORM)
    with database.write() as session:
        assert forget_unconfirmed(session, NOW + 11 * DAY) == 1
    assert status(database) is SubscriptionStatus.ACTIVE
    assert trail(database) == [ConsentAction.SIGN_UP]


def test_a_stranger_cannot_change_what_is_known_of_a_person(
    client: TestClient, mailing_list: List, database: Database
) -> None:
    with database.write() as session:
        subscribe(session, session.get_one(List, mailing_list.id), ADA, "Ada")
    client.post("/subscribe/vendredi", data={**FORM, "first_name": "Eve", "language": "en"})
    with database.read() as session:
        person = session.scalars(select(Subscriber)).one()
    assert (person.first_name, person.language) == ("Ada", "")


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"email": ""}, "pas une adresse"),
        ({"email": "ada@"}, "pas une adresse"),
        ({"email": 'ada@example.org"><script>'}, "pas une adresse"),
        ({"email": "ada@example.org\r\nBcc: eve@example.org"}, "pas une adresse"),
        ({"consent": ""}, "Cochez la case"),
    ],
)
def test_a_form_that_lacks_something_is_shown_again_and_says_what(
    client: TestClient, database: Database, wrong: dict[str, str], told: str
) -> None:
    answer = client.post("/subscribe/vendredi", data={**FORM, **wrong})
    assert answer.status_code == 422
    assert told in answer.text
    assert 'role="alert"' in answer.text
    assert "<script" not in answer.text
    assert 'value="Ada"' in answer.text
    assert status(database) is None


def test_a_form_on_somebody_else_s_page_signs_nobody_up(client: TestClient, database: Database) -> None:
    answer = client.post("/subscribe/vendredi", data=FORM, headers={"sec-fetch-site": "cross-site"})
    assert answer.status_code == 422
    assert status(database) is None


def test_a_machine_that_fills_in_every_field_gets_the_same_answer_and_nothing_else(
    client: TestClient, database: Database
) -> None:
    caught = client.post("/subscribe/vendredi", data={**FORM, "website": "https://spam.example"})
    assert status(database) is None
    assert caught.text == client.post("/subscribe/vendredi", data=FORM).text


@pytest.mark.parametrize(
    "body", [b"", b"\xff\xfe", b"email=%00", b"a&" * 30, b"email=" + b"a" * 20_000, b'{"email": "ada@example.org"}']
)
def test_a_body_that_is_no_form_signs_nobody_up(client: TestClient, database: Database, body: bytes) -> None:
    headers = {"content-type": "application/x-www-form-urlencoded"}
    assert client.post("/subscribe/vendredi", content=body, headers=headers).status_code == 422
    assert status(database) is None


def test_one_visitor_is_stopped_after_ten_tries(client: TestClient) -> None:
    answers = [
        client.post("/subscribe/vendredi", data={**FORM, "email": f"reader{number}@example.org"})
        for number in range(11)
    ]
    assert [answer.status_code for answer in answers] == [200] * 10 + [429]
    assert answers[-1].headers["retry-after"] == "3600"


def test_one_address_is_written_to_three_times_a_day_and_nobody_can_tell(
    client: TestClient, mailbox: Mailbox
) -> None:
    answers = [client.post("/subscribe/vendredi", data=FORM) for _ in range(5)]
    assert {(answer.status_code, answer.text) for answer in answers} == {(200, answers[0].text)}
    assert mailbox.send_due(NOW) == 3


def test_without_redis_it_says_later(database_url: str, database: Database) -> None:
    settings = load_settings(database_url=database_url, broker_url="redis://127.0.0.1:1/0", secret_key=SECRET)
    for client in serving(settings):
        assert client.post("/subscribe/vendredi", data=FORM).status_code == 503
    assert status(database) is None


def test_a_token_that_was_not_made_for_it_confirms_nothing(
    client: TestClient, database: Database, mailbox: Mailbox
) -> None:
    client.post("/subscribe/vendredi", data=FORM)
    mailbox.send_due(NOW)
    good = mailbox.link(ADA, "confirm").rpartition("/")[2]
    before = rows(database)
    for path in ("confirm", "veto", "preferences"):
        for token in (*BAD_TOKENS, good[:-1], *([good] if path != "confirm" else [])):
            for method in ("GET", "POST"):
                assert client.request(method, f"/{path}/{token}").status_code in (404, 405), (path, token)
    assert rows(database) == before


def test_what_an_editor_wrote_stands_in_the_welcome_mail(
    client: TestClient, mailing_list: List, database: Database, mailbox: Mailbox
) -> None:
    manner = Manner(opt_in=OptIn.SINGLE, welcome="Bonjour !\n\nLisez **tout** <script>alert(1)</script>.")
    with database.write() as session:
        edit_list(session, session.get_one(List, mailing_list.id), manner)
    client.post("/subscribe/vendredi", data=FORM)
    mailbox.send_due(NOW)
    html = mailbox.last(ADA).get_body(preferencelist=("html",))
    assert html is not None
    assert "<strong>tout</strong>" in html.get_content()
    assert "<script" not in html.get_content()


def test_a_name_that_looks_like_html_or_a_header_is_only_a_name(
    client: TestClient, mailing_list: List, database: Database, mailbox: Mailbox
) -> None:
    with database.write() as session:
        edit_list(session, session.get_one(List, mailing_list.id), Manner(name="<b>{publication}</b> & {0}"))
    assert "<b>" not in client.get("/subscribe/vendredi").text
    client.post("/subscribe/vendredi", data=FORM)
    mailbox.send_due(NOW)
    assert "<b>{publication}</b> & {0}" in mailbox.last(ADA)["Subject"]
    html = mailbox.last(ADA).get_body(preferencelist=("html",))
    assert html is not None
    assert "<b>{publication}" not in html.get_content()
    assert "<b>" not in client.get(mailbox.link(ADA, "confirm")).text


def test_a_server_that_says_later_gets_it_once_more_and_one_that_refuses_does_not(
    client: TestClient, mailbox: Mailbox, smtp: SmtpServer
) -> None:
    smtp.refuse = {ADA: "451 4.7.1 later", "bob@example.org": "550 5.1.1 no such user"}
    for email in smtp.refuse:
        client.post("/subscribe/vendredi", data={**FORM, "email": email})
    assert mailbox.send_due(NOW) == 0
    smtp.refuse.clear()
    assert mailbox.send_due(NOW + timedelta(minutes=1)) == 0
    assert mailbox.send_due(NOW + timedelta(minutes=5)) == 1
    assert len(mailbox.messages(ADA)) == 1
    assert mailbox.messages("bob@example.org") == []


def test_a_letter_that_a_lost_worker_had_is_never_sent_a_second_time_by_itself(
    client: TestClient, database: Database, mailbox: Mailbox
) -> None:
    client.post("/subscribe/vendredi", data=FORM)
    with database.write() as session:
        letter = select(Notice.id).where(Notice.kind == NoticeKind.CONFIRM)
        number = session.scalars(letter).one()
        assert notices.claim(session, number, NOW)
        assert notices.claim(session, number, NOW) is None
    assert mailbox.send_due(NOW + timedelta(minutes=1)) == 0
    assert mailbox.send_due(NOW + timedelta(hours=1)) == 0
    with database.read() as session:
        kept = session.get_one(Notice, number)
    assert (kept.due_at, kept.sent_at, kept.reply) == (None, None, notices.DOUBT)
    assert mailbox.send_due(NOW + 2 * DAY) == 1, "the reminder goes all the same"


def test_a_server_that_is_away_delays_and_loses_nothing(
    client: TestClient, settings: Settings, database: Database
) -> None:
    client.post("/subscribe/vendredi", data=FORM)
    with SmtpServer() as gone:
        pass
    with pytest.raises(Exception, match="cannot be used"):
        Mailbox(settings, database, gone).send_due(NOW)
    with SmtpServer() as back:
        assert Mailbox(settings, database, back).send_due(NOW) == 1
