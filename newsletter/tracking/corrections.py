"""A link that leads to the wrong place is given another target, after it was sent."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from urllib.parse import urlsplit

from sqlalchemy import select
from sqlalchemy.orm import Session

from newsletter.errors import InputError, NotFoundError
from newsletter.models import Link, LinkCorrection

# White space and control characters have no place in an address (RFC 3986 section 2), nor have merge tags here.
_NO_PLACE = re.compile(r"[\s\x00-\x1f\x7f]|\{\{|\}\}")


def correct_link(session: Session, mailing_id: int, number: int, url: str, now: datetime) -> None:
    """Have a link lead to `url` from now on, and write down that it did not before.

    Nothing happens where it leads there already. Raises NotFoundError for a link that the mailing has not, InputError
    for an address that is not a plain https one.
    """
    _check(url)
    link = session.get(Link, (mailing_id, number), with_for_update=True)
    if link is None:
        raise NotFoundError(
            f"mailing {mailing_id} has no link {number}: `newsletter mailing links {mailing_id}` lists them"
        )
    if link.url == url:
        return
    session.add(LinkCorrection(mailing_id=mailing_id, number=number, old_url=link.url, new_url=url, corrected_at=now))
    link.url = url
    session.flush()


def corrections(session: Session, mailing_id: int) -> Sequence[LinkCorrection]:
    """What was corrected in a mailing, the earliest first."""
    of_mailing = LinkCorrection.mailing_id == mailing_id
    return session.scalars(select(LinkCorrection).where(of_mailing).order_by(LinkCorrection.id)).all()


def _check(url: str) -> None:
    try:
        parts = urlsplit(url)
        is_plain = parts.scheme == "https" and parts.hostname and parts.port != 0 and "@" not in parts.netloc
    except ValueError:
        is_plain = False
    if not is_plain or _NO_PLACE.search(url):
        raise InputError(f"“{url}” is no address such as https://example.org/page: readers are led nowhere else")
