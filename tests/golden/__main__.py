"""Writes the golden files anew: `make golden`. Look at what changed before keeping it."""

from __future__ import annotations

import shutil
import sys

from playwright.sync_api import sync_playwright

from tests.golden.boxes import boxes
from tests.golden.sample import FOLDER, THEMES, golden


def main() -> None:
    """Write MJML, HTML, text and boxes of the sample issue in each theme; without Chromium all but the boxes."""
    FOLDER.mkdir(exist_ok=True)
    for name in THEMES:
        for suffix, text in golden(name).items():
            write(f"{name}.{suffix}", text)
    chromium = shutil.which("chromium")
    if chromium is None:
        sys.exit("make: the boxes need Chromium; on Debian: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for name in THEMES:
            write(f"{name}.boxes", boxes(browser, name))
        browser.close()


def write(name: str, text: str) -> None:
    """Write one file, and say so."""
    path = FOLDER / name
    path.write_text(text, encoding="utf-8")
    print(path)


if __name__ == "__main__":
    main()
