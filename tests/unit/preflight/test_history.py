from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from newsletter.db import Database
from newsletter.issues.drafts import Draft, save_draft
from newsletter.models import Publication
from newsletter.preflight.finding import Finding
from newsletter.preflight.history import Previous, check_history, previous
from tests.factories import NOW, make_publication
from tests.unit.preflight.proofs import BODY, HEAD, only, proof_of, told

LONG = (
    "Chaque semaine, la rédaction relit ses notes, appelle ceux qui savent, doute un peu, puis écrit ce qu’elle a "
    "compris du monde comme il va."
)


def numbered(number: int | str) -> str:
    return HEAD.replace("preheader:", f"number: {number}\npreheader:")


def keep(session: Session, publication: Publication, number: int | None, body: str, days: int) -> None:
    title = "Vendredi" if number is not None else body[:20]
    source = f"{HEAD}{body}\n"
    save_draft(session, publication, Draft(source, title, number), NOW + timedelta(days=days))


def found_after(session: Session, publication: Publication, folder: Path, head: str, body: str) -> list[Finding]:
    proof = proof_of(folder, body, head)
    return check_history(proof, previous(session, publication, proof))


def test_the_first_issue_follows_nothing(database: Database, tmp_path: Path) -> None:
    with database.write() as session:
        assert found_after(session, make_publication(session), tmp_path, numbered(1), LONG) == []


@pytest.mark.parametrize("number", ["55", "56", "58"])
def test_a_number_that_does_not_follow_is_told(tmp_path: Path, number: str) -> None:
    proof = proof_of(tmp_path, "Bonjour.\n", numbered(number))
    found = only(lambda one: check_history(one, Previous(56, "")), proof)
    assert (found.code, found.line) == ("number", 3)
    assert found.message == f"number {number} does not follow 56, the last issue's"
    assert found.remedy == "write “number: 57”"


def test_a_missing_number_is_told_where_the_last_issue_had_one(tmp_path: Path) -> None:
    assert told(check_history(proof_of(tmp_path, "Bonjour.\n"), Previous(56, ""))) == [("number", None)]
    assert check_history(proof_of(tmp_path, "Bonjour.\n"), Previous(None, "")) == []


def test_the_next_number_is_left_alone(tmp_path: Path) -> None:
    assert check_history(proof_of(tmp_path, "Bonjour.\n", numbered(57)), Previous(56, "")) == []


def test_the_last_issue_is_the_latest_of_the_same_publication(database: Database, tmp_path: Path) -> None:
    with database.write() as session:
        publication, other = make_publication(session), make_publication(session, "autre")
        keep(session, publication, 55, "a", 0)
        keep(session, publication, 56, "b", 7)
        keep(session, other, 80, "c", 8)
        assert found_after(session, publication, tmp_path, numbered(57), "Bonjour.\n") == []
        assert told(found_after(session, publication, tmp_path, numbered(56), "Bonjour.\n")) == []
        # An old issue that is sent once more is compared with the one that was before it.
        keep(session, publication, 57, "d", 14)
        assert found_after(session, publication, tmp_path, numbered(56), "Bonjour.\n") == []
        assert told(found_after(session, publication, tmp_path, numbered(59), "Bonjour.\n")) == [("number", 3)]


def test_a_paragraph_left_from_the_last_issue_is_told_with_its_line(database: Database, tmp_path: Path) -> None:
    with database.write() as session:
        publication = make_publication(session)
        keep(session, publication, 56, f"Un mot.\n\n{LONG}", 0)
        body = f"\nDu neuf.\n\n{LONG.replace(' ', chr(10), 3)}\n"
        found = found_after(session, publication, tmp_path, numbered(57), body)
    assert told(found) == [("leftover", BODY + 4)]
    assert "“chaque semaine, la rédaction relit" in found[0].message


def test_only_the_last_text_of_the_last_issue_counts(database: Database, tmp_path: Path) -> None:
    with database.write() as session:
        publication = make_publication(session)
        keep(session, publication, 56, LONG, 0)
        keep(session, publication, 56, "Tout est neuf.", 1)
        assert found_after(session, publication, tmp_path, numbered(57), f"{LONG}\n") == []


def test_short_lines_and_rewritten_paragraphs_are_left_alone(database: Database, tmp_path: Path) -> None:
    with database.write() as session:
        publication = make_publication(session)
        keep(session, publication, 56, f"Répondez simplement à ce message.\n\n{LONG}", 0)
        body = f"Répondez simplement à ce message.\n\n{LONG} Ou presque.\n"
        assert found_after(session, publication, tmp_path, numbered(57), body) == []
