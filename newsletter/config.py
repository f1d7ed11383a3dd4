"""Settings: `NEWSLETTER_*` variables (`NEWSLETTER_X_FILE` names a file that holds X), then `newsletter.toml`.

With neither a database nor a broker named, everything is embedded: SQLite and Valkey below `data_dir`.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import tempfile
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from email_validator import EmailNotValidError, validate_email
from pydantic import AfterValidator, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from newsletter.errors import ConfigError
from newsletter.mailbox_url import MailboxAccount, MailboxUrl, parse_mailbox_url
from newsletter.settings_sources import (
    PREFIX,
    SecretFiles,
    Table,
    TomlFile,
    explain,
    place_of,
    read_secret,
    refuse_unknown_variables,
)
from newsletter.smtp_accounts import Account, Domain, SmtpAccountSetting
from newsletter.smtp_url import SmtpAccount, SmtpUrl

SECRET_BYTES = 32
# A token of envelopes and its separator are 37 signs of the 64 that a local part may have.
MAX_MAILBOX_LENGTH = 27
# These notify over a topic and are known by its name.
TOPIC_PROVIDERS = ("ses", "scaleway")
MAX_RETRY_HOURS = 720
# sun_path holds 108 bytes with its NUL (unix(7)); some systems have fewer.
SOCKET_PATH_BYTES = 100
LOOPBACK_HOSTS = ("localhost", "127.0.0.1", "::1")
# It goes into headers and links as it is: ASCII, without a query or a fragment.
_PLAIN_URL = re.compile(r"[A-Za-z0-9:/.\[\]_~%+-]+")
# Names of the DNS, joined by dots (RFC 6376 section 3.1).
_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_SELECTOR = re.compile(rf"{_LABEL}(\.{_LABEL})*")


def _database_url(url: str) -> str:
    if url.startswith("sqlite:///"):
        return url
    scheme, separator, rest = url.partition("://")
    if separator and scheme in ("postgresql", "postgres", "postgresql+psycopg") and rest:
        return f"postgresql+psycopg://{rest}"
    raise ValueError("expected sqlite:///PATH or postgresql://user:password@host/name")


def _broker_url(url: str) -> str:
    if url.startswith(("redis://", "rediss://", "redis+socket:///")):
        return url
    raise ValueError("expected redis://[:password@]host:6379/0, rediss://… or redis+socket:///PATH?virtual_host=0")


def _base_url(url: str) -> str:
    expected = "expected https://host[/path], or http:// on this machine only"
    try:
        parts = urlsplit(url)
        plain = parts.hostname and parts.port != 0 and "@" not in parts.netloc and _PLAIN_URL.fullmatch(url)
    except ValueError:
        plain = None
    if not plain:
        raise ValueError(expected)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK_HOSTS):
        # One-click unsubscribe (RFC 8058 section 3) needs an https link, and readers deserve one.
        raise ValueError(expected)
    return url.rstrip("/")


def _proxies(text: str) -> str:
    places = [place.strip() for place in text.split(",") if place.strip()]
    try:
        return ",".join(str(ip_network(place)) if "/" in place else str(ip_address(place)) for place in places)
    except ValueError:
        raise ValueError("expected addresses or networks such as 127.0.0.1, 10.0.0.0/8") from None


def _secret_key(key: SecretStr) -> SecretStr:
    if len(key.get_secret_value()) < SECRET_BYTES:
        raise ValueError(f"expected at least {SECRET_BYTES} characters; `openssl rand -hex 32` makes a good one")
    return key


def _selector(selector: str) -> str:
    lowered = selector.lower()
    if not _SELECTOR.fullmatch(lowered):
        raise ValueError("expected a selector such as s2026: letters, digits, inner hyphens and dots")
    return lowered


def _readable(path: Path) -> Path:
    read_secret(path)
    return path


class DkimSetting(Table):
    """One of the `[[dkim]]` keys: the file holds an RSA or Ed25519 key in PEM."""

    domain: Domain
    selector: Annotated[str, AfterValidator(_selector)]
    key_file: Annotated[Path, AfterValidator(_readable)]


def _mailbox(address: str) -> str:
    """An address whose local part leaves room for a token (RFC 5321 section 4.5.3.1.1), in wire form."""
    try:
        wire = validate_email(address, check_deliverability=False).ascii_email or ""
    except EmailNotValidError:
        wire = ""
    local = wire.rpartition("@")[0]
    if not local.isascii() or not 1 <= len(local) <= MAX_MAILBOX_LENGTH or "+" in local:
        raise ValueError(
            f"expected an address such as bounces@example.org, of {MAX_MAILBOX_LENGTH} signs before its @"
        )
    return wire


def _listen(place: str) -> str:
    host, _, port = place.rpartition(":")
    if not host or not port.isdecimal() or not 1 <= int(port) <= 65535:
        raise ValueError("expected host:port, such as 127.0.0.1:2525")
    return place


class WebhookSetting(Table):
    """One of the `[[webhooks]]`: a service that reports to `/webhooks/PROVIDER`."""

    provider: Literal["brevo", "mailgun", "mailjet", "postmark", "resend", "scaleway", "sendgrid", "ses", "sparkpost"]
    secret: SecretStr | None = None
    secret_file: Annotated[Path, AfterValidator(_readable)] | None = None
    topics: tuple[str, ...] = ()
    authorities_file: Annotated[Path, AfterValidator(_readable)] | None = None

    @model_validator(mode="after")
    def _has_what_its_provider_needs(self) -> Self:
        if self.provider in TOPIC_PROVIDERS:
            if not self.topics:
                raise ValueError("topics is missing: name the topics whose notifications are ours")
            if self.provider == "scaleway" and self.authorities_file is None:
                raise ValueError("authorities_file is missing: name the file of Scaleway's trust chain")
        elif (self.secret is None) == (self.secret_file is None):
            raise ValueError("expected one of secret and secret_file")
        elif self.secret is not None and not self.secret.get_secret_value():
            raise ValueError("secret is empty")
        return self

    def key(self) -> str:
        """The secret, wherever it is kept; empty for providers that need none."""
        if self.secret is not None:
            return self.secret.get_secret_value()
        return read_secret(self.secret_file) if self.secret_file else ""


def _providers_used_once(webhooks: tuple[WebhookSetting, ...]) -> tuple[WebhookSetting, ...]:
    _used_once(webhook.provider for webhook in webhooks)
    return webhooks


def _used_once(names: Iterable[str]) -> None:
    for name, times in Counter(names).items():
        if times > 1:
            raise ValueError(f"two are named {name}: rename one, or remove it")


def _names_used_once(accounts: tuple[SmtpAccountSetting, ...]) -> tuple[SmtpAccountSetting, ...]:
    _used_once(account.name for account in accounts)
    return accounts


def _keys_used_once(keys: tuple[DkimSetting, ...]) -> tuple[DkimSetting, ...]:
    _used_once(f"{key.selector}._domainkey.{key.domain}" for key in keys)
    return keys


class Settings(BaseSettings):
    """What an installation is told from outside. Every field but those of tables is also a `NEWSLETTER_<FIELD>`."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", frozen=True)

    data_dir: Path = Path("newsletter-data")
    # Both may hold a password.
    database_url: Annotated[str, AfterValidator(_database_url)] | None = Field(default=None, repr=False)
    broker_url: Annotated[str, AfterValidator(_broker_url)] | None = Field(default=None, repr=False)
    smtp_url: SmtpUrl = SecretStr("smtp://127.0.0.1:25")
    smtp_accounts: Annotated[tuple[SmtpAccountSetting, ...], AfterValidator(_names_used_once)] = ()
    dkim: Annotated[tuple[DkimSetting, ...], AfterValidator(_keys_used_once)] = ()
    bounce_mailbox: Annotated[str, AfterValidator(_mailbox)] | None = None
    bounce_listen: Annotated[str, AfterValidator(_listen)] | None = None
    bounce_fetch_url: MailboxUrl | None = None
    soft_bounces: int = Field(default=5, ge=1, le=100)
    webhooks: Annotated[tuple[WebhookSetting, ...], AfterValidator(_providers_used_once)] = ()
    retry_hours: int = Field(default=72, ge=1, le=MAX_RETRY_HOURS)
    base_url: Annotated[str, AfterValidator(_base_url)] = "http://127.0.0.1:8025"
    secret_key: Annotated[SecretStr, AfterValidator(_secret_key)] | None = None
    web_host: str = "127.0.0.1"
    web_port: int = Field(default=8025, ge=1, le=65535)
    trusted_proxies: Annotated[str, AfterValidator(_proxies)] = "127.0.0.1,::1"
    worker_processes: int = Field(default=2, ge=1, le=256)

    @model_validator(mode="before")
    @classmethod
    def _leaves_mail_to_accounts(cls, values: dict[str, Any]) -> dict[str, Any]:
        """Beside `smtp_accounts` an empty `smtp_url` is as good as none: a composition cannot unset a variable."""
        if values.get("smtp_accounts") and values.get("smtp_url") == "":
            return {name: value for name, value in values.items() if name != "smtp_url"}
        return values

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (init_settings, env_settings, SecretFiles(settings_cls), TomlFile(settings_cls))

    @property
    def embedded(self) -> bool:
        """Whether SQLite and Valkey are our own, below `data_dir`."""
        return self.database_url is None and self.broker_url is None

    @property
    def database(self) -> str:
        """The SQLAlchemy URL."""
        return self.database_url or f"sqlite:///{self.data_dir.resolve() / 'newsletter.db'}"

    @property
    def broker_socket(self) -> Path:
        """Where the embedded Valkey listens: in `data_dir`, or in a private folder where that path is too long."""
        path = self.data_dir.resolve() / "valkey.sock"
        if len(os.fsencode(path)) <= SOCKET_PATH_BYTES:
            return path
        digest = hashlib.sha256(os.fsencode(path)).hexdigest()[:16]
        return Path(tempfile.gettempdir()) / f"newsletter-{os.getuid()}" / f"{digest}.sock"

    @property
    def broker(self) -> str:
        """The Celery broker's URL."""
        return self.broker_url or f"redis+socket://{self.broker_socket}?virtual_host=0"

    @property
    def accounts(self) -> tuple[Account, ...]:
        """The ways out for mail: `smtp_accounts`, or else one named "default" at `smtp_url`."""
        settings = self.smtp_accounts or (SmtpAccountSetting(name="default", url=self.smtp_url),)
        return tuple(setting.account for setting in settings)

    @property
    def smtp(self) -> SmtpAccount:
        """Where the first account hands mail over."""
        return self.accounts[0].smtp

    @property
    def bounce_fetch(self) -> MailboxAccount | None:
        """The mailbox that bounces are fetched from, where there is one."""
        url = self.bounce_fetch_url
        return parse_mailbox_url(url.get_secret_value()) if url else None

    def secret(self) -> bytes:
        """The key every token is signed with; made on first use when embedded, required otherwise."""
        if self.secret_key is not None:
            return self.secret_key.get_secret_value().encode()
        if not self.embedded:
            raise ConfigError(
                f"{PREFIX}SECRET_KEY is missing: with a database or a broker of your own, every process needs "
                "the same key; `openssl rand -hex 32` makes one"
            )
        return _kept_secret(self.data_dir / "secret.key")


def _kept_secret(path: Path) -> bytes:
    try:
        if not path.exists():
            _make_secret(path)
        secret = path.read_bytes().strip()
    except OSError as error:
        raise ConfigError(f"{path}: the secret key cannot be kept there ({error.strerror})") from None
    if len(secret) < SECRET_BYTES:
        raise ConfigError(
            f"{path}: the secret key is damaged: restore it, or delete it, which breaks links sent so far"
        )
    return secret


def _make_secret(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    # Written aside and linked into place, so that no process ever reads half a key; whoever is first has made it.
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_hex(SECRET_BYTES))
    try:
        with suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink()


def load_settings(**given: Any) -> Settings:
    """The settings of this process; `given` wins over variables, variables over files.

    Raises ConfigError naming each wrong setting, where it came from and what was expected.
    """
    refuse_unknown_variables(Settings)
    try:
        settings = Settings(**given)
    except ValidationError as error:
        raise ConfigError("; ".join(explain(fault, Settings, given) for fault in error.errors())) from None
    if settings.smtp_accounts and "smtp_url" in settings.model_fields_set:
        places = f"{place_of('smtp_url', given)} and {place_of('smtp_accounts', given)}"
        raise ConfigError(f"{places} are both set: keep one of them")
    return settings
