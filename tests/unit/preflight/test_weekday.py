from __future__ import annotations

from pathlib import Path

import pytest

from newsletter.preflight.weekday import check_weekdays
from tests.unit.preflight.proofs import BODY, HEAD, proof_of, told


@pytest.mark.parametrize(
    ("language", "text", "meant"),
    [
        ("fr", "On vote le lundi 15 mars 2026.", "dimanche 15 mars 2026"),
        ("fr", "On vote le **vendredi 1er août**.", "samedi 1 août 2026"),
        ("fr", "Rendez-vous Jeudi 13\N{NO-BREAK SPACE}mars.", "vendredi 13 mars 2026"),
        ("fr", "Rendez-vous mardi 5 janvier.", "lundi 5 janvier 2026"),
        ("en", "See you on Monday, March 13th, 2026.", "Friday 13 March 2026"),
        ("en", "See you on Monday the 13th of March 2026.", "Friday 13 March 2026"),
        ("de", "Bis Montag, 13. März 2026.", "Freitag 13 März 2026"),
    ],
)
def test_a_date_on_another_day_of_the_week_is_told(tmp_path: Path, language: str, text: str, meant: str) -> None:
    found = check_weekdays(proof_of(tmp_path, f"\n{text}\n"), language)
    assert told(found) == [("weekday", BODY + 1)]
    assert found[0].message.endswith(f"is another day: {meant}")


@pytest.mark.parametrize(
    "text",
    [
        "On vote le dimanche 15 mars 2026, et vendredi 13 mars on en parle.",
        "Le lundi 31 février n’existe pas ; lundi prochain, si.",
        "Chaque vendredi, 13 abonnés de plus.",
    ],
)
def test_a_date_that_is_right_or_none_is_left_alone(tmp_path: Path, text: str) -> None:
    assert check_weekdays(proof_of(tmp_path, f"{text}\n"), "fr") == []


def test_a_date_without_a_year_in_an_issue_without_a_date_is_left_alone(tmp_path: Path) -> None:
    proof = proof_of(tmp_path, "Jeudi 13 mars.\n", HEAD.replace("date: 2026-03-13\n", ""))
    assert check_weekdays(proof, "fr") == []


def test_a_language_that_nobody_knows_is_left_alone(tmp_path: Path) -> None:
    assert check_weekdays(proof_of(tmp_path, "Jeudi 13 mars 2026.\n"), "zzz") == []
