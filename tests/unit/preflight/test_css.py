from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from newsletter.preflight.css import check_css
from newsletter.preflight.page import read_page
from newsletter.rendering.inline import inline
from tests.unit.preflight.proofs import only, proof_of


@pytest.mark.parametrize(
    ("css", "who"),
    [
        ("position:absolute", "Gmail"),
        ("transform:rotate(3deg)", "Gmail and Outlook and Yahoo Mail"),
        ("left:3px", "Gmail and Yahoo Mail"),
        ("--accent:#123456", "Gmail and Outlook and Yahoo Mail"),
        ("color:var(--accent)", "Gmail and Outlook and Yahoo Mail"),
        ("width:calc(100% - 3px)", "Outlook and Yahoo Mail"),
        ("font-size:2rem", "Yahoo Mail"),
        ("inline-size:3px", "Gmail and Outlook and Apple Mail and Yahoo Mail"),
    ],
)
def test_css_that_a_big_program_drops_is_told_in_attributes_and_style_sheets(
    tmp_path: Path, css: str, who: str
) -> None:
    proof = proof_of(tmp_path, "Bonjour.\n")
    for html in (f'<p style="{css}">Bonjour</p>', f"<style>p {{ {css} }}</style><p>Bonjour</p>"):
        found = only(check_css, replace(proof, page=read_page(html)))
        assert found.code == "css-support"
        assert found.message.startswith(f"{who} drop ")
        assert css in found.message


@pytest.mark.parametrize("style", ["color", "}{ x", "color:red; margin", ":"])
def test_a_style_that_cannot_be_read_is_told_since_it_keeps_the_message_from_being_inlined(
    tmp_path: Path, style: str
) -> None:
    proof = proof_of(tmp_path, "Bonjour.\n")
    page = f'<p style="{style}">Bonjour</p>'
    assert "<style>p{padding:1px}</style>" in inline(f"<head></head>{page}", "p{padding:1px}")
    found = only(check_css, replace(proof, page=read_page(page)))
    assert found.code == "css-broken"
    assert f"“{style}”" in found.message


@pytest.mark.parametrize("css", ["@import url(a.css);", "@keyframes x { from { color: #000 } }"])
def test_at_rules_that_a_big_program_drops_are_told(tmp_path: Path, css: str) -> None:
    proof = proof_of(tmp_path, "Bonjour.\n")
    found = only(check_css, replace(proof, page=read_page(f"<style>{css}</style>")))
    assert found.message.startswith("Gmail ")


@pytest.mark.parametrize(
    "html",
    [
        '<p style="color:#000000;padding:3px;border-radius:3px;max-width:640px;mso-line-height-rule:exactly">a</p>',
        "<style>@media (max-width:479px) { p { position: absolute } }</style>",
        '<style media="screen">p { position: absolute }</style>',
        "<!--[if mso]><style>p { position: absolute }</style><![endif]-->",
    ],
)
def test_css_that_works_or_is_meant_for_some_is_left_alone(tmp_path: Path, html: str) -> None:
    assert check_css(replace(proof_of(tmp_path, "Bonjour.\n"), page=read_page(html))) == []
