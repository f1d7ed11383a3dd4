"""Compares what we make of MJML with what npm's `mjml` makes of it, pixel by pixel: `make compare-mjml`."""

from __future__ import annotations

import shutil
import subprocess
import sys
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageChops
from playwright.sync_api import Browser, sync_playwright

from newsletter.errors import NewsletterError
from newsletter.rendering.includes import Read
from newsletter.rendering.mjml import to_html
from newsletter.rendering.places import Placed, mark
from newsletter.rendering.specimen import specimen
from newsletter.rendering.theme import load_theme, theme_names

WIDTHS = (640, 375)
SAMPLES = Path(__file__).with_name("samples")
# Anti-aliasing differs by a shade; a step this large can be seen.
VISIBLE = 32
PICTURE = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' width='960' height='540'%3E"
    "%3Crect width='960' height='540' fill='%23368'/%3E%3C/svg%3E"
)


def main() -> None:
    """Print a table: by how much of the taller page the two pictures differ, and by how many pixels in height."""
    compiler, work, *folders = map(Path, sys.argv[1:])
    chromium = shutil.which("chromium")
    if chromium is None:
        sys.exit("make: the comparison needs Chromium; on Debian: apt-get install chromium")
    sources = {path.stem: path for folder in folders for path in sorted(folder.rglob("*.mjml"))}
    if not folders:
        sources = {path.stem: path for path in sorted(SAMPLES.glob("*.mjml"))} | write_themes(work)
    print(f"{'source':28} " + " ".join(f"{f'{width} px':>20}" for width in WIDTHS))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for name, path in sources.items():
            print(f"{name:28} " + compare(browser, compiler, path))
        browser.close()


def write_themes(work: Path) -> dict[str, Path]:
    """The MJML of a sample of every block in each theme, by the theme's name."""
    written = {}
    for name in theme_names():
        theme = load_theme(name)
        written[f"theme {name}"] = work / f"{name}.mjml"
        written[f"theme {name}"].write_text(Placed.of(theme.mjml(specimen(theme, PICTURE)), name).text)
    return written


def compare(browser: Browser, compiler: Path, path: Path) -> str:
    """The cells of one row."""
    done = subprocess.run([compiler, path, "-s"], capture_output=True, text=True)
    if done.returncode:
        return f"npm's mjml refuses it: {done.stderr.strip().splitlines()[0]}"
    try:
        ours = to_html(mark(path.read_text(), str(path)), str(path), reader(path.parent.resolve()))
    except NewsletterError as error:
        return f"refused: {error}"
    return " ".join(f"{difference(browser, ours, done.stdout, width):>20}" for width in WIDTHS)


def reader(folder: Path) -> Read:
    """Reads what mj-include names, within the folder."""

    def read(name: str) -> str:
        file = (folder / name).resolve()
        if not (file.is_relative_to(folder) and file.is_file()):
            raise LookupError(f"there is no file {name} beside it")
        return mark(file.read_text(), str(file))

    return read


def difference(browser: Browser, ours: str, theirs: str, width: int) -> str:
    """The share of pixels that differ visibly, and the difference in height."""
    one, other = (picture(browser, html, width) for html in (ours, theirs))
    size = (width, max(one.height, other.height))
    canvases = [Image.new("RGB", size, "#ff00ff") for _ in range(2)]
    for canvas, image in zip(canvases, (one, other), strict=True):
        canvas.paste(image)
    gap = ImageChops.difference(*canvases).convert("L").point(lambda value: 255 if value > VISIBLE else 0)
    share = gap.histogram()[255] / (size[0] * size[1])
    return "same" if not share else f"{share:.2%} ({one.height - other.height:+d} px)"


def picture(browser: Browser, html: str, width: int) -> Image.Image:
    """The whole page, without the network."""
    context = browser.new_context(viewport={"width": width, "height": 800}, offline=True)
    page = context.new_page()
    page.set_content(html, wait_until="load")
    shot = Image.open(BytesIO(page.screenshot(full_page=True))).convert("RGB")
    context.close()
    return shot


if __name__ == "__main__":
    main()
