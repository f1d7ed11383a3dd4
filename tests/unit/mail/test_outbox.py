from __future__ import annotations

import json
import signal
import smtplib
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from newsletter.errors import NotFoundError
from newsletter.mail.outbox import Outbox

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
MESSAGE = b"Subject: Une idee\r\n\r\n.point au debut\r\nsoixante euros: 60 \xe2\x82\xac\r\n"


@contextmanager
def served(directory: Path, port: int = 0) -> Iterator[tuple[subprocess.Popen[str], int]]:
    arguments = [sys.executable, "-m", "newsletter.mail.outbox", str(directory), "127.0.0.1", str(port)]
    pipe = subprocess.PIPE
    with subprocess.Popen(arguments, stdout=pipe, stderr=pipe, text=True) as process:
        assert process.stdout is not None
        try:
            yield process, int(process.stdout.readline().rpartition(":")[2] or 0)
        finally:
            process.terminate()


def test_a_message_sent_to_it_is_kept_byte_for_byte_beside_its_envelope(tmp_path: Path) -> None:
    before = datetime.now(UTC)
    with served(tmp_path) as (_, port), smtplib.SMTP("127.0.0.1", port) as client:
        client.sendmail("from@example.org", ["a@example.org", "b@example.org"], MESSAGE, ["BODY=8BITMIME"])
    [kept] = Outbox(tmp_path).messages()
    assert kept.raw == MESSAGE
    assert (kept.mail_from, kept.rcpt_to) == ("from@example.org", ("a@example.org", "b@example.org"))
    assert before <= kept.received_at <= datetime.now(UTC)
    assert sorted(path.name for path in tmp_path.rglob("*.*")) == ["00000001.eml", "00000001.json"]


def test_it_tells_senders_what_it_takes(tmp_path: Path) -> None:
    with served(tmp_path) as (_, port), smtplib.SMTP("127.0.0.1", port) as client:
        client.ehlo()
        assert {"8bitmime", "smtputf8", "pipelining", "size"} <= set(client.esmtp_features)


def test_an_address_may_hold_any_letter(tmp_path: Path) -> None:
    with served(tmp_path) as (_, port), smtplib.SMTP("127.0.0.1", port) as client:
        client.sendmail("rédaction@exemple.be", ["zoé@exemple.be"], MESSAGE, ["SMTPUTF8", "BODY=8BITMIME"])
    assert Outbox(tmp_path).get(1).rcpt_to == ("zoé@exemple.be",)


def test_messages_sent_without_waiting_for_replies_are_kept_apart_and_whole(tmp_path: Path) -> None:
    bodies = [b"", b"..\r\n.\r\n", b"a" * 2_000_000 + b"\r\n", b"last\r\n"]
    envelope = b"MAIL FROM:<from@example.org>\r\nRCPT TO:<a@example.org>\r\nDATA\r\n"
    with served(tmp_path) as (_, port), socket.create_connection(("127.0.0.1", port), 10) as client:
        client.sendall(b"EHLO here\r\n")
        for body in bodies:
            stuffed = (b"\r\n" + body).replace(b"\r\n.", b"\r\n..")[2:]
            client.sendall(envelope + stuffed + b".\r\n")
        client.sendall(b"QUIT\r\n")
        replies = client.makefile("rb").read()
    assert replies.count(b"250 2.0.0 kept as") == len(bodies)
    assert [kept.raw for kept in Outbox(tmp_path).messages()] == bodies


def test_a_client_that_leaves_in_the_middle_of_a_message_leaves_none(tmp_path: Path) -> None:
    with served(tmp_path) as (process, port):
        client = smtplib.SMTP("127.0.0.1", port)
        client.ehlo()
        client.mail("from@example.org")
        client.rcpt("a@example.org")
        client.docmd("DATA")
        client.send(b"Subject: half\r\n")
        client.close()
        with smtplib.SMTP("127.0.0.1", port) as another:
            another.sendmail("from@example.org", ["a@example.org"], MESSAGE)
        process.terminate()
        assert process.stderr is not None
        assert process.stderr.read() == ""
    assert [kept.raw for kept in Outbox(tmp_path).messages()] == [MESSAGE]


def test_a_bounce_has_an_empty_sender(tmp_path: Path) -> None:
    with served(tmp_path) as (_, port), smtplib.SMTP("127.0.0.1", port) as client:
        client.sendmail("", ["a@example.org"], MESSAGE)
    assert Outbox(tmp_path).get(1).mail_from == ""


def test_numbers_go_on_after_a_restart(tmp_path: Path) -> None:
    for _ in range(2):
        with served(tmp_path) as (_, port), smtplib.SMTP("127.0.0.1", port) as client:
            client.sendmail("from@example.org", ["a@example.org"], MESSAGE)
            client.sendmail("from@example.org", ["a@example.org"], MESSAGE)
    assert [kept.number for kept in Outbox(tmp_path).messages()] == [1, 2, 3, 4]


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_without_a_word_though_a_client_is_connected(tmp_path: Path, signum: signal.Signals) -> None:
    with served(tmp_path) as (process, port), smtplib.SMTP("127.0.0.1", port) as client:
        client.ehlo()
        process.send_signal(signum)
        assert process.wait(10) == 0
        assert process.stderr is not None
        assert process.stderr.read() == ""
        client.close()


def test_a_busy_port_is_told_in_one_line(tmp_path: Path) -> None:
    with served(tmp_path) as (_, port), served(tmp_path, port) as (second, _):
        assert second.wait(10) == 2
        assert second.stderr is not None
        assert second.stderr.read() == (
            f"outbox: cannot listen on 127.0.0.1:{port} (Address already in use): "
            "stop what uses it or choose another host and port\n"
        )


@pytest.mark.parametrize("arguments", [[], ["dir", "localhost", "smtp"], ["dir", "localhost", "99999"]])
def test_wrong_arguments_are_answered_with_the_usage(arguments: list[str]) -> None:
    command = [sys.executable, "-m", "newsletter.mail.outbox", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (2, "usage: python -m newsletter.mail.outbox DIR HOST PORT\n")


def test_messages_are_listed_in_the_order_they_came(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path)
    for number in range(1, 13):
        assert outbox.keep("from@example.org", [f"{number}@example.org"], b"x", NOON) == number
    assert [kept.rcpt_to for kept in outbox.messages()] == [(f"{n}@example.org",) for n in range(1, 13)]
    assert outbox.count() == 12


def test_the_envelope_is_readable_json_in_utc(tmp_path: Path) -> None:
    Outbox(tmp_path).keep("from@example.org", ["a@example.org"], b"x", NOON)
    assert json.loads((tmp_path / "new" / "00000001.json").read_text()) == {
        "mail_from": "from@example.org",
        "rcpt_to": ["a@example.org"],
        "received_at": "2026-03-04T12:00:00+00:00",
    }


def test_a_message_that_was_not_finished_is_not_listed_and_its_number_not_used_again(tmp_path: Path) -> None:
    Outbox(tmp_path).keep("from@example.org", ["a@example.org"], b"whole", NOON)
    (tmp_path / "new" / "00000002.json").write_text("{")
    (tmp_path / "tmp" / "00000002.eml").write_text("ha")
    outbox = Outbox(tmp_path)
    assert outbox.count() == 1
    assert outbox.keep("from@example.org", ["a@example.org"], b"next", NOON) == 3
    assert [kept.raw for kept in outbox.messages()] == [b"whole", b"next"]


def test_an_outbox_nobody_wrote_to_is_empty(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "nowhere")
    assert (outbox.messages(), outbox.count()) == ([], 0)
    with pytest.raises(NotFoundError, match="no message 7"):
        outbox.get(7)
