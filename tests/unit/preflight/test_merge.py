from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session

from newsletter.audience.subscriptions import unsubscribe
from newsletter.audience.suppressions import suppress
from newsletter.db import Database
from newsletter.models import List, Publication, SuppressionReason
from newsletter.preflight.columns import audience
from newsletter.preflight.finding import Severity
from newsletter.preflight.merge import check_merge_tags
from tests.factories import NOW, make_list, subscribe, subscribe_all
from tests.unit.preflight.proofs import BODY, HEAD, proof_of, told

PEOPLE = [
    ("ada@example.org", "Ada"),
    ("blaise@example.org", ""),
    ("chloe@example.org", ""),
    ("dora@example.org", "D"),
]


def people(session: Session) -> List:
    """A list of four; two of them have no first name, and one of these a town."""
    mailing_list = make_list(session)
    subscribers = subscribe_all(session, mailing_list, PEOPLE)
    subscribers[1].attributes = {"ville": "Liège"}
    subscribers[3].attributes = {"ville": "Huy", "club": ""}
    session.flush()
    return mailing_list


@pytest.mark.parametrize(
    ("tag", "empty"),
    [
        ("subscriber.first_name", 2),
        ("subscriber.last_name", 4),
        ("subscriber.name", 2),
        ("subscriber.ville", 2),
        ("subscriber.club", 4),
        ("subscriber.first_name or subscriber.ville", 1),
    ],
)
def test_a_tag_that_some_recipients_lack_is_told_with_how_many(
    database: Database, tmp_path: Path, tag: str, empty: int
) -> None:
    with database.write() as session:
        mailing_list = people(session)
        proof = proof_of(tmp_path, f"\nUn mot.\n\nBonjour {{{{ {tag} }}}}.\n")
        [found] = check_merge_tags(session, audience(session, mailing_list.id), proof)
    assert (found.code, found.line, found.severity) == ("merge-tag", BODY + 3, Severity.ERROR)
    assert found.message == f"{{{{ {tag} }}}} is empty for {empty} of 4 recipients"
    assert found.remedy == f'give it a default: {{{{ {tag} | default("…") }}}}'


@pytest.mark.parametrize(
    "body",
    [
        "Bonjour {{ subscriber.email }}.\n",
        "Bonjour {{ subscriber.first_name | default('vous') }}.\n",
        "{% if subscriber.ville %}Vous êtes de {{ subscriber.ville }}.{% endif %}\n",
        "Le numéro {{ issue.title }}.\n",
    ],
)
def test_a_tag_that_nobody_lacks_is_left_alone(database: Database, tmp_path: Path, body: str) -> None:
    with database.write() as session:
        mailing_list = people(session)
        assert check_merge_tags(session, audience(session, mailing_list.id), proof_of(tmp_path, body)) == []


def test_only_those_who_would_be_written_to_count(database: Database, tmp_path: Path) -> None:
    with database.write() as session:
        mailing_list = make_list(session)
        subscribe(session, mailing_list, "ada@example.org", "Ada")
        gone = subscribe(session, mailing_list, "blaise@example.org")
        unsubscribe(session, mailing_list.id, gone.id, NOW)
        subscribe(session, mailing_list, "chloe@example.org")
        suppress(session, "chloe@example.org", SuppressionReason.BOUNCED, "test", NOW)
        publication = session.get_one(Publication, mailing_list.publication_id)
        subscribe(session, make_list(session, publication, "samedi"), "dora@example.org")
        proof = proof_of(tmp_path, "Bonjour {{ subscriber.first_name }}.\n")
        assert check_merge_tags(session, audience(session, mailing_list.id), proof) == []


def test_subject_and_preheader_are_looked_at_too(database: Database, tmp_path: Path) -> None:
    head = HEAD.replace("language:", 'subject: "Pour {{ subscriber.first_name }}"\nlanguage:')
    head = head.replace("Ce qui attend", "{{ subscriber.ville }} et")
    with database.write() as session:
        found = check_merge_tags(
            session, audience(session, people(session).id), proof_of(tmp_path, "Bonjour.\n", head)
        )
    assert sorted(told(found), key=str) == [("merge-tag", 3), ("merge-tag", 4)]


def test_a_field_is_asked_for_once_however_often_it_stands_there(database: Database, tmp_path: Path) -> None:
    with database.write() as session:
        mailing_list = people(session)
        proof = proof_of(tmp_path, "{{ subscriber.ville }}, {{ subscriber.ville | upper }}, {{ subscriber.club }}\n")
        everyone = audience(session, mailing_list.id)
        asked: list[str] = []
        event.listen(session.connection(), "before_cursor_execute", lambda *args: asked.append(str(args[2])))
        assert len(check_merge_tags(session, everyone, proof)) == 3
    # A query for each of the two fields, and one for how many there are.
    assert len(asked) == 3
