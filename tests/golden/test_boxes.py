from __future__ import annotations

import pytest
from playwright.sync_api import Browser

from tests.browser.test_pages import browser
from tests.golden.boxes import boxes
from tests.golden.sample import FOLDER, THEMES

__all__ = ["browser"]


@pytest.mark.parametrize("name", THEMES)
def test_the_sample_is_laid_out_as_it_was(browser: Browser, name: str) -> None:
    kept = (FOLDER / f"{name}.boxes").read_text(encoding="utf-8")
    assert boxes(browser, name) == kept, f"{name}.boxes has changed: look at it, then keep it with `make golden`"
