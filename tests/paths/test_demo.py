from __future__ import annotations

import re
from email import message_from_bytes, policy
from pathlib import Path

import pytest

from newsletter.mail.outbox import Outbox
from tests.paths.steps import newsletter

PEOPLE = 1000
BAD_ROWS = 12


@pytest.mark.timeout(180)
def test_the_demo_accounts_for_everyone_and_works_a_second_time_as_well_as_the_first() -> None:
    for _ in range(2):
        said = newsletter("demo", "--no-serve")
        assert f"{PEOPLE:,} rows: {PEOPLE - BAD_ROWS} added" in said
        assert len(re.findall(r"^  line \d+: ", said, re.MULTILINE)) == BAD_ROWS
        assert "48 opened, 24 clicked, 5 unsubscribed with one click" in said
        assert "12 more were fetched by a proxy; scanners looked at 12, and followed every link" in said
        for number, people in (
            ("delivered", "988 +100.0%"),
            ("opened", "48 +4.9%"),
            ("opened by a proxy", "12 +1.2%"),
            ("clicked", "24 +2.4%"),
            ("left", "5 +0.5%"),
        ):
            assert re.search(rf"^{number} +{people}$", said, re.MULTILINE), number
        assert "Left out, by machines: opens 12, clicks 96, the link that no person sees 12." in said
        assert "Receipt: audience 988 = 988 sent. Closed; everyone is accounted for." in said
    messages = Outbox(Path(".demo/data/outbox")).messages()
    assert len(messages) == PEOPLE - BAD_ROWS
    unsubscribes = set()
    for kept in messages:
        message = message_from_bytes(kept.raw, policy=policy.default)
        assert message.defects == []
        assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]
        assert max(map(len, kept.raw.split(b"\r\n"))) <= 998
        (link,) = re.findall(r"<(https://[^>]+)>", message["List-Unsubscribe"])
        unsubscribes.add(link)
    assert len(unsubscribes) == len(messages)
