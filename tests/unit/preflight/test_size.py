from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from newsletter.db import Database
from newsletter.preflight.columns import audience
from newsletter.preflight.finding import Severity
from newsletter.preflight.size import (
    CLIPPED_BYTES,
    NEARLY_CLIPPED_BYTES,
    check_size,
    longest_values,
    worst_case_bytes,
)
from newsletter.rendering.content import Content
from newsletter.rendering.merge import context_for, merge
from newsletter.rendering.template import Control, Escape, Template, Value
from newsletter.sending.message import Addressee
from newsletter.tracking.tokens import Tokens
from tests.factories import SECRET, make_list, subscribe_all
from tests.unit.preflight.proofs import only, proof_of, sample_proof

TOKENS = Tokens.of(SECRET.encode())


def content_of(html: Template) -> Content:
    return Content(("s",), html, ("t",), (), {}, {})


def value(expression: str) -> Value:
    return Value(expression, Escape.HTML)


@pytest.mark.parametrize(
    ("html", "size"),
    [
        (("été",), 5),
        ((value("subscriber.ville"),), 6),
        ((value('subscriber.ville | default("nulle part")'),), 10),
        ((value("subscriber.club"),), len("&lt;x&gt;")),
        (("a", Control("if subscriber.ville"), "bb", Control("elif subscriber.club"), "ccc", Control("endif")), 4),
        (("a", Control("if subscriber.ville"), "bb", Control("else"), "c", Control("endif"), "d"), 4),
        ((Control("if a"), "b", Control("if c"), "dd", Control("endif"), Control("else"), "e", Control("endif")), 3),
    ],
)
def test_the_worst_case_takes_the_longest_of_everything(html: Template, size: int) -> None:
    assert worst_case_bytes(content_of(html), {"ville": "Liège", "club": "<x>"}) == size


def test_it_is_as_large_as_the_message_of_whoever_has_these_values() -> None:
    content = sample_proof().content
    reader = Addressee(1, "ada@example.org", "Ada" * 20, "", {})
    opened, click, unsubscribe, _ = TOKENS.seal(1, 1)
    tokens = {"open_token": opened, "click_token": click, "unsubscribe_token": unsubscribe}
    html = merge(content.html, context_for(content, reader.fields(), tokens))
    assert worst_case_bytes(content, reader.fields()) == len(html.encode())


@pytest.mark.parametrize(
    ("size", "severity"),
    [
        (CLIPPED_BYTES + 1, Severity.ERROR),
        (CLIPPED_BYTES, Severity.WARNING),
        (NEARLY_CLIPPED_BYTES + 1, Severity.WARNING),
    ],
)
def test_html_that_gmail_clips_or_nearly_is_told(tmp_path: Path, size: int, severity: Severity) -> None:
    proof = replace(proof_of(tmp_path, "Bonjour.\n"), content=content_of(("x" * size,)))
    found = only(lambda one: check_size(one, {}), proof)
    assert (found.code, found.severity) == ("html-size", severity)
    assert f"{size:,} bytes" in found.message


def test_html_that_is_small_enough_is_left_alone(tmp_path: Path) -> None:
    proof = replace(proof_of(tmp_path, "Bonjour.\n"), content=content_of(("x" * NEARLY_CLIPPED_BYTES,)))
    assert check_size(proof, {}) == []


def test_the_longest_values_are_those_of_the_list(database: Database, tmp_path: Path) -> None:
    body = "{{ subscriber.first_name }} {{ subscriber.name }} {{ subscriber.ville }} {{ subscriber.club }}\n"
    with database.write() as session:
        mailing_list = make_list(session)
        subscribers = subscribe_all(session, mailing_list, [("ada@example.org", "Ada"), ("b@example.org", "Blaise")])
        subscribers[0].attributes = {"ville": "Liège"}
        subscribers[0].last_name = "Lovelace"
        session.flush()
        found = longest_values(session, audience(session, mailing_list.id), proof_of(tmp_path, body).content)
    assert found == {"first_name": "Blaise", "name": "Ada Lovelace", "ville": "Liège", "club": ""}
