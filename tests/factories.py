"""Rows for tests, made through the rooms' own functions, so that a test's world is one the system can get into."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from tempfile import NamedTemporaryFile

from sqlalchemy import select
from sqlalchemy.orm import Session

from newsletter.audience.digests import address_digest
from newsletter.audience.files.source import open_source
from newsletter.audience.imports import run_import
from newsletter.audience.jobs import Options
from newsletter.audience.lists import add_list
from newsletter.config import Settings
from newsletter.db import Database
from newsletter.issues.publications import NewPublication, add_publication
from newsletter.mail.addresses import normalise
from newsletter.models import List, Publication, Subscriber
from newsletter.resources import SAMPLE_ISSUE
from newsletter.sending.plan import plan
from newsletter.sending.settle import Patience
from newsletter.sending.submit import prepare, submit

NOW = datetime(2026, 3, 13, 7, 0, tzinfo=UTC)
BASE_URL = "https://lettres.example.org"
# Good for 32 bytes, and the same in every process of a test.
SECRET = "a secret key that only tests use, 0123456789"
DIGEST = address_digest(SECRET.encode())
# As they are where nobody sets them.
PATIENCE = Patience.of(Settings.model_construct())
SOFT_BOUNCES = PATIENCE.soft_bounces
EMAILS = ("ada@example.org", "blaise@example.org", "chloe@example.org")


def make_publication(
    session: Session, slug: str = "hebdo", *, name: str = "L’Hebdo", language: str = "fr"
) -> Publication:
    """A publication that writes from `redaction@hebdo.example`."""
    new = NewPublication(
        slug=slug,
        name=name,
        from_email=f"redaction@{slug}.example",
        reply_to=f"courrier@{slug}.example",
        language=language,
        timezone="Europe/Brussels",
        postal_address="Rue de l’Exemple 56, 1000 Bruxelles",
    )
    return add_publication(session, new, NOW)


def make_list(session: Session, publication: Publication | None = None, slug: str = "vendredi") -> List:
    """A list with nobody on it; of a publication of its own unless one is given."""
    return add_list(session, publication or make_publication(session), slug, f"Liste {slug}", NOW)


def subscribe(session: Session, mailing_list: List, email: str, first_name: str = "") -> Subscriber:
    """Someone who is on the list from now on, as an import puts them there."""
    return subscribe_all(session, mailing_list, [(email, first_name)])[0]


def subscribe_all(session: Session, mailing_list: List, people: Iterable[tuple[str, str]]) -> list[Subscriber]:
    """Several at once, each an address and a first name, in that order."""
    rows = list(people)
    with NamedTemporaryFile("w", suffix=".csv", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("email", "first_name"))
        writer.writerows(rows)
        file.flush()
        report = run_import(
            session, mailing_list, open_source(Path(file.name)), NOW, Options(consent="tests"), DIGEST
        )
    assert not report.refused, report.samples["refused"]
    emails = [normalise(email) for email, _ in rows]
    found = {one.email: one for one in session.scalars(select(Subscriber).where(Subscriber.email.in_(emails)))}
    return [found[email] for email in emails]


def make_mailing(
    database: Database,
    emails: Iterable[str] = EMAILS,
    *,
    slug: str = "vendredi",
    language: str = "fr",
    issue: Path = SAMPLE_ISSUE,
    base_url: str = BASE_URL,
    planned: bool = True,
) -> int:
    """The id of a mailing of `issue` whose deliveries are `pending`, with a publication and a list of its own.

    With `planned=False` it is only scheduled: due now, no deliveries yet. A second mailing needs another `slug`.
    """
    with database.write() as session:
        publication = make_publication(session, f"hebdo-{slug}", language=language)
        mailing_list = make_list(session, publication, slug)
        subscribe_all(session, mailing_list, [(email, "") for email in emails])
        mailing_id = submit(session, prepare(session, issue, slug, base_url=base_url), due_at=NOW, now=NOW).mailing.id
    if planned:
        with database.write() as session:
            plan(session, mailing_id, NOW)
    return mailing_id
