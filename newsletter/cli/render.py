"""`newsletter render`: see an issue as its readers will."""

from __future__ import annotations

from base64 import b64encode
from pathlib import Path
from typing import Annotated

import typer

from newsletter.cli.files import check_writable, write_all
from newsletter.cli.output import Json, print_json, say, warn
from newsletter.clock import utc_now
from newsletter.config import load_settings
from newsletter.rendering.compile import Masthead
from newsletter.rendering.content import CLICK_TOKEN, OPEN_TOKEN, UNSUBSCRIBE_TOKEN, Content
from newsletter.rendering.issue_file import IssueFile, read_issue
from newsletter.rendering.merge import context_for, merge
from newsletter.sending.message import Addressee, MessageBuilder, Sender
from newsletter.tracking.tokens import Tokens
from newsletter.web.track import PIXEL

EXAMPLE = "Example: newsletter render issue.md -o issue.html --text issue.txt --eml issue.eml"
PREVIEW_NAME = "Newsletter"
PREVIEW_ADDRESS = "newsletter@example.org"
READER = Addressee(0, "reader@example.org", "", "", {})
# A preview's links lead nowhere, and its pixel asks nobody: whoever opens the file is not a subscriber.
PREVIEW = "preview"
PREVIEW_TOKENS = dict.fromkeys((OPEN_TOKEN, CLICK_TOKEN, UNSUBSCRIBE_TOKEN), PREVIEW)
PREVIEW_PIXEL = f"data:image/gif;base64,{b64encode(PIXEL).decode('ascii')}"
PREVIEW_KEY = b"a preview's tokens open nothing"


def render(
    issue: Annotated[Path, typer.Argument(help="An issue in Markdown with front matter.")],
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Write the HTML here, pictures inside.")] = None,
    text: Annotated[Path | None, typer.Option(help="Write the plain text here.")] = None,
    eml: Annotated[Path | None, typer.Option(help="Write a whole message here, as it would be sent.")] = None,
    publication: Annotated[str, typer.Option(help="The name in the masthead.")] = PREVIEW_NAME,
    as_json: Json = False,
) -> None:
    """Render an issue to HTML, text or a message. Without -o, --text or --eml it is only checked."""
    file = read_issue(issue)
    base_url = load_settings().base_url
    masthead = Masthead(publication, file.document.front.language or "en")
    content = file.compile(masthead, base_url, embed_pictures=True)
    context = context_for(content, READER.fields(), PREVIEW_TOKENS)
    html = merge(content.html, context).replace(f"{base_url}/o/{PREVIEW}.gif", PREVIEW_PIXEL).encode()
    check_writable(issue, [path for path in (out, text, eml) if path])
    made: dict[Path, bytes] = {}
    if out:
        made[out] = html
    if text:
        made[text] = merge(content.text, context).encode()
    if eml:
        made[eml] = _message(file.compile(masthead, base_url), publication, base_url)
    write_all(issue, made)
    for warning in file.warnings:
        warn(warning)
    if as_json:
        print_json(_facts(file, content, made))
    else:
        for path, data in made.items():
            say(f"{path}: {len(data):,} bytes")
        if not made:
            say(f"{issue}: nothing wrong; {len(content.links)} links")


def _message(content: Content, name: str, base_url: str) -> bytes:
    sender = Sender("preview", name, PREVIEW_ADDRESS, None, "preview", name)
    builder = MessageBuilder(0, content, sender, base_url, Tokens.of(PREVIEW_KEY))
    return builder.build(READER, utc_now()).data


def _facts(file: IssueFile, content: Content, made: dict[Path, bytes]) -> dict[str, object]:
    front = file.document.front
    return {
        "title": front.title,
        "subject": merge(content.subject, context_for(content, READER.fields())),
        "number": front.number,
        "links": list(content.links),
        "warnings": file.warnings,
        "files": {str(path): len(data) for path, data in made.items()},
    }
