from __future__ import annotations

import os
import smtplib
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from tests.servers.postgres import PostgresServer
from tests.servers.smtp import DROP, SmtpServer
from tests.servers.valkey import ValkeyServer

LETTER = b"Subject: letter\r\n\r\nHello\r\n"

PARENT = """
import time
from tests.servers.postgres import PostgresServer
with PostgresServer() as server:
    print(server._folder, server._server.pid, flush=True)
    time.sleep(60)
"""


@pytest.fixture(scope="module")
def postgres() -> Iterator[PostgresServer]:
    with PostgresServer() as server:
        yield server


@pytest.fixture
def smtp() -> Iterator[SmtpServer]:
    with SmtpServer() as server:
        yield server


def connect(url: str) -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(url.replace("+psycopg", ""))


def send(client: smtplib.SMTP, *to: str, sender: str = "from@example.org") -> None:
    client.sendmail(sender, to, LETTER)


def open_to(server: SmtpServer) -> smtplib.SMTP:
    return smtplib.SMTP(server.host, server.port)


def test_a_database_made_from_a_template_has_its_tables_and_rows(postgres: PostgresServer) -> None:
    template = postgres.create_database()
    with connect(template) as connection:
        connection.execute("CREATE TABLE letters AS SELECT 'é' AS letter")
    copy = postgres.create_database(template)
    with connect(copy) as connection:
        assert connection.execute("SELECT letter FROM letters").fetchall() == [("é",)]


def test_databases_share_nothing(postgres: PostgresServer) -> None:
    with connect(postgres.create_database()) as connection:
        connection.execute("CREATE TABLE mine (id int)")
    with connect(postgres.create_database()) as connection:
        found = connection.execute("SELECT count(*) FROM pg_tables WHERE tablename = 'mine'").fetchone()
        assert found == (0,)


def test_a_dropped_database_is_gone_though_somebody_is_connected(postgres: PostgresServer) -> None:
    url = postgres.create_database()
    connection = connect(url)
    postgres.drop_database(url)
    connection.close()
    with pytest.raises(psycopg.OperationalError, match="does not exist"):
        connect(url)


def test_postgres_speaks_utf8_and_sorts_by_code_point(postgres: PostgresServer) -> None:
    with connect(postgres.url) as connection:
        found = connection.execute("SELECT current_setting('server_encoding'), 'Z' < 'a'").fetchone()
        assert found == ("UTF8", True)


def test_postgres_leaves_nothing_behind() -> None:
    with PostgresServer() as server:
        folder = server._folder
        address = ("127.0.0.1", urlsplit(server.url).port)
        socket.create_connection(address).close()
    assert not folder.exists()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(address)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to become somebody else")
def test_postgres_runs_as_nobody_when_the_tests_run_as_root(postgres: PostgresServer) -> None:
    assert postgres._folder.owner() == "nobody"
    assert (postgres._folder / "data" / "postmaster.pid").owner() == "nobody"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells children that their parent is gone")
def test_postgres_ends_with_a_test_run_that_is_killed() -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        folder, pid = parent.stdout.readline().split()
        parent.kill()
    give_up_at = time.monotonic() + 10
    stat = Path(f"/proc/{pid}/stat")
    while stat.exists() and stat.read_text().rpartition(")")[2].split()[0] != "Z":
        assert time.monotonic() < give_up_at
        time.sleep(0.01)
    subprocess.run(["rm", "-r", folder], check=True)


def test_valkey_keeps_its_data_through_a_kill() -> None:
    with ValkeyServer() as server:
        with redis.Redis(unix_socket_path=str(server.socket), retry=Retry(NoBackoff(), 0)) as client:
            client.set("key", "value")
            client.waitaof(1, 0, 10_000)
            server.kill()
            with pytest.raises(redis.ConnectionError):
                client.ping()
            server.start()
            assert client.get("key") == b"value"
        assert server.url == f"redis+socket://{server.socket}?virtual_host=0"
    assert not server.socket.parent.exists()


def test_smtp_keeps_what_it_was_sent_and_counts_connections(smtp: SmtpServer) -> None:
    with open_to(smtp) as client:
        send(client, "a@example.org", "b@example.org")
    with open_to(smtp) as client:
        send(client, "c@example.org", sender="")
    assert smtp.messages == [
        ("from@example.org", ["a@example.org", "b@example.org"], LETTER),
        ("", ["c@example.org"], LETTER),
    ]
    assert smtp.connections == 2


def test_smtp_refuses_a_recipient_as_scripted_and_takes_the_others(smtp: SmtpServer) -> None:
    smtp.refuse["a@example.org"] = "550 5.1.1 no such user"
    with open_to(smtp) as client:
        refused = client.sendmail("from@example.org", ["a@example.org", "b@example.org"], LETTER)
    assert refused == {"a@example.org": (550, b"5.1.1 no such user")}
    assert [to for _, to, _ in smtp.messages] == [["b@example.org"]]


def test_smtp_refuses_a_sender_and_a_message_as_scripted(smtp: SmtpServer) -> None:
    smtp.refuse_mail["spam@example.org"] = "451 4.7.1 later"
    smtp.refuse_data["a@example.org"] = "554 5.7.1 not this"
    with open_to(smtp) as client:
        with pytest.raises(smtplib.SMTPSenderRefused, match="later"):
            send(client, "b@example.org", sender="spam@example.org")
        with pytest.raises(smtplib.SMTPDataError, match="not this"):
            send(client, "a@example.org")
        send(client, "b@example.org")
    assert [to for _, to, _ in smtp.messages] == [["b@example.org"]]


def test_smtp_hangs_up_after_as_many_messages_as_scripted() -> None:
    with SmtpServer(drop_after=2) as server:
        client = open_to(server)
        send(client, "a@example.org")
        send(client, "a@example.org")
        with pytest.raises(smtplib.SMTPServerDisconnected):
            send(client, "a@example.org")
        with open_to(server) as again:
            send(again, "a@example.org")
        assert (len(server.messages), server.connections) == (3, 2)


@pytest.mark.parametrize(("script", "kept"), [("refuse", 0), ("refuse_data", 1)])
def test_smtp_hangs_up_in_place_of_a_reply(smtp: SmtpServer, script: str, kept: int) -> None:
    getattr(smtp, script)["a@example.org"] = DROP
    client = open_to(smtp)
    with pytest.raises(smtplib.SMTPServerDisconnected):
        send(client, "a@example.org")
    assert len(smtp.messages) == kept


@pytest.mark.parametrize("pipelining", [True, False])
def test_smtp_offers_pipelining_if_told_to(pipelining: bool) -> None:
    with SmtpServer(pipelining=pipelining) as server, open_to(server) as client:
        client.ehlo()
        assert client.has_extn("pipelining") is pipelining


def test_smtp_stops_while_a_client_is_connected() -> None:
    with SmtpServer() as server:
        client = open_to(server)
    client.close()
