"""What to look at before mail stops arriving: numbers by domain that are past what mailbox providers bear."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from newsletter.stats.arrivals import FEWEST, OTHER, Arrival, Arrivals, total

# Google wants less than a thousandth of readers to complain, and never three: https://support.google.com/a/answer/81126
# Yahoo wants less than three: https://senders.yahooinc.com/best-practices/
COMPLAINTS_HIGH, COMPLAINTS_TOO_HIGH = 0.001, 0.003
# Amazon SES advises less than two in a hundred: https://docs.aws.amazon.com/ses/latest/dg/faqs-enforcement.html
HARD_BOUNCES_HIGH = 0.02
# One or two say nothing of all.
FEWEST_COMPLAINTS, FEWEST_BOUNCES = 2, 3
# These two are our own: nobody publishes any.
DEFERRED_HIGH, DEFERRED_RISE = 0.05, 2.0
OPENS_FALL, OPENS_STEADY, OPENS_FEWEST = 0.5, 0.8, 0.05
# Most who open do so within a day.
OPENED_AFTER = timedelta(hours=24)


class Subject(StrEnum):
    """What an alarm is about, the gravest first."""

    TOO_MANY_COMPLAINTS = "too-many-complaints"
    OPENS = "opens"
    DEFERRALS = "deferrals"
    COMPLAINTS = "complaints"
    HARD_BOUNCES = "hard-bounces"


ADVICE = {
    Subject.TOO_MANY_COMPLAINTS: (
        "Providers block senders of whom 0.3% complain: write there to those alone who opened or clicked lately, and "
        "find out how the others came to be on the list."
    ),
    Subject.OPENS: (
        "Where fewer open than elsewhere, the mail may lie among the spam: look into the provider’s tools for "
        "senders, have `newsletter check` look at SPF, DKIM and DMARC, and write there first to those who opened "
        "lately."
    ),
    Subject.DEFERRALS: "Who puts mail off may refuse it next: write there more slowly (docs/settings.md, pace).",
    Subject.COMPLAINTS: (
        "Providers want less than 0.1% to complain: make leaving easy to find, and leave out those who have not read "
        "for long."
    ),
    Subject.HARD_BOUNCES: (
        "More than 2% of addresses that are gone harm a sender. They are not mailed again; look at where they came "
        "from (`newsletter import ls`) before you write to others from there."
    ),
}


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something to look at, in words; `ADVICE` says what to do about its subject."""

    subject: Subject
    domain: str
    words: str


def alarms(found: Sequence[Arrivals], now: datetime) -> list[Alarm]:
    """Those of some mailings, the oldest of which comes first: the gravest subject first, then the largest domain.

    What rises or falls is compared among mailings to one list.
    """
    runs = [[one for one in found if one.list_id == list_id] for list_id in sorted({one.list_id for one in found})]
    said = []
    for domain, numbers in total(found).items():
        if domain != OTHER:
            about = [_complaints(numbers), (Subject.HARD_BOUNCES, _hard_bounces(numbers))]
            about += [(Subject.DEFERRALS, _deferrals(domain, run)) for run in runs]
            about += [(Subject.OPENS, _opens(domain, _read(run, now))) for run in runs]
            said += [Alarm(subject, domain, words) for subject, words in about if words]
    order = list(Subject)
    return sorted(said, key=lambda alarm: order.index(alarm.subject))


def _read(run: Sequence[Arrivals], now: datetime) -> list[Arrivals]:
    """The mailings that readers had time for."""
    return [one for one in run if now - one.started_at >= OPENED_AFTER]


def _complaints(numbers: Arrival) -> tuple[Subject, str]:
    rate = _rate(numbers.complaints, numbers.sent)
    is_high = numbers.complaints >= FEWEST_COMPLAINTS and rate >= COMPLAINTS_HIGH
    words = f"{rate:.2%} of the readers there complained" if is_high else ""
    return Subject.TOO_MANY_COMPLAINTS if rate >= COMPLAINTS_TOO_HIGH else Subject.COMPLAINTS, words


def _hard_bounces(numbers: Arrival) -> str:
    rate = _rate(numbers.hard, numbers.sent + numbers.rejected)
    if numbers.hard < FEWEST_BOUNCES or rate <= HARD_BOUNCES_HIGH:
        return ""
    return f"{rate:.1%} of the messages went to addresses that are gone"


def _deferrals(domain: str, run: Sequence[Arrivals]) -> str:
    compared = _last_and_before(domain, run)
    if compared is None:
        return ""
    rate, mean = (_rate(one.deferred, one.recipients) for one in compared)
    if rate <= DEFERRED_HIGH or rate < DEFERRED_RISE * mean:
        return ""
    return f"it put off {rate:.1%} of mailing {run[-1].mailing_id}, and {mean:.1%} of those before"


def _opens(domain: str, read: Sequence[Arrivals]) -> str:
    """A fall at one provider that the others do not share is no matter of taste."""
    mine = _opened(domain, read)
    elsewhere = [_opened(name, read) for name in (read[-1].domains if read else ()) if name != domain]
    others = [pair for pair in elsewhere if pair is not None]
    if mine is None or not others:
        return ""
    rate, mean = mine
    is_steady_elsewhere = sum(rate for rate, _ in others) >= OPENS_STEADY * sum(mean for _, mean in others)
    if mean < OPENS_FEWEST or rate >= OPENS_FALL * mean or not is_steady_elsewhere:
        return ""
    return f"{rate:.0%} opened mailing {read[-1].mailing_id}, {mean:.0%} those before, and elsewhere as many as ever"


def _opened(domain: str, read: Sequence[Arrivals]) -> tuple[float, float] | None:
    """The shares that opened the last mailing and those before, where both are known and enough were written to."""
    shares = []
    for one in _last_and_before(domain, read) or ():
        if one.seen is None or one.sent < FEWEST:
            return None
        shares.append(_rate(one.seen, one.sent))
    return (shares[0], shares[1]) if shares else None


def _last_and_before(domain: str, run: Sequence[Arrivals]) -> tuple[Arrival, Arrival] | None:
    """The last mailing's and those before together, where there are enough recipients in both to speak of shares."""
    if not run:
        return None
    last, before = run[-1].domains.get(domain), total(run[:-1]).get(domain)
    if last is None or before is None or min(last.recipients, before.recipients) < FEWEST:
        return None
    return last, before


def _rate(part: int, whole: int) -> float:
    return part / whole if whole else 0.0
