"""`newsletter send --dry-run`: the whole pipeline at full audience, into a sink of our own."""

from __future__ import annotations

from pathlib import Path

import typer

from newsletter.audience.lists import count_active
from newsletter.cli.output import print_json, print_table, say, warn
from newsletter.clock import utc_now
from newsletter.config import Settings
from newsletter.db import Database
from newsletter.errors import InputError, NewsletterError
from newsletter.mail.addresses import domain_of, for_wire
from newsletter.sending.builders import dkim_keys, make_builder
from newsletter.sending.rehearsal import Limits, Rehearsal, ask_limits
from newsletter.sending.rehearsal import rehearse as run
from newsletter.sending.submit import prepare
from newsletter.smtp_accounts import accounts_for
from newsletter.tracking.tokens import Tokens

SOMEBODY_WOULD_FAIL = 1
# Any number will do: tokens are as long for one as for another.
MAILING_ID = 1


def rehearse(database: Database, settings: Settings, issue: Path, list_slug: str, *, as_json: bool) -> None:
    """Print what came of it; exit with 1 where somebody would not get their message."""
    with database.read() as session:
        prepared = prepare(session, issue, list_slug, base_url=settings.base_url)
        if count_active(session, prepared.mailing_list.id) == 0:
            raise InputError(f"nobody is on the list “{list_slug}”: import subscribers first")
        for warning in prepared.issue.warnings:
            warn(warning)
        builder = make_builder(
            MAILING_ID,
            prepared.content,
            prepared.publication,
            prepared.mailing_list,
            settings.base_url,
            Tokens.of(settings.secret()),
            dkim_keys(settings),
        )
        limits = _limits(settings, prepared.publication.from_email)
        found = run(session, prepared.mailing_list.id, builder, limits, utc_now())
    if as_json:
        print_json(_facts(found))
    else:
        _print(found)
    if found.failures:
        raise typer.Exit(SOMEBODY_WOULD_FAIL)


def _limits(settings: Settings, from_email: str) -> Limits:
    """Those of the server that would be first to get it."""
    accounts = accounts_for(settings.accounts, domain_of(for_wire(from_email)))
    if not accounts:
        warn(f"no SMTP account is for mail from {domain_of(from_email)}: nothing could be sent")
        return Limits()
    try:
        return ask_limits(accounts[0].smtp)
    except NewsletterError as error:
        warn(f"{error}; its limits are not known")
        return Limits()


def _facts(found: Rehearsal) -> dict[str, object]:
    return {
        "audience": found.audience,
        "messages": found.messages,
        "bytes": found.bytes,
        "largest_bytes": found.largest_bytes,
        "largest_for": found.largest_for,
        "seconds": round(found.seconds, 3),
        "failures": [{"email": email, "reason": reason} for email, reason in found.failures],
    }


def _print(found: Rehearsal) -> None:
    rate = found.messages / found.seconds if found.seconds else 0
    say(
        f"Dry run: {found.messages:,} messages for {found.audience:,} recipients, {found.bytes / 1e6:,.1f} MB, "
        f"built and handed over in {found.seconds:.1f} s ({rate:,.0f} a second). Nothing was sent."
    )
    say(f"The largest is {found.largest_bytes:,} bytes, for {found.largest_for}.")
    if found.failures:
        say(f"\n{len(found.failures):,} would not get it:")
        print_table(("recipient", "why"), found.failures)
    else:
        say("Nobody would fail.")
