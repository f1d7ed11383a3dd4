"""The sample as a browser without pictures or styles shows it, where one is installed."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from newsletter.rendering.compile import Masthead
from newsletter.rendering.issue_file import read_issue
from newsletter.rendering.merge import context_for, merge
from newsletter.resources import SAMPLE_ISSUE
from tests.unit.rendering.reading import BASE_URL, TOKENS

W3M = shutil.which("w3m")


def dumped(html: str) -> str:
    if W3M is None:
        pytest.skip("w3m is not installed")
    done = subprocess.run(
        [W3M, "-dump", "-T", "text/html", "-I", "UTF-8", "-O", "UTF-8", "-cols", "78"],
        input=html.encode(),
        capture_output=True,
        check=True,
    )
    return done.stdout.decode()


@pytest.mark.parametrize("theme", ["digest", "letter", "magazine"])
def test_without_styles_the_sample_reads_from_top_to_bottom(theme: str) -> None:
    masthead = Masthead("L’Hebdo", "fr", "L’Hebdo\nrue Haute 1\n1000 Bruxelles", theme)
    content = read_issue(SAMPLE_ISSUE).compile(masthead, BASE_URL)
    shown = dumped(merge(content.html, context_for(content, {"first_name": "Zoé"}, TOKENS)))
    words = " ".join(shown.split())
    in_order = [
        "Le scrutin du 15 mars",
        "Kazakhstan : deux jours avant le référendum",
        "Bonjour Zoé, dimanche",
        "Référendum : un pays devant son texte fondateur",
        "• Qui ? Les citoyens kazakhs",
        "Consulter le portail officiel kazakh",
        "1. la finance, puisque",
        "— La rédaction",
        "Le saviez-vous ?",
        "15 mars, de 7 h à 20 h",
        "Uccle",
        "Pour conclure",
        "L’Hebdo rue Haute 1 1000 Bruxelles",
        "Se désabonner",
    ]
    words = words.replace("\N{NO-BREAK SPACE}", " ").replace("\N{NARROW NO-BREAK SPACE}", " ")
    places = [words.rfind(piece) for piece in in_order]
    assert -1 not in places, in_order[places.index(-1)]
    assert places == sorted(places)
    assert not {"{{", "{%", "<", "&"} & set(words.split())
    assert max(map(len, shown.splitlines())) <= 78
