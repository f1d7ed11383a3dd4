"""Signing up for a public list. The answer is the same whatever is known of the address."""

from __future__ import annotations

from hashlib import sha256

from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from newsletter.audience.lists import get_list
from newsletter.audience.signup import Wish, sign_up
from newsletter.clock import utc_now
from newsletter.errors import InputError, NotFoundError
from newsletter.mail.addresses import normalise
from newsletter.models import List, Publication
from newsletter.resources import languages, words
from newsletter.text import one_line
from newsletter.web.pages import language_of, page
from newsletter.web.state import state_of
from newsletter.web.visitor import Form, hand_of, is_from_elsewhere, neighbourhood_of, with_form

MAX_FIRST_NAME = 100
# A field that people do not see: whoever fills it in is a machine.
TRAP = "website"


def ask(request: Request) -> Response:
    """`GET /subscribe/LIST`: the form, for a public list."""
    with state_of(request).database.read() as session:
        mailing_list, publication = _public(session, request)
    return _form(mailing_list, publication, spoken(language_of(request), publication), {})


def take(request: Request, form: Form) -> Response:
    """`POST /subscribe/LIST`: takes the wish down; the answer is the same for every address."""
    state = state_of(request)
    with state.database.read() as session:
        mailing_list, publication = _public(session, request)
    language = spoken(form.get("language", ""), publication)
    try:
        email = normalise(form.get("email", ""))
    except InputError:
        return _form(mailing_list, publication, language, form, "bad_email")
    if not form.get("consent"):
        return _form(mailing_list, publication, language, form, "no_consent")
    if is_from_elsewhere(request):
        return _form(mailing_list, publication, language, form, "elsewhere")
    if not state.limits.allow_visitor(neighbourhood_of(request)):
        return too_many(language)
    if state.limits.allow_address(email) and not form.get(TRAP):
        first_name = one_line(form.get("first_name", ""))[:MAX_FIRST_NAME]
        wish = wish_for(mailing_list, publication, email, first_name, language)
        with state.database.write() as session:
            sign_up(session, mailing_list, wish, hand_of(request), utc_now())
    phrases = words(language)
    return page("notice", language=language, title=phrases["asked_title"], text=phrases["asked_text"], status=200)


def wish_for(mailing_list: List, publication: Publication, email: str, first_name: str, language: str) -> Wish:
    """A sign-up with the consent that is shown in that language; its version is a digest of its words."""
    wording = words(language)["subscribe_wording"].format_map(
        {"publication": publication.name, "list": mailing_list.name}
    )
    version = f"{language}-{sha256(wording.encode()).hexdigest()[:8]}"
    return Wish(email, first_name, language, wording, version)


def spoken(wanted: str, publication: Publication) -> str:
    """The wanted language if we speak it, else the publication's."""
    primary = wanted.lower().split("-")[0]
    return primary if primary in languages() else publication.language


def too_many(language: str) -> Response:
    """The page for whoever has tried too often."""
    phrases = words(language)
    answer = page(
        "notice", language=language, status=429, title=phrases["too_many_title"], text=phrases["too_many_text"]
    )
    answer.headers["Retry-After"] = "3600"
    return answer


def _public(session: Session, request: Request) -> tuple[List, Publication]:
    mailing_list = get_list(session, request.path_params["slug"])
    if not mailing_list.is_public:
        raise NotFoundError("the list is private")
    return mailing_list, session.get_one(Publication, mailing_list.publication_id)


def _form(mailing_list: List, publication: Publication, language: str, form: Form, fault: str = "") -> Response:
    wish = wish_for(mailing_list, publication, "", "", language)
    return page(
        "subscribe",
        language=language,
        status=422 if fault else 200,
        mailing_list=mailing_list,
        publication=publication.name,
        wording=wish.wording,
        version=wish.wording_version,
        title=words(language)["subscribe_title"].format_map({"list": mailing_list.name}),
        email=form.get("email", ""),
        first_name=form.get("first_name", ""),
        fault=fault,
    )


routes = [
    Route("/subscribe/{slug}", ask, methods=["GET"]),
    Route("/subscribe/{slug}", with_form(take), methods=["POST"]),
]
