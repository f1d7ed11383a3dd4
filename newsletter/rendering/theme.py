"""A theme: a folder of MJML, CSS and `theme.toml`, with the partials that all themes share behind it."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateNotFound, TemplateSyntaxError
from jinja2.sandbox import SandboxedEnvironment
from markupsafe import Markup

from newsletter.errors import InputError, NotFoundError, SourceError
from newsletter.rendering import mjml
from newsletter.rendering.places import MarkLines, mark
from newsletter.rendering.theme_settings import read_settings
from newsletter.resources import TEMPLATES
from newsletter.settings_sources import config_path
from newsletter.text import one_line
from newsletter.textfile import read_utf8

SHIPPED = TEMPLATES / "email"
SHARED = SHIPPED / "_shared"
SETTINGS = "theme.toml"
PAGE = "issue.mjml"
_KEPT = 32
_SUFFIXES = frozenset({".mjml", ".css", ".html"})


class _Files(FileSystemLoader):
    """Templates in UTF-8. Raises SourceError with the line of what is not."""

    def get_source(self, environment: Environment, template: str) -> tuple[str, str, Callable[[], bool]]:
        try:
            return super().get_source(environment, template)
        except UnicodeDecodeError:
            read_utf8(next(path for folder in self.searchpath if (path := Path(folder, template)).is_file()))
            raise


@dataclass(frozen=True, slots=True)
class Theme:
    """A theme that is ready to lay out issues."""

    name: str
    settings: Mapping[str, Any]
    settings_path: Path
    templates: SandboxedEnvironment

    @property
    def raw_mjml(self) -> bool:
        """Whether issues may hold MJML of their own."""
        return bool(self.settings["raw_mjml"])

    def render(self, context: Mapping[str, Any]) -> str:
        """Responsive HTML for one issue, styles inlined. Raises SourceError with the file and line at fault."""
        return mjml.to_html(self.mjml(context), self.name, lambda path: self._include(path, context))

    def mjml(self, context: Mapping[str, Any]) -> str:
        """The issue as MJML, marked with where each line comes from (places.py). Raises SourceError as `render`."""
        return self._fill(PAGE, context)

    def _include(self, path: str, context: Mapping[str, Any]) -> str:
        try:
            self.templates.get_template(path)
        except TemplateNotFound:
            raise LookupError(f"there is no file {path} in the theme") from None
        except TemplateSyntaxError:
            pass  # told below, with its line
        return self._fill(path, context)

    def _fill(self, file: str, context: Mapping[str, Any]) -> str:
        try:
            return self.templates.get_template(file).render({**context, "theme": self.settings})
        except TemplateSyntaxError as error:
            raise SourceError(str(error.message), path=error.filename or file, line=error.lineno) from None
        except SourceError:
            raise
        # Whatever a template does wrong, from a missing value to dividing by zero, is the theme's fault.
        except Exception as error:
            raise self._fault(error, file) from None

    def _fault(self, error: Exception, file: str) -> InputError:
        # Jinja puts the templates' own files and lines into the traceback.
        frames = [
            frame for frame in traceback.extract_tb(error.__traceback__) if Path(frame.filename).suffix in _SUFFIXES
        ]
        message = _told(error)
        if not frames:
            return SourceError(message, path=str(self.settings_path.with_name(file)))
        return SourceError(message, path=frames[-1].filename, line=frames[-1].lineno)


def _told(error: Exception) -> str:
    match error:
        case TemplateNotFound():
            return f"there is no file {error.name} in the theme"
        case RecursionError():
            return "the file includes itself"
    return one_line(str(error)) or type(error).__name__


def own_themes() -> Path:
    """Where a publication keeps its own themes: `themes/` beside `newsletter.toml`."""
    return config_path().resolve().parent / "themes"


def theme_names() -> list[str]:
    """The themes there are, shipped and own."""
    found = {path.parent.name for folder in (SHIPPED, own_themes()) for path in folder.glob(f"*/{SETTINGS}")}
    return sorted(found)


def load_theme(name: str) -> Theme:
    """The theme of that name; files below `themes/<name>/` win over those that ship.

    Raises NotFoundError with the names there are, and SourceError for a wrong theme.toml.
    """
    if name not in theme_names():
        raise NotFoundError(f"there is no theme “{name}”; there are {', '.join(theme_names())}")
    return _load(name, (own_themes() / name, SHIPPED / name))


def load_folder(folder: Path) -> Theme:
    """The theme in a folder anywhere. Raises NotFoundError without a theme.toml, SourceError for a wrong one."""
    if not (folder / SETTINGS).is_file():
        raise NotFoundError(f"{folder}: there is no {SETTINGS} in it")
    return _load(folder.name, (folder,))


def _load(name: str, folders: tuple[Path, ...]) -> Theme:
    settings = next(path for folder in folders if (path := folder / SETTINGS).is_file())
    return _cached(name, folders, settings, settings.stat().st_mtime_ns)


@lru_cache(maxsize=_KEPT)
def _cached(name: str, folders: tuple[Path, ...], settings: Path, _changed: int) -> Theme:
    # Templates look after themselves: Jinja reads a file anew when it has changed.
    environment = SandboxedEnvironment(
        loader=_Files([*folders, SHARED]),
        extensions=[MarkLines],
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["mjml"] = lambda source: Markup(mark(source, "::: mjml"))  # noqa: S704 - the theme trusts it
    return Theme(name, read_settings(settings), settings, environment)
