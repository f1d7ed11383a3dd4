"""Whatever comes in by mail was written by somebody else."""

from __future__ import annotations

from time import process_time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.feedback.mime import MAX_BYTES
from newsletter.feedback.read import read
from newsletter.feedback.signal import Kind, Signal
from tests.unit.feedback.letters import READER, attached, feedback, letter, report

WHOLE = [
    report(f"Final-Recipient: rfc822; {READER}\nAction: failed\nStatus: 5.1.1"),
    attached(f"<{READER}>: 550 5.1.1 no such user"),
    feedback(f"Feedback-Type: abuse\nOriginal-Rcpt-To: {READER}"),
    letter(f"<{READER}>: 550 no", content_type="text/plain; charset=utf-8", content_transfer_encoding="base64"),
    letter("<p>x</p>", subject="=?utf-8?b?w6k=?= undelivered", content_type="text/html; charset=x"),
]
LINES = [line for data in WHOLE for line in data.splitlines(keepends=True)]


@settings(deadline=None)
@given(st.binary(max_size=2000))
def test_any_bytes_are_read(data: bytes) -> None:
    assert all(isinstance(signal, Signal) for signal in read(data))


@settings(deadline=None, max_examples=300)
@given(st.lists(st.one_of(st.sampled_from(LINES), st.binary(max_size=40)), max_size=60))
def test_any_mixture_of_reports_is_read(lines: list[bytes]) -> None:
    for signal in read(b"".join(lines)):
        assert "\n" not in signal.address + signal.words + signal.status
        assert signal.when is None or signal.when.tzinfo is not None


@settings(deadline=None, max_examples=200)
@given(st.sampled_from(WHOLE), st.data())
def test_a_report_cut_or_spoilt_anywhere_is_read(whole: bytes, draws: st.DataObject) -> None:
    place = draws.draw(st.integers(0, len(whole)))
    read(whole[:place])
    read(whole[:place] + draws.draw(st.binary(min_size=1, max_size=3)) + whole[place + 1 :])


@pytest.mark.parametrize(
    "header",
    [
        "Subject: =?utf-8?b?!!!?= =?nothing?q?x?= =?utf-8?",
        "Date: Fri, 99 Mar 99999 99:99:99 +9999",
        "Date: Thu, 01 Jan 0001 00:00:00 +2359",
        "Content-Type: multipart/report",
        'Content-Type: multipart/report; boundary=""',
        'Content-Type: multipart/report; boundary="(.*+?[",',
        "Content-Type: text/plain; charset=rot13",
        "Content-Type: text/plain; charset=hex",
        "Content-Type: text/plain; charset=idna",
        "Content-Type: text/plain; charset=undefined",
        "Content-Transfer-Encoding: base64",
        ": no name",
        "X-Failed-Recipients: ,,;",
    ],
)
def test_headers_that_mean_nothing_break_nothing(header: str) -> None:
    read(f"From: MAILER-DAEMON@mx.example\n{header}\n\n<{READER}>: 550 no such user\n\x00\xff".encode("latin-1"))


def test_nul_bytes_hide_nothing() -> None:
    (signal,) = read(WHOLE[1].replace(b"550", b"\0 550 \0"))
    assert (signal.kind, signal.address) == (Kind.BOUNCE, READER)


def test_parts_within_parts_end_somewhere() -> None:
    opened = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(2000))
    assert read(b"From: MAILER-DAEMON@mx.example\n" + opened) == []


@pytest.mark.parametrize(
    "filler",
    [
        b"x" * 100,
        b"a@b." * 25,
        b"\n" * 100,
        b"<" * 100,
        b"host " * 20,
        b"Final-Recipient: rfc822; ada@reader.example\n" * 3,
        b"--=_part\n" * 10,
        b"mail " * 20 + b"user " * 20,
        "получател".encode() * 5,
    ],
    ids=lambda filler: filler[:12].decode(errors="ignore").strip() or "lines",
)
def test_what_is_huge_takes_no_longer_than_its_first_mebibyte_deserves(filler: bytes) -> None:
    whole = attached("It was not delivered.")
    huge = whole.replace(
        b"It was not delivered.", b"It was not delivered.\n" + filler * (4 * MAX_BYTES // len(filler))
    )
    started = process_time()
    read(huge)
    assert process_time() - started < 5


@pytest.mark.parametrize("filler", [b"<style>", b"<a", b"<a ", b"<!--", b"&lt;", b"<br>", b"=?utf-8?q?x?= "])
def test_markup_and_headers_that_never_end_take_no_longer(filler: bytes) -> None:
    many = filler * (2 * MAX_BYTES // len(filler))
    started = process_time()
    read(letter("", content_type="text/html") + many)
    read(b"From: MAILER-DAEMON@mx.example\nSubject: " + many + b"\n\nIt failed.")
    assert process_time() - started < 5


def test_a_report_before_a_huge_message_is_read_whole() -> None:
    (signal,) = read(WHOLE[0] + b"x" * (4 * MAX_BYTES))
    assert signal.address == READER
