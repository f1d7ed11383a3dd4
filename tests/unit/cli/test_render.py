"""`newsletter render`."""

from __future__ import annotations

import json
import re
from email import message_from_bytes, policy
from email.message import EmailMessage

from newsletter.resources import SAMPLE_ISSUE
from tests.unit.cli.conftest import Cli


def test_it_writes_html_text_and_a_whole_message(cli: Cli) -> None:
    outputs = ("-o", "issue.html", "--text", "issue.txt", "--eml", "issue.eml")
    out = cli("render", SAMPLE_ISSUE, *outputs).success
    files = cli.files()
    assert set(files) == {"issue.html", "issue.txt", "issue.eml"}
    for name, content in files.items():
        assert f"{name}: {len(content):,} bytes" in out
    html, text = files["issue.html"].decode(), files["issue.txt"].decode()
    assert "Bonjour à vous, dimanche" in html
    assert "Bonjour à vous, dimanche" in text
    assert "{{" not in html + text
    assert 'src="data:image/png;base64,' in html


def test_a_preview_asks_nobody_for_anything(cli: Cli) -> None:
    assert cli("render", SAMPLE_ISSUE, "-o", "issue.html").success
    html = cli.files()["issue.html"].decode()
    assert not re.search(r'(?:src|srcset|background)="(?!data:)', html)
    assert "url(" not in html
    assert "@import" not in html


def test_the_message_is_as_it_would_be_sent(cli: Cli) -> None:
    assert cli("render", SAMPLE_ISSUE, "--eml", "issue.eml", "--publication", "L’Hebdo").success
    raw = cli.files()["issue.eml"]
    assert all(line.endswith(b"\r\n") and len(line) <= 1000 for line in raw.splitlines(keepends=True))
    message = message_from_bytes(raw, _class=EmailMessage, policy=policy.default)
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert message["Subject"].startswith("N°\N{NO-BREAK SPACE}56")
    assert "L’Hebdo" in message["From"]
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]


def test_without_outputs_it_checks_and_writes_nothing(cli: Cli) -> None:
    assert "nothing wrong; 8 links" in cli("render", SAMPLE_ISSUE).success
    assert cli.files() == {}
    assert not cli.database.exists()


def test_json_of_a_rendering_can_be_read_by_programs(cli: Cli) -> None:
    facts = json.loads(cli("render", SAMPLE_ISSUE, "--json", "-o", "issue.html").success)
    assert facts["number"] == 56
    assert facts["subject"].startswith("N°\N{NO-BREAK SPACE}56")
    assert facts["warnings"] == []
    assert len(facts["links"]) == 8
    assert facts["files"] == {"issue.html": len(cli.files()["issue.html"])}


def test_rendering_again_gives_the_same_files(cli: Cli) -> None:
    outputs = ("-o", "issue.html", "--text", "issue.txt")
    assert cli("render", SAMPLE_ISSUE, *outputs).success
    first = cli.files()
    assert cli("render", SAMPLE_ISSUE, *outputs).success
    assert cli.files() == first
