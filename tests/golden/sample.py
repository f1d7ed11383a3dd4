"""The sample issue in each theme, as one reader gets it."""

from __future__ import annotations

import re
from pathlib import Path

from newsletter.rendering.compile import Masthead
from newsletter.rendering.content import CLICK_TOKEN, OPEN_TOKEN, UNSUBSCRIBE_TOKEN
from newsletter.rendering.issue_file import read_issue
from newsletter.rendering.merge import context_for, merge
from newsletter.rendering.places import Placed
from newsletter.rendering.specimen import specimen
from newsletter.rendering.theme import load_theme
from newsletter.resources import SAMPLE_ISSUE

FOLDER = Path(__file__).with_name("files")
THEMES = ("digest", "letter", "magazine")
BASE_URL = "https://lettres.example.org"
PICTURE = f"{BASE_URL}/m/picture.png"
TOKENS = {OPEN_TOKEN: "OPENED", CLICK_TOKEN: "CLICKED", UNSUBSCRIBE_TOKEN: "LEFT"}


def golden(name: str) -> dict[str, str]:
    """HTML and text of the sample, and the MJML of a page with every block, by their files' suffixes."""
    masthead = Masthead("L’Hebdo", "fr", "L’Hebdo\nrue Haute 1\n1000 Bruxelles", name)
    content = read_issue(SAMPLE_ISSUE).compile(masthead, BASE_URL)
    context = context_for(content, {"first_name": "Zoé"}, TOKENS)
    theme = load_theme(name)
    return {
        # An element a line, so that what changed can be seen.
        "html": re.sub(r">(?=<)", ">\n", merge(content.html, context)),
        "txt": merge(content.text, context),
        "mjml": Placed.of(theme.mjml(specimen(theme, PICTURE)), name).text,
    }
