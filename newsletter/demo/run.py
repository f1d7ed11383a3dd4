"""The demo, step by step: publication, import, mailing, readers, accounts."""

from __future__ import annotations

import json
import os
import shutil
import socket
import time
from pathlib import Path

from newsletter import queue
from newsletter.audience.lists import add_list
from newsletter.clock import utc_now
from newsletter.config import Settings, load_settings
from newsletter.db import Database
from newsletter.demo.readers import Played
from newsletter.errors import ConflictError, UnavailableError
from newsletter.issues.publications import NewPublication, add_publication
from newsletter.queue import Queue
from newsletter.resources import SAMPLE_ISSUE
from newsletter.sending.submit import prepare as prepare_issue
from newsletter.sending.submit import submit
from newsletter.settings_sources import PREFIX
from newsletter.stats.report import report

FOLDER = Path(".demo")
MARKER = "newsletter.toml"
LIST = "vendredi"
PUBLICATION = NewPublication(
    slug="kazakhstan",
    name="Quoi de neuf au Kazakhstan cette semaine\N{NO-BREAK SPACE}?",
    from_email="redaction@quoi-de-neuf.example",
    reply_to="courrier@quoi-de-neuf.example",
    language="fr",
    timezone="Europe/Brussels",
    postal_address="Quoi de neuf, rue de l’Exemple 56, 1000 Bruxelles, Belgique",
)
# A name that is reserved for examples (RFC 2606), so that no message of the demo can lead to a stranger.
BASE_URL = "https://lettres.quoi-de-neuf.example"
FLUSH_SECONDS = 30.0
PAUSE_SECONDS = 0.1


def prepare(port: int | None) -> Settings:
    """Settings of the demo's own, in the environment, so that they also hold for the child processes.

    Writes nothing. Raises ConflictError where the demo's folder holds something else.
    """
    folder = FOLDER.resolve()
    if folder.exists() and any(folder.iterdir()) and not (folder / MARKER).is_file():
        raise ConflictError(f"{folder} is not empty and not a demo's: move it away")
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        del os.environ[name]
    values = {
        "data_dir": str(folder / "data"),
        "base_url": BASE_URL,
        "smtp_url": f"smtp://127.0.0.1:{free_port()}",
        "web_port": str(port or free_port(preferred=8025)),
    }
    os.environ.update({f"{PREFIX}{name}".upper(): value for name, value in values.items()})
    return load_settings()


def begin(settings: Settings) -> None:
    """Forget the last demo, once nobody else holds the folder, and keep this one's settings for other commands."""
    lines = [
        # A JSON string is a TOML one, whatever the path holds.
        f"data_dir = {json.dumps(str(settings.data_dir))}",
        f'base_url = "{settings.base_url}"',
        f'smtp_url = "{settings.smtp_url.get_secret_value()}"',
        f"web_port = {settings.web_port}",
    ]
    (settings.data_dir.parent / MARKER).write_text("\n".join(lines) + "\n", encoding="utf-8")
    for path in settings.data_dir.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name != "lock":
            path.unlink()


def found(database: Database) -> None:
    """Make the publication and its list."""
    with database.write() as session:
        publication = add_publication(session, PUBLICATION, utc_now())
        add_list(session, publication, LIST, "La lettre du vendredi", utc_now())


def start_mailing(database: Database, settings: Settings) -> int:
    """Schedule the sample issue for now; the mailing's number."""
    now = utc_now()
    with database.write() as session:
        prepared = prepare_issue(session, SAMPLE_ISSUE, LIST, base_url=settings.base_url)
        submitted = submit(session, prepared, due_at=now, now=now)
        mailing_id = submitted.mailing.id
    tasks = Queue(settings)
    tasks.put(queue.PLAN, mailing_id)
    tasks.close()
    return mailing_id


def wait_for_events(database: Database, mailing_id: int, played: Played) -> None:
    """Wait until what the readers did has reached SQL."""
    give_up_at = time.monotonic() + FLUSH_SECONDS
    while time.monotonic() < give_up_at:
        with database.read() as session:
            facts = report(session, mailing_id)
        seen = Played(
            opened=facts.opens.person.readers,
            clicked=facts.clicks.person.readers,
            unsubscribed=facts.unsubscribed,
            fetched=facts.opens.proxy.readers,
            scanned=facts.traps.machine.readers,
        )
        if seen == played:
            return
        time.sleep(PAUSE_SECONDS)
    raise UnavailableError(
        "what the readers did has not reached the database: see the worker's log in .demo/data/log"
    )


def free_port(preferred: int = 0) -> int:
    """`preferred` where it is free, else a port that is."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", preferred))
        except OSError:
            return free_port()
        return int(probe.getsockname()[1])
