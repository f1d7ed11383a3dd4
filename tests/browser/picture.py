"""Makes the README's picture of the sample issue: `make picture`."""

from __future__ import annotations

import shutil
import sys
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

from newsletter.demo.run import BASE_URL, PUBLICATION
from newsletter.rendering.compile import Masthead
from newsletter.rendering.issue_file import read_issue
from newsletter.rendering.merge import context_for, merge
from newsletter.resources import SAMPLE_ISSUE

TARGET = Path(__file__).parents[2] / "docs" / "images" / "issue.png"
VIEW = {"width": 640, "height": 1060}
WIDTH = 480
COLOURS = 128


def main() -> None:
    """Screenshot the top of the issue, and keep it small."""
    chromium = shutil.which("chromium")
    if chromium is None:
        sys.exit("make: the picture needs Chromium; on Debian: apt-get install chromium")
    masthead = Masthead(PUBLICATION.name, PUBLICATION.language, PUBLICATION.postal_address)
    content = read_issue(SAMPLE_ISSUE).compile(masthead, BASE_URL, embed_pictures=True)
    reader = {"first_name": "Amélie"}
    tokens = dict.fromkeys(("open_token", "click_token", "unsubscribe_token"), "preview")
    html = merge(content.html, context_for(content, reader, tokens))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-background-networking"]
        )
        page = browser.new_page(viewport={"width": VIEW["width"], "height": VIEW["height"]})
        page.set_content(html, wait_until="load")
        shot = Image.open(BytesIO(page.screenshot())).convert("RGB")
        browser.close()
    small = shot.resize((WIDTH, WIDTH * shot.height // shot.width), Image.Resampling.LANCZOS)
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    small.quantize(COLOURS).save(TARGET, optimize=True)
    print(f"{TARGET}: {TARGET.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
