"""A reader's own page. Each form posts to its token: no cookie is needed, and GET changes nothing.

The token is that of a message's unsubscribe link, or the one that service mail carries.
"""

from __future__ import annotations

from dataclasses import dataclass

from babel.dates import format_date
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from newsletter.audience.links import is_reader
from newsletter.audience.moves import ask_to_move
from newsletter.audience.preferences import Place, places, set_language, set_tracking
from newsletter.audience.signup import sign_up
from newsletter.audience.subscriptions import pause, resume, unsubscribe, unsubscribe_all
from newsletter.clock import utc_now
from newsletter.errors import InputError
from newsletter.mail.addresses import normalise
from newsletter.models import List, Publication, Subscriber, Subscription, Tracking
from newsletter.resources import languages
from newsletter.text import one_line
from newsletter.tracking.deliveries import find_recipient
from newsletter.tracking.tokens import read_token
from newsletter.web.pages import bad_link, page
from newsletter.web.state import State, state_of
from newsletter.web.subscribe import spoken, too_many, wish_for
from newsletter.web.visitor import Form, hand_of, neighbourhood_of, with_form

MAX_REASON = 500
# What a page may be told, in its address, that was just done.
DONE = frozenset({"left", "left_all", "paused", "resumed", "joined", "saved", "asked", "bad_email"})


@dataclass(frozen=True, slots=True)
class Reader:
    """Whose page it is, and on account of which of their lists."""

    subscriber: Subscriber
    mailing_list: List
    publication: Publication

    @property
    def language(self) -> str:
        return spoken(self.subscriber.language, self.publication)

    @property
    def tracking(self) -> Tracking:
        return self.subscriber.tracking or self.publication.tracking

    @property
    def address(self) -> str:
        """The address, such that only its owner knows it again: a message may be passed on."""
        local, _, domain = self.subscriber.email.rpartition("@")
        return f"{local[:1]}…@{domain}"


def show(request: Request) -> Response:
    """`GET /preferences/TOKEN`: what they receive, and the forms to change it."""
    state = state_of(request)
    with state.database.read() as session:
        reader = _reader(session, state, request)
        if reader is None:
            return bad_link(request)
        found = places(session, reader.subscriber.id, utc_now())
    language, done = reader.language, request.query_params.get("done", "")
    return page(
        "preferences",
        language=language,
        token=request.path_params["token"],
        reader=reader,
        places=found,
        publications=len({place.publication for place in found}),
        languages=languages(),
        trackings=list(Tracking),
        day=lambda moment: format_date(moment, format="long", locale=language),
        done=done if done in DONE else "",
    )


def change_place(request: Request, form: Form) -> Response:
    """`POST /preferences/TOKEN/lists/ID`: leave, pause, take up again or join one list."""
    state, now = state_of(request), utc_now()
    list_id: int = request.path_params["list_id"]
    with state.database.write() as session:
        reader = _reader(session, state, request)
        if reader is None:
            return bad_link(request)
        hand, subscriber_id = hand_of(request), reader.subscriber.id
        place = _place(session, subscriber_id, list_id)
        if place is None:
            return _done(request)
        match form.get("action"):
            case "leave":
                unsubscribe(session, list_id, subscriber_id, now, hand=hand, reason=_reason(form))
                return _done(request, "left")
            case "pause":
                pause(session, list_id, subscriber_id, hand, now)
                return _done(request, "paused")
            case "resume":
                resume(session, list_id, subscriber_id, hand, now)
                return _done(request, "resumed")
            case "join":
                return _done(request) if place.is_on else _join(session, state, request, reader, list_id)
    return _done(request)


def one_click(request: Request) -> Response:
    """`POST /preferences/TOKEN/leave/ID`: what a mail program posts to leave a list (RFC 8058)."""
    state = state_of(request)
    with state.database.write() as session:
        reader = _reader(session, state, request)
        if reader is None:
            return bad_link(request)
        place = _place(session, reader.subscriber.id, request.path_params["list_id"])
        if place:
            unsubscribe(session, place.list_id, reader.subscriber.id, utc_now(), hand=hand_of(request))
    return page("unsubscribed", language=reader.language, publication=reader.publication.name, preferences="")


def leave_all(request: Request, form: Form) -> Response:
    """`POST /preferences/TOKEN/leave-all`: leave every list for good."""
    state = state_of(request)
    with state.database.write() as session:
        reader = _reader(session, state, request)
        if reader is None:
            return bad_link(request)
        unsubscribe_all(session, reader.subscriber, hand_of(request), utc_now(), _reason(form))
    return _done(request, "left_all")


def settle(request: Request, form: Form) -> Response:
    """`POST /preferences/TOKEN/settings`: language, and what may be kept of their reading."""
    state, now = state_of(request), utc_now()
    with state.database.write() as session:
        reader = _reader(session, state, request)
        if reader is None:
            return bad_link(request)
        if form.get("language") in languages():
            set_language(session, reader.subscriber, form["language"], hand_of(request), now)
        if form.get("tracking") in list(Tracking):
            set_tracking(session, reader.subscriber, Tracking(form["tracking"]), hand_of(request), now)
    return _done(request, "saved")


def readdress(request: Request, form: Form) -> Response:
    """`POST /preferences/TOKEN/address`: ask at the new address; the answer is the same whatever is known of it."""
    state = state_of(request)
    try:
        email = normalise(form.get("email", ""))
    except InputError:
        return _done(request, "bad_email")
    with state.database.write() as session:
        reader = _reader(session, state, request)
        if reader is None:
            return bad_link(request)
        if not state.limits.allow_visitor(neighbourhood_of(request)):
            return too_many(reader.language)
        if state.limits.allow_address(email) and state.limits.allow_address(reader.subscriber.email):
            ask_to_move(session, reader.subscriber, reader.mailing_list.id, email, hand_of(request), utc_now())
    return _done(request, "asked")


def _place(session: Session, subscriber_id: int, list_id: int) -> Place | None:
    """One of the lists that their page shows."""
    return next((place for place in places(session, subscriber_id, utc_now()) if place.list_id == list_id), None)


def _join(session: Session, state: State, request: Request, reader: Reader, list_id: int) -> Response:
    mailing_list = session.get_one(List, list_id)
    publication = session.get_one(Publication, mailing_list.publication_id)
    if state.limits.allow_address(reader.subscriber.email):
        wish = wish_for(mailing_list, publication, reader.subscriber.email, "", reader.language)
        sign_up(session, mailing_list, wish, hand_of(request), utc_now())
    return _done(request, "joined")


def _reader(session: Session, state: State, request: Request) -> Reader | None:
    """Whose token it is; None for one that is forged, cut or made for something else."""
    token: str = request.path_params["token"]
    target = read_token(state.tokens.unsubscribes, token)
    recipient = find_recipient(session, target) if target else None
    if recipient:
        subscriber, list_id = session.get(Subscriber, recipient.subscriber_id), recipient.list_id
    else:
        known_since, subscriber_id = state.links.reader(token) or (0, 0)
        subscriber = session.get(Subscriber, subscriber_id)
        if subscriber is None or not is_reader(subscriber, known_since):
            return None
        first = select(Subscription.list_id).where(Subscription.subscriber_id == subscriber_id)
        list_id = session.scalar(first.order_by(Subscription.id).limit(1)) or 0
    mailing_list = session.get(List, list_id)
    if subscriber is None or mailing_list is None:
        return None
    return Reader(subscriber, mailing_list, session.get_one(Publication, mailing_list.publication_id))


def _reason(form: Form) -> str:
    return one_line(form.get("reason", ""))[:MAX_REASON]


def _done(request: Request, what: str = "") -> Response:
    """Back to the page, by a GET, so that loading it again posts nothing."""
    suffix = f"?done={what}" if what else ""
    return RedirectResponse(f"/preferences/{request.path_params['token']}{suffix}", status_code=303)


def _back(request: Request) -> Response:
    """`GET` of an address that only takes a POST: to the page."""
    return _done(request)


routes = [
    Route("/preferences/{token}", show, methods=["GET"]),
    Route("/preferences/{token}/lists/{list_id:int}", with_form(change_place), methods=["POST"]),
    Route("/preferences/{token}/leave/{list_id:int}", one_click, methods=["POST"]),
    Route("/preferences/{token}/leave/{list_id:int}", _back, methods=["GET"]),
    Route("/preferences/{token}/leave-all", with_form(leave_all), methods=["POST"]),
    Route("/preferences/{token}/settings", with_form(settle), methods=["POST"]),
    Route("/preferences/{token}/address", with_form(readdress), methods=["POST"]),
]
