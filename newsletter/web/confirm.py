"""Links of service mail that ask for an answer: the page has one button, and only pressing it changes anything."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from newsletter.audience.digests import address_digest, lift
from newsletter.audience.moves import move, veto
from newsletter.audience.notices import expires_at, find_request
from newsletter.audience.signup import confirm
from newsletter.clock import utc_now
from newsletter.models import List, Notice, NoticeKind, Publication, Subscriber
from newsletter.resources import words
from newsletter.signing import Signer
from newsletter.web.pages import bad_link, page
from newsletter.web.state import State, state_of
from newsletter.web.visitor import hand_of

_CONFIRMED = (NoticeKind.CONFIRM, NoticeKind.NEW_ADDRESS)
_VETOED = (NoticeKind.OLD_ADDRESS,)
# What each kind's pages are called in templates/words: before, and after.
_PAGES = {
    NoticeKind.CONFIRM: ("confirm", "confirmed"),
    NoticeKind.NEW_ADDRESS: ("move", "moved"),
    NoticeKind.OLD_ADDRESS: ("veto", "vetoed"),
}
_ANSWERS = {NoticeKind.CONFIRM: confirm, NoticeKind.NEW_ADDRESS: move, NoticeKind.OLD_ADDRESS: veto}


@dataclass(frozen=True, slots=True)
class Asked:
    """What a page needs to know of a request."""

    kind: NoticeKind
    language: str
    publication: str
    facts: dict[str, str]
    is_expired: bool


def ask(request: Request) -> Response:
    """`GET /confirm/TOKEN` and `GET /veto/TOKEN`: a button; nothing changes, since scanners follow links."""
    with state_of(request).database.read() as session:
        notice = _find(session, request)
        asked = _asked(session, notice) if notice else None
    if asked is None:
        return bad_link(request)
    return _expired(asked) if asked.is_expired else _page(asked, _PAGES[asked.kind][0], has_button=True)


def answer(request: Request) -> Response:
    """`POST /confirm/TOKEN` and `POST /veto/TOKEN`: does it; the second time is as good as the first."""
    with state_of(request).database.write() as session:
        notice = _find(session, request, lock=True)
        if notice is None:
            return bad_link(request)
        done = _ANSWERS[notice.kind](session, notice, hand_of(request), utc_now())
        if done and notice.kind is NoticeKind.CONFIRM:
            # Who was forgotten and comes back by themselves may be imported again, too.
            lift(session, address_digest(state_of(request).settings.secret())(notice.email))
        asked = _asked(session, notice)
    return _page(asked, _PAGES[asked.kind][1]) if done else _expired(asked)


def _find(session: Session, request: Request, *, lock: bool = False) -> Notice | None:
    signer, kinds = _signer(state_of(request), request)
    numbers = signer.open(request.path_params["token"])
    if numbers is None:
        return None
    expiry, notice_id = numbers
    return find_request(session, kinds, notice_id, expiry, lock=lock)


def _signer(state: State, request: Request) -> tuple[Signer, tuple[NoticeKind, ...]]:
    if request.url.path.startswith("/veto/"):
        return state.links.vetoes, _VETOED
    return state.links.confirms, _CONFIRMED


def _asked(session: Session, notice: Notice) -> Asked:
    subscriber = session.get_one(Subscriber, notice.subscriber_id)
    mailing_list = session.get_one(List, notice.list_id)
    publication = session.get_one(Publication, mailing_list.publication_id)
    about = session.get_one(Notice, notice.about_id) if notice.about_id else notice
    return Asked(
        kind=notice.kind,
        language=subscriber.language or publication.language,
        publication=publication.name,
        facts={"list": mailing_list.name, "new_address": about.email, "old_address": notice.email},
        is_expired=utc_now() >= expires_at(notice),
    )


def _page(asked: Asked, key: str, *, has_button: bool = False) -> Response:
    phrases = words(asked.language)
    return page(
        "answer",
        language=asked.language,
        publication=asked.publication,
        title=phrases[f"{key}_title"],
        text=phrases[f"{key}_text"].format_map(asked.facts),
        button=phrases[f"{key}_button"] if has_button else "",
    )


def _expired(asked: Asked) -> Response:
    phrases = words(asked.language)
    return page(
        "notice",
        language=asked.language,
        status=410,
        title=phrases["expired_title"],
        text=phrases["expired_text"],
    )


routes = [
    Route(f"/{path}/{{token}}", endpoint, methods=[method])
    for path in ("confirm", "veto")
    for method, endpoint in (("GET", ask), ("POST", answer))
]
