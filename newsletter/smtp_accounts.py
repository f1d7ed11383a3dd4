"""SMTP accounts: as `[[smtp_accounts]]` describes them, and which of them a message goes through."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Annotated, Any, Self

from email_validator import EmailNotValidError, validate_email
from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    model_validator,
)

from newsletter.errors import InputError
from newsletter.settings_sources import Table, expecting, read_secret
from newsletter.slugs import check_slug
from newsletter.smtp_url import SmtpAccount, SmtpUrl, parse_smtp_url

MAX_WEIGHT = 1000
MAX_CONNECTIONS = 200
MAX_MESSAGES_A_DAY = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast an account may send, over all workers together.

    `domains` holds messages a second by recipients' domain, in lower case and IDNA's ASCII form.
    """

    messages_a_second: float | None = None
    messages_a_day: tuple[int, ...] = ()
    domains: Mapping[str, float] = field(default_factory=dict)

    def day_limit(self, day_number: int) -> int | None:
        """The most messages on a day, 0 being the account's first; None where there is no limit."""
        if not self.messages_a_day:
            return None
        return self.messages_a_day[min(day_number, len(self.messages_a_day) - 1)]


@dataclass(frozen=True, slots=True)
class Account:
    """One way out for mail.

    `from_domains` are in lower case and IDNA's ASCII form, `connections` those of one worker process.
    """

    name: str
    smtp: SmtpAccount
    from_domains: frozenset[str]
    weight: int
    connections: int
    pace: Pace


def ascii_domain(domain: str) -> str:
    """An email address's domain in lower case and IDNA's ASCII form (RFC 5891); ValueError for what is none."""
    try:
        checked = validate_email(f"a@{domain}", check_deliverability=False)
    except EmailNotValidError:
        raise ValueError("expected a domain such as letters.example.org") from None
    return checked.ascii_domain


def accounts_for(accounts: Sequence[Account], from_domain: str) -> tuple[Account, ...]:
    """The accounts that name `from_domain`, else those that name no domain: empty where each names others.

    Raises ValueError where `from_domain` is no domain.
    """
    domain = ascii_domain(from_domain)
    naming = tuple(account for account in accounts if domain in account.from_domains)
    return naming or tuple(account for account in accounts if not account.from_domains)


def choose(candidates: Iterable[Account], random_number: float, resting: Collection[str]) -> Account | None:
    """One of the candidates whose name is not among the resting, as often as it weighs; None where all rest.

    `random_number` is at least 0 and less than 1. Those of weight 0 are chosen, evenly, only when no others are left.
    """
    awake = [account for account in candidates if account.name not in resting]
    if not awake:
        return None
    weights = [account.weight for account in awake]
    bounds = list(accumulate(weights if any(weights) else [1] * len(awake)))
    return awake[bisect(bounds, random_number * bounds[-1])]


def _name(name: str) -> str:
    try:
        check_slug(name)
    except InputError:
        raise ValueError("expected a short name of lower-case letters, digits and hyphens") from None
    return name


def _content(path: Any) -> Any:
    return read_secret(path) if isinstance(path, str) else path


def _each_once(domains: Any, validate: ValidatorFunctionWrapHandler) -> Any:
    checked = validate(domains)
    if len(checked) < len(domains):
        raise ValueError("a domain is there twice, in two spellings: keep one of them")
    return checked


def _one_day_or_more(value: Any) -> Any:
    return [value] if isinstance(value, int) else value


Domain = Annotated[str, AfterValidator(ascii_domain), expecting("a domain such as letters.example.org")]
_Rate = Annotated[float, Field(strict=True, gt=0, allow_inf_nan=False), expecting("a number above 0")]
_Day = Annotated[int, Field(strict=True, ge=1, le=MAX_MESSAGES_A_DAY)]
_Days = Annotated[
    tuple[_Day, ...],
    Field(min_length=1),
    BeforeValidator(_one_day_or_more),
    expecting(f"a whole number from 1 to {MAX_MESSAGES_A_DAY}, or a list of them, one a day"),
]


class SmtpAccountSetting(Table):
    """One of the `[[smtp_accounts]]`."""

    name: Annotated[str, AfterValidator(_name)]
    url: SmtpUrl | None = None
    # What the named file holds.
    url_file: Annotated[SmtpUrl, BeforeValidator(_content)] | None = None
    from_domains: Annotated[frozenset[Domain], expecting("a list of domains")] = frozenset()
    weight: Annotated[
        int, Field(strict=True, ge=0, le=MAX_WEIGHT), expecting(f"a whole number from 0 to {MAX_WEIGHT}")
    ] = 1
    connections: Annotated[
        int, Field(strict=True, ge=1, le=MAX_CONNECTIONS), expecting(f"a whole number from 1 to {MAX_CONNECTIONS}")
    ] = 48
    messages_a_second: _Rate | None = None
    messages_a_day: _Days = ()
    domains: Annotated[dict[Domain, _Rate], WrapValidator(_each_once), expecting("messages a second by domain")] = (
        Field(default_factory=dict)
    )

    @model_validator(mode="after")
    def _has_one_url(self) -> Self:
        if self.url is None and self.url_file is None:
            raise ValueError("url is missing: give url, or url_file for one that is kept in a file")
        if self.url is not None and self.url_file is not None:
            raise ValueError("url and url_file are both set: keep one of them")
        return self

    @property
    def account(self) -> Account:
        """What the setting describes."""
        [url] = [url for url in (self.url, self.url_file) if url is not None]
        return Account(
            name=self.name,
            smtp=parse_smtp_url(url.get_secret_value()),
            from_domains=self.from_domains,
            weight=self.weight,
            connections=self.connections,
            pace=Pace(self.messages_a_second, self.messages_a_day, self.domains),
        )
