from __future__ import annotations

import pytest

from tests.unit.rendering.reading import BASE_URL, letter

FIRST = f"{BASE_URL}/c/CLICKED/1"


@pytest.mark.parametrize("url", ["https://e.org/a", "http://e.org/a"])
@pytest.mark.parametrize(
    "markdown",
    [
        "[a]({})",
        "<{}>",
        "[a][r]\n\n[r]: {}",
        '[a]({} "b > c")',
        "::: button\n[a]({})\n:::",
        "[![a](a.png)]({})",
        "[![a > b](a.png)]({})",
        "> [a]({})",
        "::: callout\n[a]({})\n:::",
        "- [a]({})",
        "| [a]({}) |\n|---|",
        "## [a]({})",
    ],
)
def test_a_link_is_counted_wherever_it_stands(markdown: str, url: str) -> None:
    read = letter(markdown.format(url))
    assert read.links == (url,)
    assert read.hrefs == [FIRST]
    assert f"[1] {FIRST}" in read.text


def test_the_same_target_has_one_number_in_both_parts() -> None:
    read = letter(
        "[a](https://e.org/a) [b](https://e.org/b) [c](https://e.org/a)\n\n::: button\n[d](https://e.org/b)\n:::"
    )
    assert read.links == ("https://e.org/a", "https://e.org/b")
    assert [href[-1] for href in read.hrefs] == ["1", "2", "1", "2"]
    assert (read.text.count("CLICKED/1"), read.text.count("CLICKED/2")) == (1, 1)


@pytest.mark.parametrize(
    "url",
    [
        "mailto:a@e.org?subject=b",
        "#top",
        "tel:+3221234567",
        "/page",
        BASE_URL,
        f"{BASE_URL}/archive",
        "https://e.org/?n={{ subscriber.name }}",
        "{{ subscriber.site }}",
    ],
)
def test_what_is_not_counted_is_left_alone(url: str) -> None:
    read = letter(f"[a]({url})", name="Zoe", site="https://e.org/zoe")
    filled = url.replace("{{ subscriber.name }}", "Zoe").replace("{{ subscriber.site }}", "https://e.org/zoe")
    assert (read.links, read.hrefs) == ((), [filled])


def test_an_address_that_only_begins_like_ours_is_counted() -> None:
    assert letter(f"[a]({BASE_URL}.evil.example/x)").links == (f"{BASE_URL}.evil.example/x",)


@pytest.mark.parametrize("query", ["?a=1&b=2", "?a=1&copy=2&lt=3", "?a=%26&amp=1", "?a='b'&c=(d)"])
@pytest.mark.parametrize("markdown", ["[a](<{}>)", "::: button\n[a](<{}>)\n:::", "[![a](a.png)](<{}>)"])
def test_every_character_of_a_target_survives(markdown: str, query: str) -> None:
    assert letter(markdown.format(f"https://e.org/{query}")).links == (f"https://e.org/{query}",)


def test_a_target_with_letters_of_any_language_is_written_for_the_wire() -> None:
    assert letter("[a](https://exämple.org/é)").links == ("https://xn--exmple-cua.org/%C3%A9",)


def test_the_unsubscribe_link_is_ours_and_never_counted() -> None:
    read = letter("Words.")
    assert read.links == ()
    assert f'href="{BASE_URL}/u/LEFT"' in read.html


def test_text_that_looks_like_our_list_of_links_leads_nowhere_new() -> None:
    read = letter("\\[7\\] https://e.org/typed\n\n[a](https://e.org/a)")
    assert read.hrefs == [FIRST]
