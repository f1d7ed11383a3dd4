from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from newsletter.preflight.page import Element
from newsletter.preflight.parts import check_address, check_parts
from newsletter.preflight.proof import Proof
from newsletter.rendering.compile import Masthead
from newsletter.rendering.content import UNSUBSCRIBE_TOKEN
from newsletter.rendering.template import Template, Variable
from tests.unit.preflight.proofs import MASTHEAD, only, proof_of, told


def without_unsubscribing(template: Template) -> Template:
    return tuple(part for part in template if part != Variable(UNSUBSCRIBE_TOKEN))


def test_a_message_with_all_its_parts_is_left_alone(tmp_path: Path) -> None:
    proof = proof_of(tmp_path, "Voir [la Chambre](https://chd.lu/) et [l’agence](https://iaea.org/).\n")
    assert check_parts(proof) == []
    assert check_address(proof) == []


def test_an_empty_text_part_is_told(tmp_path: Path) -> None:
    proof = proof_of(tmp_path, "Bonjour.\n")
    silent = replace(proof, content=replace(proof.content, text=("\n", Variable(UNSUBSCRIBE_TOKEN))))
    assert check_parts(silent) == []
    empty = replace(proof, content=replace(proof.content, text=("\n",)))
    assert told(check_parts(empty)) == [("text-part", None), ("unsubscribe-link", None)]


def test_a_link_that_the_text_part_lacks_is_told(tmp_path: Path) -> None:
    proof = proof_of(tmp_path, "Voir [la Chambre](https://chd.lu/).\n")
    lacking = replace(proof, content=replace(proof.content, text=("Voir.\n", Variable(UNSUBSCRIBE_TOKEN))))
    found = only(check_parts, lacking)
    assert found.code == "text-links"
    assert "https://chd.lu/" in found.message


def test_a_message_without_a_way_out_is_told_part_by_part(tmp_path: Path) -> None:
    proof = proof_of(tmp_path, "Bonjour.\n")
    content = proof.content
    html = replace(content, html=without_unsubscribing(content.html))
    assert only(check_parts, replace(proof, content=html)).message == "the HTML part has no link to unsubscribe"
    text = replace(content, text=without_unsubscribing(content.text))
    assert only(check_parts, replace(proof, content=text)).message == "the text part has no link to unsubscribe"


def test_a_publication_without_a_postal_address_is_told(tmp_path: Path) -> None:
    proof = proof_of(tmp_path, "Bonjour.\n", masthead=Masthead("L’Hebdo", "fr"))
    assert only(check_address, proof).message == "the publication has no postal address"


def test_a_theme_that_leaves_the_postal_address_out_is_told(tmp_path: Path) -> None:
    proof = proof_of(tmp_path, "Bonjour.\n")
    bare = Proof(proof.issue, proof.content, Element(""), proof.base_url)
    assert only(check_address, bare).message == "the theme leaves the postal address out"


def test_an_address_on_several_lines_is_found(tmp_path: Path) -> None:
    masthead = Masthead(MASTHEAD.name, "fr", "Rue de l’Exemple 56\n1000 Bruxelles")
    assert check_address(proof_of(tmp_path, "Bonjour.\n", masthead=masthead)) == []
