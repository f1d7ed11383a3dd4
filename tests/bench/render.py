"""`make bench-render`: one recipient's message, beside the way most programs make it.

The naive way renders both parts with Jinja for every recipient and hands them to `email.message.EmailMessage`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from email.message import EmailMessage
from email.policy import SMTP
from html import escape
from urllib.parse import quote

from jinja2 import Environment

from newsletter.clock import utc_now
from newsletter.rendering.compile import Masthead
from newsletter.rendering.content import Content
from newsletter.rendering.issue_file import read_issue
from newsletter.rendering.template import Template, Value, Variable
from newsletter.resources import SAMPLE_ISSUE
from newsletter.sending.message import Addressee, MessageBuilder, Sender
from newsletter.tracking.tokens import Tokens
from tests.bench.figures import Figure, cpu_seconds_a_call, report

BASE_URL = "https://letters.example.org"
SENDER = Sender("weekly", "The Weekly", "editor@example.org", None, "friday", "Friday letter")
READER = Addressee(7, "zoe@example.org", "Zoé", "Dupont", {"ville": "Liège"})
TOKENS = Tokens.of(b"a key that only the benchmark uses, 012345")
SPEEDUP_BAR = 20


def main(arguments: list[str]) -> None:
    calls = 300 if "--quick" in arguments else 2000
    content = read_issue(SAMPLE_ISSUE).compile(Masthead(SENDER.name, "fr", "1 Main Street"), BASE_URL)
    builder = MessageBuilder(1, content, SENDER, BASE_URL, TOKENS)
    naive = naive_messages(content)
    now = utc_now()
    fast = cpu_seconds_a_call(lambda: builder.build(READER, now), calls)
    slow = cpu_seconds_a_call(lambda: naive(READER).as_bytes(), max(calls // 20, 1))
    size = len(builder.build(READER, now).data)
    print(f"one message of {size:,} bytes: {fast * 1e6:.0f} us of CPU; the naive way: {slow * 1e6:.0f} us")
    report([Figure("merge_speedup", slow / fast, "times", SPEEDUP_BAR)])


def naive_messages(content: Content) -> Callable[[Addressee], EmailMessage]:
    """What makes a recipient's message the way most programs do."""
    environment = Environment(autoescape=False)
    environment.filters |= {"e_html": escape, "e_url": quote}
    html, text = (environment.from_string(_jinja(part)) for part in (content.html, content.text))

    def make(reader: Addressee) -> EmailMessage:
        numbers = 1, reader.delivery_id
        context = {
            "subscriber": reader.fields(),
            "open_token": TOKENS.opens.seal(*numbers),
            "click_token": TOKENS.clicks.seal(*numbers),
            "unsubscribe_token": TOKENS.unsubscribes.seal(*numbers),
        }
        message = EmailMessage(SMTP)
        message["From"], message["To"] = f"{SENDER.name} <{SENDER.from_email}>", f"{reader.name} <{reader.email}>"
        message["Subject"] = "N° 56"
        message["Message-ID"] = f"<{TOKENS.message_ids.seal(*numbers)}@example.org>"
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
