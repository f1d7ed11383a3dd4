"""`newsletter theme`: begin a theme, check it, look at it."""

from __future__ import annotations

import shutil
from base64 import b64encode
from pathlib import Path
from typing import Annotated

import typer

from newsletter.cli.files import write_all
from newsletter.cli.output import complain, say
from newsletter.errors import ConflictError, InputError
from newsletter.rendering.specimen import specimen
from newsletter.rendering.theme import SHIPPED, Theme, load_folder, load_theme, own_themes, theme_names
from newsletter.rendering.theme_settings import contrast_faults
from newsletter.resources import SAMPLE_ISSUE
from newsletter.slugs import check_slug

DEFAULT = "magazine"
PICTURE = "images/baikonour.png"
TEMPLATES = frozenset({".mjml", ".css", ".toml"})

app = typer.Typer(help="How issues look: begin a theme, check it, look at it.", no_args_is_help=True)
Named = Annotated[str, typer.Argument(help="A theme's name, or the folder it is in.")]


@app.command("new", epilog="Example: newsletter theme new sunday --from letter")
def new(
    name: Annotated[str, typer.Argument(help="Short name: lower-case letters, digits, hyphens.")],
    source: Annotated[str, typer.Option("--from", help="The theme to begin with.")] = DEFAULT,
) -> None:
    """Copy a theme into themes/NAME beside newsletter.toml, to be changed there."""
    check_slug(name)
    if name in theme_names():
        raise ConflictError(f"there is a theme “{name}” already: choose another name")
    load_theme(source)
    target = own_themes() / name
    if target.exists():
        raise ConflictError(f"{target}: is there already, and nothing is copied over it: choose another name")
    try:
        # A publication's own files of the source come last, since they win.
        for folder in (SHIPPED / source, own_themes() / source):
            if folder.is_dir():
                shutil.copytree(folder, target, dirs_exist_ok=True)
    except OSError as error:
        raise InputError(f"{target}: cannot be written ({(error.strerror or 'not all files').lower()})") from None
    say(f"{target}: a copy of {source}; `newsletter theme preview {name} -o preview.html` shows it")


@app.command("check", epilog="Example: newsletter theme check sunday")
def check(theme: Named) -> None:
    """Lay out a sample of every block, from the left and from the right, and count the contrast of the colours."""
    loaded = _load(theme)
    for direction in ("ltr", "rtl"):
        loaded.render(specimen(loaded, _picture(), direction=direction))
    faults = list(contrast_faults(loaded.settings, loaded.settings_path))
    for fault in faults:
        complain(fault)
    if faults:
        raise InputError(f"theme {loaded.name}: {len(faults)} pairs of colours cannot be read well")
    say(f"theme {loaded.name}: nothing wrong")


@app.command("preview", epilog="Example: newsletter theme preview sunday -o sunday.html")
def preview(
    theme: Named, out: Annotated[Path, typer.Option("--out", "-o", help="Write the page here, pictures inside.")]
) -> None:
    """Write a page that shows every block in the theme."""
    loaded = _load(theme)
    if out.suffix in TEMPLATES and out.resolve().parent.is_relative_to(loaded.settings_path.resolve().parent):
        raise InputError(f"{out}: is part of the theme, choose another name")
    html = loaded.render(specimen(loaded, _picture())).encode()
    write_all(loaded.settings_path, {out: html})
    say(f"{out}: {len(html):,} bytes")


def _load(theme: str) -> Theme:
    return load_folder(Path(theme)) if Path(theme).is_dir() else load_theme(theme)


def _picture() -> str:
    content = (SAMPLE_ISSUE.parent / PICTURE).read_bytes()
    return f"data:image/png;base64,{b64encode(content).decode('ascii')}"
