"""A compiled issue: its texts with holes, and the links it may lead to."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from newsletter.rendering import template
from newsletter.rendering.template import Template

OPEN_TOKEN = "open_token"  # noqa: S105
CLICK_TOKEN = "click_token"  # noqa: S105
UNSUBSCRIBE_TOKEN = "unsubscribe_token"  # noqa: S105
# The number of the link that no person sees: whoever follows it is a machine.
HIDDEN_LINK = 0


@dataclass(frozen=True, slots=True)
class Attachment:
    """A picture inside the message; the HTML shows it as `cid:` and its `content_id` (RFC 2392)."""

    content_id: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Body:
    """Both forms of an issue as one kind of reader gets them."""

    html: Template
    text: Template


@dataclass(frozen=True, slots=True)
class Content:
    """What every recipient of an issue gets, but for the holes.

    Those who may not be tracked get the `untracked` body: no pixel, and links that lead where they lead.

    `links[n - 1]` is the target of link number n. `issue` and `publication` are what merge tags may quote of them.
    """

    subject: Template
    html: Template
    text: Template
    links: tuple[str, ...]
    issue: Mapping[str, str]
    publication: Mapping[str, str]
    attachments: tuple[Attachment, ...] = ()
    untracked: Body = Body((), ())

    def to_json(self) -> dict[str, Any]:
        """A form that `from_json` reads back, for keeping in SQL."""
        return {
            "subject": template.to_json(self.subject),
            "html": template.to_json(self.html),
            "text": template.to_json(self.text),
            "links": list(self.links),
            "issue": dict(self.issue),
            "publication": dict(self.publication),
            "attachments": [
                [one.content_id, one.media_type, b64encode(one.content).decode("ascii")] for one in self.attachments
            ],
            "untracked": {
                "html": template.to_json(self.untracked.html),
                "text": template.to_json(self.untracked.text),
            },
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Content:
        """The content that `to_json` wrote."""
        return cls(
            subject=template.from_json(data["subject"]),
            html=template.from_json(data["html"]),
            text=template.from_json(data["text"]),
            links=tuple(data["links"]),
            issue=data["issue"],
            publication=data["publication"],
            attachments=tuple(
                Attachment(content_id, media_type, b64decode(content))
                for content_id, media_type, content in data["attachments"]
            ),
            untracked=Body(
                html=template.from_json(data["untracked"]["html"]),
                text=template.from_json(data["untracked"]["text"]),
            ),
        )
