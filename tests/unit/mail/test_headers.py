from __future__ import annotations

import re
from collections.abc import Callable
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.headerregistry import AddressHeader
from email.message import EmailMessage
from email.utils import parseaddr

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.errors import InputError
from newsletter.mail import headers, message

# What can stand in a header of ours: one line, and nothing a terminal would take for a command.
words = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), max_size=150)
ASCII = [chr(code) for code in range(32, 127)]


def parsed(*fields: str) -> EmailMessage:
    raw = "".join(fields) + "\r\nBody.\r\n"
    read = message_from_bytes(raw.encode("ascii"), _class=EmailMessage, policy=policy.default)
    assert read.get_content() == "Body.\r\n"
    return read


def lines(field: str) -> list[str]:
    """The lines of a field, each of which must be what a line of a header may be."""
    assert field.endswith("\r\n")
    assert field.isascii()
    assert "\r" not in field.replace("\r\n", "")
    assert "\n" not in field.replace("\r\n", "")
    first, *more = field[:-2].split("\r\n")
    assert not first.startswith(" ")
    assert all(line.startswith(" ") and line.strip() for line in more)
    return [first, *more]


@settings(deadline=None)
@given(words)
def test_any_subject_decodes_to_itself(subject: str) -> None:
    field = headers.field("Subject", headers.text(subject))
    widest = 76 if "=?" in field else 78
    assert all(len(line) <= widest for line in lines(field))
    value = field.removeprefix("Subject: ").replace("\r\n", "")
    assert str(make_header(decode_header(value))) == subject


@settings(deadline=None)
@given(words.map(str.strip).filter(bool))
def test_a_mail_program_shows_any_subject_as_it_was(subject: str) -> None:
    assert parsed(headers.field("Subject", headers.text(subject)))["Subject"] == subject


@settings(deadline=None)
@given(st.text(ASCII, max_size=200))
def test_a_plain_subject_is_never_wider_than_a_line_may_be(subject: str) -> None:
    assert all(len(line) <= 78 for line in lines(headers.field("Subject", headers.text(subject))))


def test_a_plain_subject_stays_as_it_is() -> None:
    assert headers.field("Subject", headers.text("No. 56: two days left")) == "Subject: No. 56: two days left\r\n"


def test_a_long_plain_subject_is_folded_at_its_spaces() -> None:
    field = headers.field("Subject", headers.text("word " * 30 + "end"))
    assert len(lines(field)) == 3
    assert field.replace("\r\n", "") == "Subject: " + "word " * 30 + "end"


@pytest.mark.parametrize("subject", ["x" * 1200, "a  b", " a", "=?utf-8?q?a?=", "a\tb", "\x07", "N°\u00a056"])
def test_a_subject_that_would_suffer_is_encoded(subject: str) -> None:
    assert headers.text(subject).startswith("=?utf-8?B?")
    assert str(make_header(decode_header(headers.text(subject)))) == subject


def test_characters_are_never_cut_in_two() -> None:
    for word in headers.text("é€😀" * 40).split(" "):
        assert len(word) <= 75
        str(make_header(decode_header(word)))


WRITERS: dict[str, Callable[[str], str]] = {
    "field": lambda value: headers.field("Subject", value),
    "text": headers.text,
    "encoded text": lambda value: headers.text(f"é{value}"),
    "list": lambda value: headers.one_a_line("List-Unsubscribe", [value]),
    "name": lambda value: headers.mailbox(value, "a@example.org"),
    "address": lambda value: headers.mailbox("A", value),
}


@pytest.mark.parametrize("line_break", ["\r\n", "\n", "\r", "\x00"])
@pytest.mark.parametrize("place", ["{}a", "a{}Bcc: all@example.org", "a{}"])
@pytest.mark.parametrize("writer", WRITERS)
def test_a_line_break_is_refused_everywhere(writer: str, place: str, line_break: str) -> None:
    with pytest.raises(InputError, match="line break") as caught:
        WRITERS[writer](place.format(line_break))
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("writer", ["field", "list"])
def test_what_is_not_ascii_is_refused_where_it_cannot_be_encoded(writer: str) -> None:
    with pytest.raises(InputError, match="need encoding"):
        WRITERS[writer]("é@example.org")


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("", "ada@example.org"),
        ("Ada King", "Ada King <ada@example.org>"),
        ("King, Ada", '"King, Ada" <ada@example.org>'),
        ("Dr. Ada", '"Dr. Ada" <ada@example.org>'),
        ('Ada "A" \\ King', '"Ada \\"A\\" \\\\ King" <ada@example.org>'),
        ("ada@example.org", '"ada@example.org" <ada@example.org>'),
        ("L’Hebdo", "=?utf-8?B?TOKAmUhlYmRv?= <ada@example.org>"),
        ("=?utf-8?q?a?=", "=?utf-8?B?PT91dGYtOD9xP2E/PQ==?= <ada@example.org>"),
    ],
)
def test_a_display_name_is_plain_quoted_or_encoded_as_it_needs(name: str, written: str) -> None:
    assert headers.mailbox(name, "ada@example.org") == written


@settings(deadline=None)
@given(words.map(lambda name: " ".join(name.split())))
def test_a_mail_program_reads_any_display_name_and_one_address(name: str) -> None:
    field = headers.field("To", headers.mailbox(name, "ada@example.org"))
    lines(field)
    to = parsed(field)["To"]
    assert isinstance(to, AddressHeader)
    [address] = to.addresses
    assert address.addr_spec == "ada@example.org"
    # Not `display_name`: Python keeps the spaces between encoded words here (RFC 2047 section 6.2 drops them).
    shown, _ = parseaddr(field.removeprefix("To: ").replace("\r\n", ""))
    assert str(make_header(decode_header(shown))) == name


@settings(deadline=None)
@given(words.filter(lambda name: bool(name.strip())))
def test_lines_with_encoded_words_are_never_wider_than_76(name: str) -> None:
    field = headers.field("Reply-To", headers.mailbox(f"é{name}", "redaction-du-vendredi@lettres.example.org"))
    assert all(len(line) <= 76 for line in lines(field) if "=?" in line)


def test_the_addresses_that_unsubscribe_stay_whole_however_long() -> None:
    url, mailto = f"https://lettres.example.org/u/{'t' * 300}", f"mailto:a@example.org?subject={'u' * 300}"
    field = message.list_unsubscribe(url, mailto)
    assert field == f"List-Unsubscribe: <{url}>,\r\n <{mailto}>\r\n"
    read = parsed(field, message.ONE_CLICK)
    assert re.sub(r"\s", "", str(read["List-Unsubscribe"])) == f"<{url}>,<{mailto}>"
    assert read["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_a_whole_message_is_read_back_without_a_defect() -> None:
    boundary = "part-1"
    raw = "".join(
        (
            headers.field("From", headers.mailbox("L’Hebdo, du vendredi", "a@example.org")),
            headers.field("To", headers.mailbox("Ada", "ada@example.org")),
            headers.field("Subject", headers.text("Été\u00a0: " + "longue " * 30)),
            message.MIME_VERSION,
            message.list_unsubscribe("https://e.org/u/x", "mailto:a@example.org"),
            message.ONE_CLICK,
            message.alternative_content_type(boundary),
            "\r\n",
            message.part_head(boundary, "plain"),
            "Un =C3=A9t=C3=A9.\r\n\r\n",
            message.part_head(boundary, "html"),
            "<p>Un</p>\r\n\r\n",
            message.end(boundary),
        )
    )
    read = message_from_bytes(raw.encode("ascii"), _class=EmailMessage, policy=policy.default)
    assert read.defects == []
    assert read["From"].addresses[0].display_name == "L’Hebdo, du vendredi"
    assert read["Subject"].strip() == "Été\u00a0: " + ("longue " * 30).strip()
    parts = list(read.iter_parts())
    assert [part.get_content_type() for part in parts] == ["text/plain", "text/html"]
    contents = [part.get_content() for part in parts if isinstance(part, EmailMessage)]
    assert contents == ["Un été.\r\n", "<p>Un</p>\r\n"]


def test_only_words_that_need_it_are_encoded_so_that_a_name_stays_whole_in_any_reader() -> None:
    written = headers.field("From", headers.mailbox("Quoi de neuf cette semaine\N{NO-BREAK SPACE}?", "a@example.org"))
    assert written.startswith("From: Quoi de neuf cette =?utf-8?B?")
    assert written.count("=?utf-8") == 1
    parsed = message_from_bytes(f"{written}\r\n".encode(), policy=policy.default)
    assert parsed["From"] == "Quoi de neuf cette semaine\N{NO-BREAK SPACE}? <a@example.org>"
