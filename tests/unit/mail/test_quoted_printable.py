from __future__ import annotations

import quopri
import re
from email import message_from_bytes, policy
from itertools import cycle

import pytest
from dkim.canonicalization import Relaxed
from hypothesis import example, given, settings
from hypothesis import strategies as st

from newsletter.mail.quoted_printable import MAX_LINE, encode_text, encode_value

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=300)
pieces = st.lists(st.one_of(texts, st.text("a .=\t\r\né", max_size=200)), max_size=6)


def encoded(pieces: list[str]) -> str:
    """Text and values in turn, as a message joins them."""
    return "".join(encode(piece) for encode, piece in zip(cycle((encode_text, encode_value)), pieces, strict=False))


def lines_of(text: str) -> str:
    return re.sub(r"\r\n|\r|\n", "\r\n", text)


@settings(deadline=None)
@given(pieces)
@example(["a" * 75, "b" * 75, "." * 200])
@example(["a ", " b", " "])
@example(["\r", "\n", "\n\r"])
def test_any_text_cut_anywhere_decodes_to_itself(pieces: list[str]) -> None:
    expected = "".join(map(lines_of, pieces))
    assert quopri.decodestring(encoded(pieces).encode("ascii")).decode("utf-8") == expected


@settings(deadline=None)
@given(pieces)
def test_what_is_encoded_obeys_every_limit_of_the_wire(pieces: list[str]) -> None:
    text = encoded(pieces)
    assert text.isascii()
    assert "\r" not in text.replace("\r\n", "")
    assert "\n" not in text.replace("\r\n", "")
    lines = text.split("\r\n")
    assert lines.pop() == ""
    assert all(len(line) <= MAX_LINE for line in lines)
    assert not any(line.startswith(".") or line.endswith((" ", "\t")) for line in lines)


@settings(deadline=None)
@given(pieces)
def test_what_is_encoded_is_its_own_relaxed_form_so_that_signing_has_nothing_to_canonicalise(
    pieces: list[str],
) -> None:
    body = f"{encoded(pieces)}--end--\r\n".encode("ascii")
    assert Relaxed.canonicalize_body(body) == body


@settings(deadline=None)
@given(pieces)
def test_a_mail_program_reads_what_was_written(pieces: list[str]) -> None:
    head = "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
    message = message_from_bytes((head + encoded(pieces)).encode("ascii"), policy=policy.SMTP)
    assert message.defects == []
    payload = message.get_payload(decode=True)
    assert isinstance(payload, bytes)
    assert payload.decode("utf-8") == "".join(map(lines_of, pieces))


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("", ""),
        ("a", "a=\r\n"),
        ("a\n", "a\r\n"),
        ("a=b", "a=3Db=\r\n"),
        ("é", "=C3=A9=\r\n"),
        (".", "=2E=\r\n"),
        ("a\n.\nb.", "a\r\n=2E\r\nb.=\r\n"),
        ("a \nb\t\n", "a=20\r\nb=09\r\n"),
        ("a  b", "a =20b=\r\n"),
        ("a   b ", "a =20=20b=20=\r\n"),
        ("  a", " =20a=\r\n"),
        ("a" * 75, "a" * 75 + "=\r\n"),
        ("a" * 76, "a" * 75 + "=\r\na=\r\n"),
        ("a" * 74 + "é", "a" * 74 + "=\r\n=C3=A9=\r\n"),
        ("a" * 75 + ".", "a" * 75 + "=\r\n=2E=\r\n"),
    ],
)
def test_text_is_written_line_by_line(text: str, written: str) -> None:
    assert encode_text(text) == written
    assert encode_value(text) == written


@settings(deadline=None)
@given(texts)
def test_a_value_is_written_as_text_is(value: str) -> None:
    assert encode_value(value) == encode_text(value)
