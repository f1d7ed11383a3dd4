"""`make bench-render`: one recipient's message, beside the way most programs make it; and what signing it costs.

The naive way renders both parts with Jinja for every recipient and hands them to `email.message.EmailMessage`. The
naive way to sign canonicalises and hashes every message as a whole, as dkimpy does.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from email.message import EmailMessage
from email.policy import SMTP
from hashlib import sha256
from html import escape
from itertools import cycle
from urllib.parse import quote

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from dkim.canonicalization import Relaxed
from jinja2 import Environment

from newsletter.clock import utc_now
from newsletter.mail.dkim import DkimKey, DkimSigner, PrivateKey
from newsletter.rendering.compile import Masthead, compile_issue
from newsletter.rendering.content import Content
from newsletter.rendering.document import read_document
from newsletter.rendering.issue_file import IssueFile, read_issue
from newsletter.rendering.template import Template, Value, Variable
from newsletter.resources import SAMPLE_ISSUE
from newsletter.sending.message import Addressee, MessageBuilder, Sender
from newsletter.tracking.tokens import Tokens
from tests.bench.figures import Figure, cpu_seconds_a_call, report

BASE_URL = "https://letters.example.org"
MASTHEAD = Masthead("The Weekly", "fr", "1 Main Street")
SENDER = Sender("weekly", MASTHEAD.name, "editor@example.org", None, "friday", "Friday letter")
TOKENS = Tokens.of(b"a key that only the benchmark uses, 012345")
# Half of them need encoding, and no two have the same name and address.
FIRST_NAMES = ("Ada", "Zoé", "Marc", "Anne-Sophie", "Noël", "Ines", "Éric", "Chloé", "Hugo", "Loïc")
READERS = [
    Addressee(number, f"reader{number}@example.org", FIRST_NAMES[number % 10], f"Dupont {number}", {"ville": "Liège"})
    for number in range(1, 2001)
]
SECTIONS, LINKS = 2, 20
MICRO = 1e6
MILLI = 1e3
SPEEDUP_BAR, HASH_SAVING_BAR, MERGE_BAR = 20, 5, 40
COMPILE_BAR = 15


def main(arguments: list[str]) -> None:
    calls = 300 if "--quick" in arguments else 2000
    content = read_issue(SAMPLE_ISSUE).compile(MASTHEAD, BASE_URL)
    whole = _cost(content, calls, "the sample issue")
    short = _short_issue()
    merged = _cost(short, calls, f"{SECTIONS} of its sections and {LINKS} links")
    slow = _naive_cost(short, max(calls // 20, 1))
    keys: dict[str, PrivateKey] = {
        "rsa": generate_private_key(65537, 2048),
        "ed25519": Ed25519PrivateKey.generate(),
    }
    for name, private_key in keys.items():
        signed = _cost(content, calls // 2, f"the sample issue, {name}", DkimKey("example.org", "s", private_key))
        print(f"dkim_{name}_cost {(signed - whole) * MICRO:.0f} us")
    report(
        [
            _compile_figure(max(calls // 40, 5)),
            Figure("merge_speedup", slow / merged, "times", SPEEDUP_BAR),
            Figure("merge", merged * MICRO, "us of CPU", MERGE_BAR, at_most=True),
            Figure("dkim_hash_saving", _hash_saving(content, calls), "times", HASH_SAVING_BAR),
        ]
    )


def _compile_figure(calls: int) -> Figure:
    """From Markdown to a message that lacks nothing but its reader; its pictures are read before."""
    source, pictures, now = SAMPLE_ISSUE.read_text(encoding="utf-8"), read_issue(SAMPLE_ISSUE).pictures, utc_now()

    def compile_whole() -> None:
        issue = IssueFile(SAMPLE_ISSUE, source, read_document(source, SAMPLE_ISSUE.name), pictures)
        content = issue.compile(MASTHEAD, BASE_URL)
        MessageBuilder(1, content, SENDER, BASE_URL, TOKENS, ()).build(READERS[0], now)

    ours = cpu_seconds_a_call(compile_whole, calls)
    return Figure("compile", ours * MILLI, "ms of CPU", COMPILE_BAR, at_most=True)


def _naive_cost(content: Content, calls: int) -> float:
    """CPU seconds for one recipient's message made the way most programs do."""
    naive, readers = naive_messages(content), cycle(READERS)
    seconds = cpu_seconds_a_call(lambda: naive(next(readers)).as_bytes(), calls)
    print(f"the naive way: {seconds * MICRO:.0f} us")
    return seconds


def _short_issue() -> Content:
    """The sample's first sections, with as many links as a weekly has."""
    source = "\n## ".join(SAMPLE_ISSUE.read_text(encoding="utf-8").split("\n## ")[: SECTIONS + 1])
    numbers = range(source.count("](https://"), LINKS)
    links = "".join(f"- [Lien {number}](https://example.org/{number})\n" for number in numbers)
    document = read_document(f"{source}\n## Liens\n\n{links}", SAMPLE_ISSUE.name)
    return compile_issue(document, MASTHEAD, base_url=BASE_URL, pictures={})


def _cost(content: Content, calls: int, what: str, *dkim: DkimKey) -> float:
    """CPU seconds for one recipient's message."""
    builder = MessageBuilder(1, content, SENDER, BASE_URL, TOKENS, dkim)
    readers, now = cycle(READERS), utc_now()
    seconds = cpu_seconds_a_call(lambda: builder.build(next(readers), now), calls)
    print(f"{what}: {len(builder.build(READERS[0], now).data):,} bytes, {seconds * MICRO:.1f} us of CPU a message")
    return seconds


def _hash_saving(content: Content, calls: int) -> float:
    """How much longer it takes to canonicalise and hash a message as a whole than what is left to do for each."""
    builder, now = MessageBuilder(1, content, SENDER, BASE_URL, TOKENS), utc_now()
    (head, body), (other_head, other_body) = (_parted(builder.build(reader, now).data) for reader in READERS[:2])
    fixed, varying = ([one for one in head if (one in other_head) is same] for same in (True, False))
    names = [one.partition(b":")[0].decode() for one in varying]
    start = next(place for place, pair in enumerate(zip(body, other_body, strict=False)) if len(set(pair)) == 2)
    signer = DkimSigner([], fixed, names, body[:start])

    def naive() -> None:
        sha256(Relaxed.canonicalize_body(body))
        fields = [(name, value) for name, _, value in (one.partition(b":") for one in head)]
        sha256(b"".join(name + b":" + value for name, value in Relaxed.canonicalize_headers(fields)))

    slow = cpu_seconds_a_call(naive, calls // 10)
    fast = cpu_seconds_a_call(lambda: signer.sign(varying, body, 0), calls)
    print(f"canonicalising and hashing: {fast * MICRO:.1f} us; the naive way: {slow * MICRO:.1f} us")
    return slow / fast


def _parted(message: bytes) -> tuple[list[bytes], bytes]:
    """The header fields and the body."""
    head, _, body = message.partition(b"\r\n\r\n")
    return [f"{field}\r\n".encode() for field in re.split(r"\r\n(?! )", head.decode())], body


def naive_messages(content: Content) -> Callable[[Addressee], EmailMessage]:
    """What makes a recipient's message the way most programs do."""
    environment = Environment(autoescape=False)
    environment.filters |= {"e_html": escape, "e_url": quote}
    html, text = (environment.from_string(_jinja(part)) for part in (content.html, content.text))

    def make(reader: Addressee) -> EmailMessage:
        opened, click, unsubscribe, message_id = TOKENS.seal(1, reader.delivery_id)
        context = {
            "subscriber": reader.fields(),
            "open_token": opened,
            "click_token": click,
            "unsubscribe_token": unsubscribe,
        }
        message = EmailMessage(SMTP)
        message["From"], message["To"] = f"{SENDER.name} <{SENDER.from_email}>", f"{reader.name} <{reader.email}>"
        message["Subject"] = "N° 56"
        message["Message-ID"] = f"<{message_id}@example.org>"
        message.set_content(text.render(context))
        message.add_alternative(html.render(context), subtype="html")
        return message

    return make


def _jinja(template: Template) -> str:
    """The template as an ordinary one."""
    pieces = []
    for part in template:
        match part:
            case Value(expression, escape_for):
                pieces.append(f"{{{{ {expression} | e_{'url' if 'url' in escape_for else 'html'} }}}}")
            case Variable(name):
                pieces.append(f"{{{{ {name} }}}}")
            case str():
                pieces.append(part.replace("{{", "{ {").replace("{%", "{ %").replace("{#", "{ #"))
    return "".join(pieces)


if __name__ == "__main__":
    main(sys.argv[1:])
