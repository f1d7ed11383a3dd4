from __future__ import annotations

import re
from datetime import datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest
from PIL import Image

from newsletter.mail.dkim import DkimKey
from newsletter.rendering.compile import Masthead
from newsletter.rendering.expressions import Fields
from newsletter.rendering.issue_file import read_issue
from newsletter.resources import SAMPLE_ISSUE
from newsletter.sending.message import Addressee, MessageBuilder, Sender
from newsletter.tracking.tokens import Tokens
from tests.factories import BASE_URL, SECRET
from tests.judges import dkim_key, signature_holds

LONG = "Une très longue phrase à propos de rien, " * 6
ISSUES = {
    "the sample": None,
    "plain": "---\ntitle: T\n---\nHello.  Two  spaces, {{ subscriber.ville }}.\n\n    and = code\n",
    "long fields": f"---\ntitle: T\nsubject: '{LONG} {{{{ subscriber.first_name }}}}'\n---\nHello.\n",
    "conditional": (
        "---\ntitle: T\n---\n{% if subscriber.ville == 'Liège' %}\n\nVoisins  de [toujours](https://e.org).\n\n"
        "{% else %}\n\nAmis.\n\n{% endif %}\n"
    ),
}
SENDER = Sender("hebdo", "L’Hebdo", "redaction@hébdo.example", "courrier@hebdo.example", "vendredi", "Du vendredi")
ADA = Addressee(7, "ada@exämple.org", "Ada", "King, Countess", {"ville": "Liège"})


def builder_of(tmp_path: Path, issue: str | None, *dkim: DkimKey) -> MessageBuilder:
    path = SAMPLE_ISSUE
    if issue is not None:
        path = tmp_path / "issue.md"
        path.write_text(issue, encoding="utf-8")
    content = read_issue(path, Fields(frozenset({"ville"}))).compile(Masthead("L’Hebdo", "fr"), BASE_URL)
    return MessageBuilder(3, content, SENDER, BASE_URL, Tokens.of(SECRET.encode()), dkim)


def build(tmp_path: Path, issue: str | None, addressee: Addressee, now: datetime) -> bytes:
    return builder_of(tmp_path, issue).build(addressee, now).data


def parse(raw: bytes) -> EmailMessage:
    return message_from_bytes(raw, _class=EmailMessage, policy=policy.default)


def body(message: EmailMessage, subtype: str) -> str:
    part = message.get_body(preferencelist=(subtype,))
    assert part is not None
    return str(part.get_content())


def test_a_message_carries_every_header_a_bulk_sender_owes(tmp_path: Path, now: datetime) -> None:
    message = parse(build(tmp_path, None, ADA, now))
    assert message.defects == []
    assert message["From"] == "L’Hebdo <redaction@xn--hbdo-bpa.example>"
    assert message["Reply-To"] == "courrier@hebdo.example"
    assert message["To"] == '"Ada King, Countess" <ada@xn--exmple-cua.org>'
    assert message["Date"].datetime == now
    assert message["MIME-Version"] == "1.0"
    assert message["List-Id"] == "Du vendredi <vendredi.hebdo.xn--hbdo-bpa.example>"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert message["Precedence"] == "bulk"
    assert message["Feedback-ID"] == "3:vendredi:hebdo:newsletter"
    assert re.fullmatch(r"<[\w-]{32}@xn--hbdo-bpa\.example>", message["Message-ID"])
    assert message.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]


def test_unsubscribing_has_one_https_and_one_mailto_address_never_encoded(tmp_path: Path, now: datetime) -> None:
    raw = build(tmp_path, None, ADA, now)
    field = re.search(rb"List-Unsubscribe: (.*?)\r\n(?! )", raw, re.DOTALL)
    assert field is not None
    url, mailto = field.group(1).split(b",\r\n ")
    assert re.fullmatch(rb"<https://lettres\.example\.org/u/[\w-]{32}>", url)
    assert re.fullmatch(rb"<mailto:courrier@hebdo\.example\?subject=unsubscribe%20[\w-]{32}>", mailto)


def test_the_bytes_obey_the_limits_of_the_wire(tmp_path: Path, now: datetime) -> None:
    raw = build(tmp_path, None, ADA, now)
    head, _, rest = raw.partition(b"\r\n\r\n")
    assert raw.isascii()
    assert b"\n" not in raw.replace(b"\r\n", b"")
    assert max(map(len, rest.split(b"\r\n"))) <= 76
    assert max(map(len, head.split(b"\r\n"))) <= 200
    assert not re.search(rb"(?m)^\.", raw)


def test_a_message_is_the_same_whenever_it_is_built_for_the_same_delivery(tmp_path: Path, now: datetime) -> None:
    assert build(tmp_path, None, ADA, now) == build(tmp_path, None, ADA, now)


def test_two_recipients_share_no_token(tmp_path: Path, now: datetime) -> None:
    # What follows /m/ names a picture, the same for everyone.
    tokens = [
        set(re.findall(rb"(?<=[/@<])(?<!/m/)[\w-]{32}|[\w-]{32}(?=@)", build(tmp_path, None, addressee, now)))
        for addressee in (ADA, Addressee(8, "blaise@example.org", "", "", {}))
    ]
    assert tokens[0]
    assert tokens[0].isdisjoint(tokens[1])


def test_merge_tags_are_filled_for_each_recipient_in_all_three_places(tmp_path: Path, now: datetime) -> None:
    issue = (
        '---\ntitle: T\nsubject: Bonjour {{ subscriber.first_name | default("à vous") }}\n---\n'
        "De {{ subscriber.ville }}.\n\n{% if subscriber.ville == 'Liège' %}\n\nVoisins.\n\n{% endif %}\n"
    )
    ada = parse(build(tmp_path, issue, ADA, now))
    unknown = parse(build(tmp_path, issue, Addressee(9, "x@example.org", "", "", {}), now))
    assert (ada["Subject"], unknown["Subject"]) == ("Bonjour Ada", "Bonjour à vous")
    for subtype in ("plain", "html"):
        assert "De Liège." in body(ada, subtype)
        assert "Voisins." in body(ada, subtype)
        assert "Voisins." not in body(unknown, subtype)


def test_an_address_with_a_local_part_beyond_ascii_is_written_as_it_is(tmp_path: Path, now: datetime) -> None:
    raw = build(tmp_path, None, Addressee(7, "zoé@exämple.org", "Zoé", "", {}), now)
    assert "To: =?utf-8?B?Wm/DqQ==?= <zoé@xn--exmple-cua.org>\r\n".encode() in raw


@pytest.mark.parametrize("name", ["Ada\r\nBcc: all@example.org", 'Ada" <x@y.z>', "=?utf-8?q?Ada?=", "Ådå 🎉 " * 20])
def test_a_name_can_neither_add_a_header_nor_another_recipient(tmp_path: Path, now: datetime, name: str) -> None:
    addressee = Addressee(7, "ada@example.org", " ".join(name.split()), "", {})
    message = parse(build(tmp_path, None, addressee, now))
    assert message["Bcc"] is None
    assert [address.addr_spec for address in message["To"].addresses] == ["ada@example.org"]


def test_what_a_subscriber_typed_is_never_markup(tmp_path: Path, now: datetime) -> None:
    issue = (
        "---\ntitle: T\n---\nHello {{ subscriber.first_name }} [you](https://e.org/?n={{ subscriber.first_name }})\n"
    )
    nasty = Addressee(7, "ada@example.org", '<b onclick="x">{{ 1 }}</b>', "", {})
    html = body(parse(build(tmp_path, issue, nasty, now)), "html")
    assert "&lt;b onclick=&quot;x&quot;&gt;{{ 1 }}&lt;/b&gt;" in html
    assert 'href="https://e.org/?n=%3Cb%20onclick%3D%22x%22%3E%7B%7B%201%20%7D%7D%3C%2Fb%3E"' in html


@pytest.mark.parametrize("issue", ISSUES)
@pytest.mark.parametrize(
    "addressee",
    [
        ADA,
        Addressee(8, "zoé@exämple.org", f"Zoé {LONG}".strip(), "", {"ville": "a  b\n\n.c " * 20}),
        Addressee(9, "x@example.org", "", "", {}),
    ],
)
def test_a_judge_finds_every_signature_good_and_a_changed_message_bad(
    tmp_path: Path, now: datetime, issue: str, addressee: Addressee
) -> None:
    keys = [dkim_key(kind, "xn--hbdo-bpa.example") for kind in ("rsa", "ed25519")]
    raw = builder_of(tmp_path, ISSUES[issue], *keys).build(addressee, now).data
    assert raw.startswith(b"DKIM-Signature: v=1; a=rsa-sha256;")
    middle = len(raw) - 2000
    changed = raw[:middle] + bytes([raw[middle] ^ 1]) + raw[middle + 1 :]
    for number in (0, 1):
        assert signature_holds(raw, number)
        assert not signature_holds(changed, number)
    assert not signature_holds(raw, 2)


def test_every_field_that_a_receiver_judges_by_is_signed(tmp_path: Path, now: datetime) -> None:
    raw = builder_of(tmp_path, None, dkim_key("ed25519", "hebdo.example")).build(ADA, now).data
    signature = parse(raw)["DKIM-Signature"]
    names = re.search(r"\bh=([^;]*);", signature)
    assert names is not None
    assert sorted(re.split(r":\s*", names[1])) == [
        *("content-type", "date", "from", "from", "list-id", "list-unsubscribe", "list-unsubscribe-post"),
        *("message-id", "mime-version", "reply-to", "subject", "subject", "to"),
    ]


def test_a_builder_without_keys_signs_nothing(tmp_path: Path, now: datetime) -> None:
    assert b"DKIM-Signature" not in build(tmp_path, None, ADA, now)


def test_a_builder_gives_each_recipient_their_own_words_however_often_it_has_built(
    tmp_path: Path, now: datetime
) -> None:
    issue = "---\ntitle: T\nsubject: '{{ subscriber.first_name }}'\n---\n{{ subscriber.first_name | d('vous') }}\n"
    builder = builder_of(tmp_path, issue)
    for first_name in ("Zoé", "", "<b>", "Zoé"):
        message = parse(builder.build(ADA._replace(first_name=first_name), now).data)
        assert message["Subject"] == first_name
        assert body(message, "plain").count(f"\n{first_name or 'vous'}\r\n".replace("\n", "\r\n", 1)) == 1


def test_pictures_travel_inside_the_message_where_the_issue_says_so(tmp_path: Path, now: datetime) -> None:
    Image.new("RGB", (30, 20)).save(tmp_path / "a.png")
    issue = "---\ntitle: T\nembed: cid\n---\nHello.\n\n![a](a.png)\n\n![again](a.png)\n"
    raw = builder_of(tmp_path, issue, dkim_key("rsa", "xn--hbdo-bpa.example")).build(ADA, now).data
    message = parse(raw)
    assert signature_holds(raw)
    assert message.defects == []
    text, related = message.iter_parts()
    assert [text.get_content_type(), related.get_content_type()] == ["text/plain", "multipart/related"]
    html, picture = related.iter_parts()
    assert [part.defects for part in (text, related, html, picture)] == [[], [], [], []]
    assert picture.get_content() == (tmp_path / "a.png").read_bytes()
    assert picture["Content-Disposition"] == "inline"
    shown = re.findall(r'src="(cid:[^"]+)"', html.get_content())
    assert shown == [f"cid:{picture['Content-ID'].strip('<>')}"] * 2
    assert "/m/" not in body(message, "html")
