from __future__ import annotations

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from threading import Thread

import pytest
from sqlalchemy import delete, select, text
from starlette.testclient import TestClient

from newsletter.config import Settings
from newsletter.db import Database
from newsletter.models import EventKind, Link
from newsletter.tracking.buffer import EventBuffer
from tests.factories import make_mailing
from tests.servers.valkey import ValkeyServer
from tests.unit.web.conftest import BAD_TOKENS, TOKENS, Sent, first_of, rows, serving


def links(database: Database, mailing_id: int) -> dict[int, str]:
    with database.read() as session:
        return {link.number: link.url for link in session.scalars(select(Link).where(Link.mailing_id == mailing_id))}


def test_the_pixel_is_a_gif_of_43_bytes_and_never_cached(client: TestClient, sent: Sent) -> None:
    answer = client.get(f"/o/{sent.opens}.gif")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "image/gif"
    assert len(answer.content) == 43
    assert answer.content[:6] == b"GIF89a"
    assert answer.content[6:10] == b"\x01\x00\x01\x00"
    assert "no-store" in answer.headers["cache-control"]


def test_the_pixel_is_the_same_whatever_the_token(client: TestClient, sent: Sent, buffer: EventBuffer) -> None:
    expected = client.get(f"/o/{sent.opens}.gif").content
    for token in (*BAD_TOKENS, sent.clicks, sent.unsubscribes, sent.opens[:-1]):
        answer = client.get(f"/o/{token}.gif")
        assert (answer.status_code, answer.content) == (200, expected), token
    assert [event.kind for event in buffer.oldest()] == [EventKind.OPEN]


def test_an_open_is_noted_for_the_delivery_whose_message_it_was(
    client: TestClient, sent: Sent, buffer: EventBuffer
) -> None:
    client.get(f"/o/{sent.opens}.gif", headers={"User-Agent": "Lecteur/1.0"})
    (event,) = buffer.oldest()
    assert (event.kind, event.mailing_id, event.delivery_id) == (EventKind.OPEN, sent.mailing_id, sent.delivery_id)
    assert (event.link_number, event.user_agent) == (None, "Lecteur/1.0")


def test_a_click_leads_to_the_link_of_its_number(
    client: TestClient, sent: Sent, database: Database, buffer: EventBuffer
) -> None:
    targets = links(database, sent.mailing_id)
    assert len(targets) == 8
    for number, url in targets.items():
        answer = client.get(f"/c/{sent.clicks}/{number}")
        assert (answer.status_code, answer.headers["location"]) == (302, url)
        assert "no-store" in answer.headers["cache-control"]
        assert answer.headers["referrer-policy"] == "no-referrer"
    assert [event.link_number for event in buffer.oldest()] == list(targets)


def refuses_kindly(client: TestClient, address: str) -> None:
    answer = client.get(address)
    assert answer.status_code == 404, address
    assert "location" not in answer.headers
    assert answer.headers["content-type"].startswith("text/html")
    assert "<h1>" in answer.text
    assert "http-equiv" not in answer.text.lower()
    assert "<script" not in answer.text.lower()


def test_a_click_with_a_token_that_was_not_made_for_it_leads_nowhere(
    client: TestClient, sent: Sent, buffer: EventBuffer
) -> None:
    changed = sent.clicks[:-1] + ("A" if sent.clicks[-1] != "A" else "B")
    for token in (*BAD_TOKENS, sent.opens, sent.unsubscribes, sent.clicks[:-1], changed):
        refuses_kindly(client, f"/c/{token}/1")
    assert buffer.oldest() == []


@pytest.mark.parametrize("number", ["00", "01x", "9", "1000", "99999999999999999999", "-1", "1.5", "x", "1/2", "٣"])
def test_a_click_on_a_number_the_mailing_has_not_leads_nowhere(client: TestClient, sent: Sent, number: str) -> None:
    refuses_kindly(client, f"/c/{sent.clicks}/{number}")


def test_a_click_never_leads_to_another_mailing_s_link(
    client: TestClient, sent: Sent, database: Database, tmp_path_factory: pytest.TempPathFactory
) -> None:
    issue = tmp_path_factory.mktemp("issue") / "court.md"
    issue.write_text("---\ntitle: Court\n---\n\n[Lire](https://example.org/court)\n", encoding="utf-8")
    short = first_of(database, make_mailing(database, slug="samedi", issue=issue))
    assert client.get(f"/c/{short.clicks}/1").headers["location"] == "https://example.org/court"
    refuses_kindly(client, f"/c/{short.clicks}/2")
    refuses_kindly(client, f"/c/{TOKENS.clicks.seal(sent.mailing_id + 1000, sent.delivery_id)}/1")


def test_no_address_can_be_smuggled_into_a_redirect(client: TestClient, sent: Sent, database: Database) -> None:
    url = links(database, sent.mailing_id)[1]
    answer = client.get(f"/c/{sent.clicks}/1?url=https://evil.example/&next=//evil.example")
    assert answer.headers["location"] == url
    refuses_kindly(client, f"/c/{sent.clicks}/https://evil.example/")


def test_get_and_head_change_nothing_in_sql(client: TestClient, sent: Sent, database: Database) -> None:
    before = rows(database)
    for address in (f"/o/{sent.opens}.gif", f"/c/{sent.clicks}/1", f"/u/{sent.unsubscribes}", "/healthz", "/absent"):
        for method in ("GET", "HEAD"):
            assert client.request(method, address).status_code in (200, 302, 404)
    assert rows(database) == before


def test_head_is_noted_as_what_it_is(client: TestClient, sent: Sent, buffer: EventBuffer) -> None:
    assert client.head(f"/o/{sent.opens}.gif").status_code == 200
    assert client.head(f"/c/{sent.clicks}/1").status_code == 302
    client.get(f"/o/{sent.opens}.gif")
    assert [event.method for event in buffer.oldest()] == ["HEAD", "HEAD", "GET"]


def test_the_link_that_no_person_sees_is_a_trap_and_says_so(
    client: TestClient, sent: Sent, buffer: EventBuffer
) -> None:
    answer = client.get(f"/c/{sent.clicks}/0", headers={"Accept-Language": "en"})
    assert answer.status_code == 200
    assert "location" not in answer.headers
    assert "<h1>You found a hidden link</h1>" in answer.text
    assert [(event.kind, event.link_number) for event in buffer.oldest()] == [(EventKind.TRAP, 0)]
    refuses_kindly(client, f"/c/{sent.opens}/0")
    assert len(buffer.oldest()) == 1


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_opens_and_clicks_are_asked_for_with_get_alone(client: TestClient, sent: Sent, method: str) -> None:
    for address in (f"/o/{sent.opens}.gif", f"/c/{sent.clicks}/1", "/healthz"):
        assert client.request(method, address).status_code == 405


def test_readers_are_served_while_the_event_buffer_is_away_and_the_loss_is_told(
    client: TestClient, sent: Sent, database: Database, valkey: ValkeyServer, capsys: pytest.CaptureFixture[str]
) -> None:
    valkey.kill()
    assert len(client.get(f"/o/{sent.opens}.gif").content) == 43
    answer = client.get(f"/c/{sent.clicks}/1")
    assert (answer.status_code, answer.headers["location"]) == (302, links(database, sent.mailing_id)[1])
    assert capsys.readouterr().out.count("events lost") == 1
    assert client.get("/healthz/track").text == "ok\nevents lost: 2\n"
    valkey.start()
    assert client.get(f"/o/{sent.opens}.gif").status_code == 200
    assert "events lost" not in capsys.readouterr().out


def test_the_loss_is_counted_where_the_buffer_is_once_it_is_back(
    client: TestClient, sent: Sent, valkey: ValkeyServer, buffer: EventBuffer
) -> None:
    valkey.kill()
    client.get(f"/o/{sent.opens}.gif")
    client.get(f"/c/{sent.clicks}/1")
    valkey.start()
    for _ in range(2):
        client.get(f"/o/{sent.opens}.gif")
        assert buffer.lost() == {sent.mailing_id: 2}
    assert len(buffer.oldest()) == 2


def test_a_server_that_is_back_within_a_second_has_missed_nothing(
    client: TestClient, sent: Sent, valkey: ValkeyServer, buffer: EventBuffer
) -> None:
    client.get(f"/o/{sent.opens}.gif")
    valkey.kill()
    restarting = Thread(target=valkey.start)
    restarting.start()
    client.get(f"/o/{sent.opens}.gif")
    restarting.join()
    assert len(buffer.oldest()) == 2
    assert client.get("/healthz/track").text == "ok\nevents lost: 0\n"


def test_a_reader_waits_a_second_for_a_buffer_that_is_silent_and_the_next_hardly_at_all(
    client: TestClient, sent: Sent, valkey: ValkeyServer, buffer: EventBuffer
) -> None:
    client.get(f"/o/{sent.opens}.gif")
    assert valkey.process.pid is not None
    os.kill(valkey.process.pid, signal.SIGSTOP)
    began = time.monotonic()
    client.get(f"/o/{sent.opens}.gif")
    first = time.monotonic() - began
    client.get(f"/o/{sent.opens}.gif")
    second = time.monotonic() - began - first
    os.kill(valkey.process.pid, signal.SIGCONT)
    assert 0.9 < first < 1.5
    assert second < 0.7
    client.get(f"/o/{sent.opens}.gif")
    assert buffer.lost() == {sent.mailing_id: 2}


def test_no_event_is_lost_where_many_come_at_once(client: TestClient, sent: Sent, buffer: EventBuffer) -> None:
    def visit(number: int) -> None:
        client.get(f"/o/{sent.opens}.gif", headers={"User-Agent": f"reader {number}"})

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(visit, range(200)))
    assert sorted(event.user_agent for event in buffer.oldest()) == sorted(f"reader {n}" for n in range(200))


def test_links_are_known_without_sql_once_they_were_asked_for_anywhere(
    settings: Settings, client: TestClient, sent: Sent, database: Database
) -> None:
    expected = client.get(f"/c/{sent.clicks}/2").headers["location"]
    with database.write() as session:
        session.execute(delete(Link))
    for another in serving(settings):
        assert another.get(f"/c/{sent.clicks}/2").headers["location"] == expected


def test_links_are_known_without_the_buffer(client: TestClient, sent: Sent, valkey: ValkeyServer) -> None:
    valkey.kill()
    assert client.get(f"/c/{sent.clicks}/2").status_code == 302


def test_a_link_that_nobody_can_look_up_is_temporarily_unavailable(
    client: TestClient, sent: Sent, database: Database, valkey: ValkeyServer
) -> None:
    valkey.kill()
    with database.write() as session:
        session.execute(text("ALTER TABLE links RENAME TO away"))
    answer = client.get(f"/c/{sent.clicks}/2")
    assert answer.status_code == 503
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert "links" not in answer.text
