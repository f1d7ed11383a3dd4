from __future__ import annotations

from pathlib import Path

import pytest

from newsletter.preflight.links import check_links, web_addresses
from tests.factories import BASE_URL
from tests.unit.preflight.proofs import BODY, only, proof_of, told


@pytest.mark.parametrize(
    ("link", "code"),
    [
        ("[Lire](http://monarchie.lu/)", "link-insecure"),
        ("[Lire](https://bit.ly/3abc)", "link-shortened"),
        ("[Lire](https://example.com/numero)", "link-placeholder"),
        ("[Lire](https://www.site.test/)", "link-placeholder"),
        ("[Lire](TODO)", "link-placeholder"),
        ("[Lire](https://todo/)", "link-placeholder"),
        ("[Lire](#)", "link-placeholder"),
        ("[Lire](https://localhost:8000/)", "link-placeholder"),
        ("[Lire](https://192.168.0.4/)", "link-placeholder"),
        ("[Lire]()", "link-empty"),
        ("[](https://monarchie.lu/)", "link-empty"),
        ("[Lire](page.html)", "link-relative"),
        ("[Lire](/numeros/56)", "link-relative"),
        ("[Lire](//chd.lu/a)", "link-relative"),
        ("[Lire](www.chd.lu)", "link-relative"),
    ],
)
def test_a_link_that_is_not_fit_to_be_sent_is_told_with_its_line(tmp_path: Path, link: str, code: str) -> None:
    found = only(check_links, proof_of(tmp_path, f"\nUn mot.\n\nVoici : {link}\n"))
    assert (found.code, found.line) == (code, BODY + 3)


def test_a_button_s_link_is_looked_at_too(tmp_path: Path) -> None:
    found = only(check_links, proof_of(tmp_path, "\n::: button\n[Lire](https://example.org/)\n:::\n"))
    assert (found.code, found.line) == ("link-placeholder", BODY + 2)


def test_the_same_words_for_two_targets_are_told(tmp_path: Path) -> None:
    proof = proof_of(tmp_path, "[Lire](https://chd.lu/a)\n\n[lire](https://chd.lu/b)\n\n[Lire](https://chd.lu/a)\n")
    assert told(check_links(proof)) == [("link-ambiguous", BODY + 2)]


@pytest.mark.parametrize(
    "link",
    [
        "[Lire](https://chd.lu/)",
        "[Écrire](mailto:courrier@hebdo.be)",
        "[Appeler](tel:+3225550100)",
        "[Plus bas](#s-1)",
        "[Lire]({{ subscriber.ville }})",
        "[Lire](https://chd.lu/{{ subscriber.ville }})",
        "[Lire](https://example.community/)",
        f"[Merci]({BASE_URL}/thanks)",
    ],
)
def test_a_link_that_leads_somewhere_is_left_alone(tmp_path: Path, link: str) -> None:
    assert check_links(proof_of(tmp_path, f"{link}\n")) == []


def test_only_targets_on_the_web_that_everyone_shares_can_be_looked_at(tmp_path: Path) -> None:
    body = (
        "[a](https://chd.lu/) [b](https://chd.lu/) [c](https://chd.lu/{{ subscriber.ville }}) [d](mailto:a@chd.lu) "
        f"[e](#s-1) [f]({BASE_URL}/thanks) [g](http://iaea.org/?a=1&b=2)\n"
    )
    assert web_addresses(proof_of(tmp_path, body)) == ["https://chd.lu/", "http://iaea.org/?a=1&b=2"]
