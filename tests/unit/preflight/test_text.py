from __future__ import annotations

from pathlib import Path

import pytest

from newsletter.preflight.page import Element
from newsletter.preflight.proof import Proof
from newsletter.preflight.text import check_text
from tests.unit.preflight.proofs import BODY, HEAD, only, proof_of, told


@pytest.mark.parametrize(
    ("subject", "code"),
    [
        ("Un vendredi comme les autres, où il ne se passe rien que de très ordinaire", "subject-length"),
        ("TOUT DOIT DISPARAÎTRE", "subject-capitals"),
        ("🎉🎉", "subject-emoji"),
    ],
)
def test_a_subject_that_is_too_long_shouts_or_says_nothing_is_told(tmp_path: Path, subject: str, code: str) -> None:
    head = HEAD.replace("language:", f'subject: "{subject}"\nlanguage:')
    assert told(check_text(proof_of(tmp_path, "Bonjour.\n", head))) == [(code, 4)]


@pytest.mark.parametrize(
    "subject", ["L’ONU et l’OTAN", "ONU", "🎉 Vendredi", "{{ subscriber.first_name }}", "56", "« Été » : n° 3"]
)
def test_a_subject_with_words_acronyms_or_tags_is_left_alone(tmp_path: Path, subject: str) -> None:
    head = HEAD.replace("language:", f"subject: {subject!r}\nlanguage:")
    assert check_text(proof_of(tmp_path, "Bonjour.\n", head)) == []


def test_a_missing_preheader_is_told(tmp_path: Path) -> None:
    head = HEAD.replace('preheader: "Ce qui attend le lecteur."\n', "")
    found = only(check_text, proof_of(tmp_path, "Bonjour.\n", head))
    assert (found.code, found.line) == ("preheader", None)
    assert "preheader: …" in found.remedy


def test_a_key_that_means_nothing_is_told_with_the_one_that_was_meant(tmp_path: Path) -> None:
    found = only(check_text, proof_of(tmp_path, "Bonjour.\n", HEAD.replace("date:", "autor: Ada\ndate:")))
    assert (found.code, found.line, found.remedy) == ("front-matter", 5, "did you mean author?")


def test_html_that_does_not_name_its_language_is_told(tmp_path: Path) -> None:
    proof = proof_of(tmp_path, "Bonjour.\n")
    silent = Proof(proof.issue, proof.content, Element(""), proof.base_url)
    assert told(check_text(silent)) == [("language", None)]


def test_a_heading_that_skips_a_level_is_told_with_its_line(tmp_path: Path) -> None:
    found = only(check_text, proof_of(tmp_path, "\n## Un\n\n#### Deux *fois*\n\nBonjour.\n"))
    assert (found.code, found.line, found.remedy) == ("heading-order", BODY + 3, "write it with ###")


def test_headings_may_go_up_by_more_than_one_level(tmp_path: Path) -> None:
    assert check_text(proof_of(tmp_path, "\n## Un\n\n### Deux\n\n#### Trois\n\n## Quatre\n")) == []
