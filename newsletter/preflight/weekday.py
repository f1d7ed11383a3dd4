"""Dates in the text whose day of the week is another."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, get_day_names, get_month_names

from newsletter.preflight.finding import Finding, warning
from newsletter.preflight.proof import Proof


def check_weekdays(proof: Proof, language: str) -> list[Finding]:
    """A finding for each date such as `vendredi 13 mars 2026`, in the issue's language, that is another day.

    A date without a year is taken to be the one nearest to the issue's own.
    """
    return list(_faults(proof, language))


def _faults(proof: Proof, language: str) -> Iterator[Finding]:
    try:
        locale = Locale.parse(language, sep="-")
    except (UnknownLocaleError, ValueError):
        return
    days = _numbered(get_day_names("wide", locale=locale))
    months = _numbered(get_month_names("wide", locale=locale))
    near = proof.issue.document.front.date
    for number, line in enumerate(proof.issue.source.splitlines(), 1):
        for match in _pattern(days, months).finditer(line):
            day_of_month, month = match["day1"] or match["day2"], match["month1"] or match["month2"]
            meant = _date(int(day_of_month), months[month.lower()], match["year"], near)
            if meant is None or meant.weekday() == days[match["weekday"].lower()]:
                continue
            actual = format_date(meant, "EEEE d MMMM yyyy", locale=locale)
            yield warning("weekday", number, f"“{match[0]}” is another day: {actual}", "mend the day or the date")


def _numbered(names: Mapping[int, str]) -> dict[str, int]:
    return {name.lower(): number for number, name in names.items()}


def _pattern(days: Mapping[str, int], months: Mapping[str, int]) -> re.Pattern[str]:
    def words(names: Mapping[str, int]) -> str:
        return "|".join(map(re.escape, sorted(names, key=len, reverse=True)))

    day, month = r"\d{1,2}", words(months)
    return re.compile(
        rf"\b(?P<weekday>{words(days)})\b[,*_]*\s+(?:the\s+|le\s+)?"
        rf"(?:(?P<day1>{day})(?:er|st|nd|rd|th|e|º|\.)?\s+(?:of\s+|de\s+)?(?P<month1>{month})\b"
        rf"|(?P<month2>{month})\s+(?P<day2>{day})(?:st|nd|rd|th)?\b)"
        r"(?:,?\s+(?:de\s+)?(?P<year>(?:19|20)\d\d)\b)?",
        re.IGNORECASE,
    )


def _date(day: int, month: int, year: str | None, near: date | None) -> date | None:
    """The date that is meant; None where that cannot be told, or there is no such day."""
    if year is None and near is None:
        return None
    years = [int(year)] if year else [near.year - 1, near.year, near.year + 1] if near else []
    found: list[date] = []
    for one in years:
        try:
            found.append(date(one, month, day))
        except ValueError:
            continue
    return min(found, key=lambda meant: abs(meant - (near or meant)), default=None)
