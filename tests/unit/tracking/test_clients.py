from __future__ import annotations

import pytest

from newsletter.tracking.clients import family
from newsletter.tracking.providers import provider_of
from tests.unit.tracking.simulation import APPLE, CHROME, FIREFOX, GMAIL, IPHONE, OUTLOOK

EDGE = f"{CHROME.format(131)} Edg/131.0.0.0"
APPLE_MAIL = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko)"


@pytest.mark.parametrize(
    ("user_agent", "expected"),
    [
        (CHROME.format(131), "Chrome"),
        (EDGE, "Edge"),
        (FIREFOX.format(131), "Firefox"),
        (IPHONE.format(17), "Safari"),
        (OUTLOOK.format(16), "Outlook"),
        (APPLE_MAIL, "Apple Mail"),
        (APPLE, "Apple Mail"),
        (GMAIL, "Gmail"),
        ("python-requests/2.32.3", "scanner"),
        ("Lynx/2.9", "other"),
        (" ", "none"),
    ],
)
def test_a_client_is_told_by_its_family(user_agent: str, expected: str) -> None:
    assert family(user_agent) == expected


def test_only_providers_so_large_that_they_name_nobody_are_named() -> None:
    assert [provider_of(f"ada@{domain}") for domain in ("gmail.com", "maison.example")] == ["gmail.com", "other"]
