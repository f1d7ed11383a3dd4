"""Pages from `templates/web/`, in the reader's language."""

from __future__ import annotations

from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response

from newsletter.resources import TEMPLATES, words
from newsletter.web.security import HEADERS

# When to come back to a server that is away (RFC 9110, section 10.2.3).
RETRY_AFTER_SECONDS = 120
_ENVIRONMENT = Environment(
    loader=FileSystemLoader(TEMPLATES / "web"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def page(name: str, *, language: str = "en", status: int = 200, **values: Any) -> HTMLResponse:
    """The page `templates/web/<name>.html`. Never kept by a cache, since it may be one reader's own."""
    html = _ENVIRONMENT.get_template(f"{name}.html").render(language=language, words=words(language), **values)
    return HTMLResponse(html, status_code=status, headers={"Cache-Control": "no-store"})


def gone(request: Request, _error: Exception | None = None) -> Response:
    """The page for an address that leads nowhere."""
    return notice(request, "gone")


def bad_link(request: Request) -> Response:
    """The page for a link that was cut, changed or forged. It does not say which."""
    return notice(request, "bad_link")


def language_of(request: Request) -> str:
    """The language that a reader's browser asks for first."""
    first = request.headers.get("accept-language", "").split(",")[0].split(";")[0].strip()
    return first if first.replace("-", "").isalnum() and first.isascii() else "en"


def notice(request: Request, key: str, *, status: int = 404) -> Response:
    """The page of a few words, `<key>_title` and `<key>_text`, in the language of a reader's browser."""
    language = language_of(request)
    phrases = words(language)
    title, text = phrases[f"{key}_title"], phrases[f"{key}_text"]
    return page("notice", language=language, status=status, title=title, text=text)


def unavailable() -> Response:
    """A server that we need is away: said without its name or words, which are not a stranger's to know."""
    text = "Temporarily unavailable. Please try again in a few minutes.\n"
    return PlainTextResponse(text, status_code=503, headers={**HEADERS, "Retry-After": str(RETRY_AFTER_SECONDS)})
