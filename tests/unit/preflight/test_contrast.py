from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from newsletter.preflight.contrast import check_contrast
from newsletter.preflight.finding import Finding
from newsletter.preflight.page import read_page
from tests.unit.preflight.proofs import proof_of


def found_in(folder: Path, html: str) -> list[Finding]:
    return check_contrast(replace(proof_of(folder, "Bonjour à tous.\n"), page=read_page(html)))


PALE = '<p style="color:#999999;background:#ffffff">Bonjour à tous.</p>'


def test_words_that_can_hardly_be_read_are_told_with_their_line(tmp_path: Path) -> None:
    [light, dark] = found_in(tmp_path, PALE)
    assert light.code == "contrast"
    assert light.line is not None
    assert light.message == "“Bonjour à tous.” in #999999 on #ffffff has a contrast of 2.8 in light mode"
    assert "in dark mode" in dark.message


@pytest.mark.parametrize(
    "html",
    [
        '<p style="color:#595959;background:#ffffff">Bonjour</p>',
        '<p style="color:#888888;font-size:24px">Large</p>',
        '<p style="color:#888888;font-size:19px;font-weight:bold">Large and bold</p>',
        f'<div style="display:none">{PALE}</div>',
        '<td style="background:url(a.png)"><p style="color:#eeeeee">Over a picture</p></td>',
        '<p style="color:rgba(0,0,0,0.2)">Seen through</p>',
        '<p style="color:#eeeeee">\N{NO-BREAK SPACE}\N{ZERO WIDTH NON-JOINER}</p>',
        '<div style="font-size:0px;color:#eeeeee"><p>&#8202;</p></div>',
        '<style>.a p { color: #eeeeee }</style><div class="b"><p>Another class</p></div>',
        '<style media="print">p { color: #eeeeee }</style><p>On paper</p>',
        "<style>@media (max-width:479px) { p { color: #eeeeee } }</style><p>On phones</p>",
    ],
)
def test_words_that_can_be_read_or_are_not_shown_are_left_alone(tmp_path: Path, html: str) -> None:
    assert found_in(tmp_path, html) == []


def test_colours_are_inherited_and_may_have_names(tmp_path: Path) -> None:
    html = '<div style="background-color:navy"><table><tr><td style="color:black">Ink on ink</td></tr></table></div>'
    assert "in #000000 on #000080" in found_in(tmp_path, html)[0].message


@pytest.mark.parametrize(
    "selector", ["p", ".a", "p.a", "#i", "div p", ".box > p", "body .box p", "h1, p.a", "* > .a", "div#d p.a"]
)
def test_rules_count_for_the_elements_they_mean(tmp_path: Path, selector: str) -> None:
    html = f'<style>{selector} {{ color: #eeeeee }}</style><div class="box" id="d"><p class="a" id="i">Pale</p></div>'
    assert len(found_in(tmp_path, f"<body>{html}</body>")) == 2


@pytest.mark.parametrize("selector", ["div", ".a .b", "body > p", "p:hover", "[data-x] p", "p + p", "p.b", "#other"])
def test_rules_mean_nothing_for_other_elements(tmp_path: Path, selector: str) -> None:
    html = f'<style>{selector} {{ color: #eeeeee }} </style><div><p class="a" style="color:#000">Dark</p></div>'
    assert found_in(tmp_path, f"<body>{html}</body>") == []


def test_of_several_rules_the_weightiest_counts(tmp_path: Path) -> None:
    css = ".box p { color: #000000 } p { color: #eeeeee } p { background: #eeeeee !important }"
    html = f'<style>{css}</style><div class="box"><p style="background:#000000">Ink</p></div>'
    assert found_in(tmp_path, html) == []


def test_dark_colours_count_in_dark_mode_only(tmp_path: Path) -> None:
    css = "@media (prefers-color-scheme:dark) { body { background: #111111 !important } }"
    html = f'<style>{css}</style><body style="background:#ffffff"><p style="color:#222222">Bonjour</p></body>'
    [found] = found_in(tmp_path, html)
    assert found.message.endswith("in #222222 on #111111 has a contrast of 1.2 in dark mode")


def test_a_pair_of_colours_is_told_once(tmp_path: Path) -> None:
    assert len(found_in(tmp_path, PALE * 5)) == 2
