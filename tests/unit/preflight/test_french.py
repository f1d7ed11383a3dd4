from __future__ import annotations

import pytest

from newsletter.preflight.french import check_french, mend_french
from tests.unit.preflight.proofs import BODY, HEAD, told

S = "\N{NO-BREAK SPACE}"


def test_missing_spaces_are_told_once_with_the_first_line() -> None:
    source = f"{HEAD}\nBonjour.\n\nÇa va ?\n\nTrès bien !\n"
    [found] = check_french(source, "fr-BE")
    assert told([found]) == [("french-spaces", BODY + 3)]
    assert found.message == "no-break spaces are missing on 2 lines"


@pytest.mark.parametrize(
    ("line", "mended"),
    [
        ("Ça va ? Oui !", f"Ça va{S}? Oui{S}!"),
        ("Ça va? Oui!", f"Ça va{S}? Oui{S}!"),
        ("Il dit : « bonjour ».", f"Il dit{S}: «{S}bonjour{S}»."),
        ("- **Qui ?** Nous ; vous.", f"- **Qui{S}?** Nous{S}; vous."),
    ],
)
def test_the_file_is_mended_and_then_right(line: str, mended: str) -> None:
    assert mend_french(f"{HEAD}{line}\n", "fr") == f"{HEAD}{mended}\n"
    assert check_french(f"{HEAD}{mended}\n", "fr") == []


@pytest.mark.parametrize(
    "line",
    [
        "De 10:30 à 11:00, sur https://chd.lu/?a=1;b=2 .",
        "[lien](https://chd.lu/a?b ; c)",
        "{% if subscriber.ville == 'Où ?' %}",
        "{{ subscriber.ville | default('Où ?') }}",
        "Le code `a ? b : c` et <https://chd.lu/ ?>.",
        "::: button",
        ":::",
        "[note]: https://chd.lu/",
        "| :--- | ---: |",
        f"Déjà bien{S}!",
    ],
)
def test_what_is_no_prose_is_left_alone(line: str) -> None:
    source = f"{HEAD}{line}\n"
    assert mend_french(source, "fr") == source
    assert check_french(source, "fr") == []


def test_code_and_front_matter_are_left_alone() -> None:
    source = f"{HEAD}```\nÇa va ?\n```\n~~~\n```\nEt là ?\n~~~\n"
    assert mend_french(source, "fr") == source
    assert mend_french(f"{source}Et ici ?\n", "fr") == f"{source}Et ici{S}?\n"


def test_line_endings_and_other_languages_stay_as_they_are() -> None:
    source = f"{HEAD}Ça va ?\r\nOui !"
    assert mend_french(source, "fr") == f"{HEAD}Ça va{S}?\r\nOui{S}!"
    assert mend_french(source, "en") == source
    assert check_french(source, "en") == []
