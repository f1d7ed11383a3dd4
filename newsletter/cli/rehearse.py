"""`newsletter send --dry-run`: the whole pipeline at full audience, into a sink of our own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict

import typer

from newsletter.cli.output import print_json, print_table, say, warn
from newsletter.cli.progress import counted
from newsletter.clock import utc_now
from newsletter.config import Settings
from newsletter.db import Database
from newsletter.errors import InputError, NewsletterError
from newsletter.mail.session import Features
from newsletter.sending.builders import dkim_keys, make_builder
from newsletter.sending.rehearsal import Rehearsal, ask_features
from newsletter.sending.rehearsal import rehearse as run
from newsletter.sending.submit import Prepared
from newsletter.smtp_accounts import Account
from newsletter.tracking.tokens import Tokens

SOMEBODY_WOULD_FAIL = 1
# Any number will do: tokens are as long for one as for another.
MAILING_ID = 1
# More of them would push what was said before off the screen.
SHOWN_FAILURES = 20


def rehearse(
    database: Database,
    settings: Settings,
    accounts: Sequence[Account],
    prepared: Prepared,
    *,
    as_json: bool,
) -> None:
    """Print what came of it; exit with 1 where somebody would not get their message."""
    for warning in prepared.issue.warnings:
        warn(warning)
    with database.read() as session:
        builder = make_builder(
            MAILING_ID,
            prepared.content,
            prepared.publication,
            prepared.mailing_list,
            settings.base_url,
            Tokens.of(settings.secret()),
            dkim_keys(settings),
        )
        found = run(session, prepared.mailing_list.id, builder, list(_servers(accounts)), utc_now(), prepared.segment)
    if not found.audience:
        raise InputError(nobody(prepared))
    if as_json:
        print_json(_facts(found))
    else:
        _print(found)
    if found.failed:
        raise typer.Exit(SOMEBODY_WOULD_FAIL)


def nobody(prepared: Prepared) -> str:
    """Why a mailing would go to no one, and what to do."""
    slug = prepared.mailing_list.slug
    if prepared.segment is None:
        return f"nobody is on the list “{slug}”: import subscribers first"
    return f"nobody on the list “{slug}” is in the segment now: {prepared.segment}"


def _facts(found: Rehearsal) -> dict[str, object]:
    failures = [{"email": email, "reason": reason} for email, reason in found.failures]
    return {**asdict(found), "seconds": round(found.seconds, 3), "failures": failures}


def _servers(accounts: Sequence[Account]) -> Iterator[Features]:
    """Those of all accounts that the mailing may go over, as far as they answer."""
    for account in accounts:
        try:
            yield ask_features(account.smtp)
        except NewsletterError as error:
            warn(f"{error}; what it would refuse is not known")


def _print(found: Rehearsal) -> None:
    rate = found.messages / found.seconds
    say(
        f"Dry run: {counted(found.messages, 'message')} for {counted(found.audience, 'recipient')}, "
        f"{found.bytes / 1e6:,.1f} MB, built and handed over in {found.seconds:.1f} s ({rate:,.0f} a second). "
        "Nothing was sent."
    )
    if found.messages:
        say(f"The largest has {found.largest_bytes:,} bytes, for {found.largest_for}.")
    if not found.failed:
        say("Nobody would fail.")
        return
    say(f"\n{counted(found.failed, 'recipient')} would not get it:")
    print_table(("recipient", "why"), found.failures[:SHOWN_FAILURES])
    if found.failed > SHOWN_FAILURES:
        say(f"... and {found.failed - SHOWN_FAILURES:,} more; --json lists {len(found.failures):,}.")
