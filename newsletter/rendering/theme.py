"""A theme: a folder of MJML, CSS and `theme.toml` below `templates/email/`."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from css_inline import CSSInliner, InlineError
from jinja2 import FileSystemLoader, StrictUndefined, TemplateError
from jinja2.sandbox import SandboxedEnvironment

from newsletter.errors import InputError, NotFoundError
from newsletter.rendering import mjml
from newsletter.resources import TEMPLATES

THEMES = TEMPLATES / "email"


@dataclass(frozen=True, slots=True)
class Theme:
    """A theme that is ready to lay out issues."""

    name: str
    settings: Mapping[str, Any]
    templates: SandboxedEnvironment

    def render(self, context: Mapping[str, Any]) -> str:
        """Responsive HTML for one issue, styles inlined. Raises InputError naming the theme's file at fault."""
        values = {**context, "theme": self.settings}
        html = mjml.to_html(self._fill("issue.mjml", values), f"theme {self.name}")
        inliner = CSSInliner(
            inline_style_tags=False,
            keep_style_tags=True,
            keep_link_tags=True,
            load_remote_stylesheets=False,
            extra_css=self._fill("inline.css", values),
        )
        try:
            return inliner.inline(html)
        except InlineError as error:
            raise InputError(f"theme {self.name}: inline.css cannot be applied: {error}") from None

    def _fill(self, file: str, values: Mapping[str, Any]) -> str:
        try:
            return self.templates.get_template(file).render(values)
        except TemplateError as error:
            line = getattr(error, "lineno", None)
            place = f"{getattr(error, 'filename', None) or file}{f':{line}' if line else ''}"
            raise InputError(f"theme {self.name}: {place}: {error}") from None


@cache
def load_theme(name: str) -> Theme:
    """The theme of that name. Raises NotFoundError with the names there are."""
    known = sorted(path.parent.name for path in THEMES.glob("*/theme.toml"))
    if name not in known:
        raise NotFoundError(f"there is no theme “{name}”; there are {', '.join(known)}")
    folder: Path = THEMES / name
    environment = SandboxedEnvironment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    settings = tomllib.loads((folder / "theme.toml").read_text(encoding="utf-8"))
    return Theme(name, settings, environment)
