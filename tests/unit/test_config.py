from __future__ import annotations

import os
import stat
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from newsletter.config import SOCKET_PATH_BYTES, DkimSetting, load_settings
from newsletter.errors import ConfigError
from newsletter.server_url import StartTls
from newsletter.smtp_accounts import Account, Pace
from newsletter.smtp_url import SmtpAccount

KEY = "0123456789abcdef0123456789abcdef"
PACED = """
[[smtp_accounts]]
name = "main"
url = "smtp://ada:s3cret@mail.example"
from_domains = ["Letters.Example.org", "lettres.exämple.org"]
weight = 2
connections = 50
messages_a_second = 100
messages_a_day = [500, 1000, 5000]
[smtp_accounts.domains]
"gmail.com" = 20
"EXÄMPLE.org" = 0.5

[[smtp_accounts]]
name = "spare"
url_file = "smtp.secret"
messages_a_day = 800
"""


class Environment:
    """This process's settings, for one test."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch

    def set(self, **variables: str) -> None:
        for name, value in variables.items():
            self._monkeypatch.setenv(f"NEWSLETTER_{name}", value)

    def write(self, content: str) -> None:
        """The file of settings."""
        Path("newsletter.toml").write_text(content, encoding="utf-8")

    def fault(self, **variables: str) -> str:
        """What is wrong with these variables, in one line and without a secret."""
        self.set(**variables)
        with pytest.raises(ConfigError) as caught:
            load_settings()
        message = str(caught.value)
        assert len(message.splitlines()) == 1
        assert "s3cret" not in message
        assert caught.value.__suppress_context__ or caught.value.__context__ is None
        return message


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> Environment:
    return Environment(monkeypatch)


def test_nothing_needs_to_be_set(tmp_path: Path) -> None:
    settings = load_settings()
    data = tmp_path / "newsletter-data"
    assert settings.embedded
    assert settings.database == f"sqlite:///{data}/newsletter.db"
    assert settings.base_url == "http://127.0.0.1:8025"
    assert settings.accounts == (
        Account("default", SmtpAccount("127.0.0.1", 25), frozenset(), weight=1, connections=48, pace=Pace()),
    )
    assert settings.smtp == settings.accounts[0].smtp
    assert settings.dkim == ()
    assert settings.retry_hours == 72
    assert not data.exists()


def test_variables_are_read(environment: Environment) -> None:
    environment.set(
        DATA_DIR="/srv/letters",
        DATABASE_URL="postgres://ada:s3cret@db.example/letters",
        BROKER_URL="rediss://:s3cret@queue.example:6379/0",
        SMTP_URL="smtps://ada:s3cret@mail.example",
        BASE_URL="https://letters.example/mail/",
        SECRET_KEY=KEY,
        WEB_HOST="0.0.0.0",
        WEB_PORT="80",
        WORKER_PROCESSES="4",
        RETRY_HOURS="24",
    )
    settings = load_settings()
    assert not settings.embedded
    assert settings.data_dir == Path("/srv/letters")
    assert settings.database == "postgresql+psycopg://ada:s3cret@db.example/letters"
    assert settings.broker == "rediss://:s3cret@queue.example:6379/0"
    assert settings.accounts[0].smtp.password == "s3cret"
    assert settings.retry_hours == 24
    assert settings.base_url == "https://letters.example/mail"
    assert settings.secret() == KEY.encode()
    assert (settings.web_host, settings.web_port, settings.worker_processes) == ("0.0.0.0", 80, 4)


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        (
            {"DATABASE_URL": "mysql://ada:s3cret@db/letters"},
            "NEWSLETTER_DATABASE_URL: expected sqlite:///PATH or postgresql://user:password@host/name",
        ),
        ({"DATABASE_URL": "s3cret"}, "NEWSLETTER_DATABASE_URL: expected sqlite:///PATH"),
        ({"DATABASE_URL": ""}, "NEWSLETTER_DATABASE_URL: expected sqlite:///PATH"),
        ({"DATABASE_URL": "postgresql://"}, "NEWSLETTER_DATABASE_URL: expected sqlite:///PATH"),
        ({"BROKER_URL": "amqp://ada:s3cret@queue"}, "NEWSLETTER_BROKER_URL: expected redis://"),
        ({"SMTP_URL": "ada:s3cret@mail"}, "NEWSLETTER_SMTP_URL: it starts with neither smtp:// nor smtps://"),
        ({"SMTP_URL": ""}, "NEWSLETTER_SMTP_URL: it starts with neither smtp:// nor smtps://"),
        ({"SMTP_URL": "smtp://ada:s3cret/@mail"}, "expected smtp://[user:password@]host[:port]"),
        ({"SECRET_KEY": "s3cret"}, "NEWSLETTER_SECRET_KEY: expected at least 32 characters; `openssl rand -hex 32`"),
        ({"BASE_URL": "letters.example"}, "NEWSLETTER_BASE_URL: expected https://host[/path]"),
        ({"BASE_URL": "http://letters.example"}, "or http:// on this machine only"),
        ({"BASE_URL": "https://"}, "NEWSLETTER_BASE_URL: expected https://"),
        ({"BASE_URL": "https://letters.example/?a=b"}, "NEWSLETTER_BASE_URL: expected https://"),
        ({"BASE_URL": "https://letters.example/#a"}, "NEWSLETTER_BASE_URL: expected https://"),
        ({"BASE_URL": "https://letters.example?"}, "NEWSLETTER_BASE_URL: expected https://"),
        ({"BASE_URL": "https://ada:s3cret@letters.example"}, "NEWSLETTER_BASE_URL: expected https://"),
        ({"BASE_URL": "https://[::1"}, "NEWSLETTER_BASE_URL: expected https://"),
        ({"BASE_URL": "https://letters.example:port"}, "NEWSLETTER_BASE_URL: expected https://"),
        ({"BASE_URL": "https://lettres.exämple"}, "NEWSLETTER_BASE_URL: expected https://"),
        ({"BASE_URL": "https://letters.example/a b"}, "NEWSLETTER_BASE_URL: expected https://"),
        ({"BASE_URL": 'https://letters.example/"><b'}, "NEWSLETTER_BASE_URL: expected https://"),
        ({"WEB_PORT": "http"}, "NEWSLETTER_WEB_PORT: input should be a valid integer"),
        ({"WEB_PORT": "0"}, "NEWSLETTER_WEB_PORT: input should be greater than or equal to 1"),
        ({"WEB_PORT": "65536"}, "NEWSLETTER_WEB_PORT: input should be less than or equal to 65535"),
        ({"WORKER_PROCESSES": "-1"}, "NEWSLETTER_WORKER_PROCESSES: input should be greater than or equal to 1"),
        ({"RETRY_HOURS": "0"}, "NEWSLETTER_RETRY_HOURS: input should be greater than or equal to 1"),
        ({"RETRY_HOURS": "721"}, "NEWSLETTER_RETRY_HOURS: input should be less than or equal to 720"),
        (
            {"SMTP_ACCOUNTS": '[{"url": "smtp://ada:s3cret@mail.example"}]'},
            "NEWSLETTER_SMTP_ACCOUNTS: a variable holds no tables: write [[smtp_accounts]] into newsletter.toml",
        ),
        ({"SMTP_ACCOUNTS_FILE": "accounts"}, "NEWSLETTER_SMTP_ACCOUNTS_FILE: a variable holds no tables"),
        ({"DKIM": "[]"}, "NEWSLETTER_DKIM: a variable holds no tables: write [[dkim]] into newsletter.toml"),
        ({"DATABSE_URL": "x"}, "NEWSLETTER_DATABSE_URL is not a setting: did you mean NEWSLETTER_DATABASE_URL?"),
        ({"SMTP_PASSWORD": "s3cret"}, "NEWSLETTER_SMTP_PASSWORD is not a setting"),
        ({"CONFIG": "missing.toml"}, "NEWSLETTER_CONFIG: there is no file missing.toml"),
        ({"CONFIG": "."}, "NEWSLETTER_CONFIG: there is no file ."),
        (
            {"SECRET_KEY": KEY, "SECRET_KEY_FILE": "key"},
            "_KEY and NEWSLETTER_SECRET_KEY_FILE are both set",
        ),
        ({"SECRET_KEY_FILE": "missing"}, "NEWSLETTER_SECRET_KEY_FILE: the file missing cannot be read"),
    ],
)
def test_a_wrong_setting_is_named_with_what_was_expected(
    environment: Environment, variables: Mapping[str, str], expected: str
) -> None:
    assert expected in environment.fault(**variables)


def test_every_wrong_setting_is_told_at_once(environment: Environment) -> None:
    message = environment.fault(WEB_PORT="http", BASE_URL="letters", SMTP_URL="s3cret")
    assert [name for name in ("WEB_PORT", "BASE_URL", "SMTP_URL") if f"NEWSLETTER_{name}: " in message] == [
        "WEB_PORT",
        "BASE_URL",
        "SMTP_URL",
    ]


def test_a_secret_may_stand_in_a_file(environment: Environment, tmp_path: Path) -> None:
    (tmp_path / "key").write_text(f"{KEY}\n")
    (tmp_path / "smtp").write_text("smtp://ada:s3cret@mail.example\n")
    environment.set(SECRET_KEY_FILE="key", SMTP_URL_FILE=str(tmp_path / "smtp"))
    settings = load_settings()
    assert settings.secret() == KEY.encode()
    assert settings.smtp.password == "s3cret"


def test_a_wrong_secret_in_a_file_is_named_by_its_variable(environment: Environment, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("s3cret")
    message = environment.fault(SECRET_KEY_FILE="key")
    assert message.startswith("NEWSLETTER_SECRET_KEY: expected at least 32 characters")


def test_a_file_of_settings_is_read_and_variables_win(environment: Environment, tmp_path: Path) -> None:
    (tmp_path / "newsletter.toml").write_text('web_port = 81\nworker_processes = 3\nweb_host = "::1"\n')
    environment.set(WORKER_PROCESSES="4")
    settings = load_settings(web_host="localhost")
    assert (settings.web_port, settings.worker_processes, settings.web_host) == (81, 4, "localhost")


def test_a_file_of_settings_may_have_another_name(environment: Environment, tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text("web_port = 82\n")
    environment.set(CONFIG="mine.toml")
    assert load_settings().web_port == 82


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"web_port = \n", "newsletter.toml: not TOML ("),
        (b"smtp_url = s3cret\n", "newsletter.toml: not TOML ("),
        (b"\xff\xfe", "newsletter.toml: not TOML ("),
        (b"web_prot = 80\n", "newsletter.toml: web_prot is not a setting: did you mean web_port?"),
        (b"[web]\nport = 80\n", "newsletter.toml: web is not a setting"),
        (b'web_port = "http"\n', "newsletter.toml: web_port: input should be a valid integer"),
        (b'smtp_url = "s3cret"\n', "newsletter.toml: smtp_url: it starts with neither"),
        (b"smtp_url = 5\n", "newsletter.toml: smtp_url: input should be a valid string"),
        (b"data_dir = [1]\n", "newsletter.toml: data_dir: input is not a valid path"),
    ],
)
def test_a_fault_in_the_file_of_settings_is_named(
    environment: Environment, tmp_path: Path, content: bytes, expected: str
) -> None:
    (tmp_path / "newsletter.toml").write_bytes(content)
    assert environment.fault().startswith(expected)


def test_a_given_setting_that_is_wrong_is_named_as_it_was_given() -> None:
    with pytest.raises(ConfigError, match=r"^web_port: input should be less than"):
        load_settings(web_port=99999)


def test_a_secret_is_made_once_and_kept_from_others(tmp_path: Path) -> None:
    first, second = load_settings().secret(), load_settings().secret()
    assert first == second
    assert len(first) == 64
    path = tmp_path / "newsletter-data" / "secret.key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in path.parent.iterdir()] == ["secret.key"]


def test_processes_that_start_together_share_one_secret(tmp_path: Path) -> None:
    program = "from newsletter.config import load_settings; print(load_settings().secret().decode())"
    started = [
        subprocess.Popen([sys.executable, "-c", program], cwd=tmp_path, stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    secrets = {process.communicate(timeout=30)[0].strip() for process in started}
    assert secrets == {load_settings().secret().decode()}


def test_a_kept_secret_is_read_where_nothing_can_be_written(tmp_path: Path) -> None:
    kept = load_settings().secret()
    folder = tmp_path / "newsletter-data"
    entries = sorted(folder.iterdir())
    before = folder.stat().st_mtime_ns
    assert load_settings().secret() == kept
    assert (sorted(folder.iterdir()), folder.stat().st_mtime_ns) == (entries, before)


@pytest.mark.parametrize("content", ["", "\n", "s3cret"])
def test_a_damaged_secret_is_never_signed_with(tmp_path: Path, content: str) -> None:
    path = tmp_path / "newsletter-data" / "secret.key"
    path.parent.mkdir()
    path.write_text(content)
    with pytest.raises(ConfigError, match=r"secret\.key: the secret key is damaged") as caught:
        load_settings().secret()
    assert "s3cret" not in str(caught.value)


def test_a_secret_that_cannot_be_kept_is_told(tmp_path: Path) -> None:
    (tmp_path / "newsletter-data").write_text("a file in its place")
    with pytest.raises(ConfigError, match=r"secret\.key: the secret key cannot be kept there \(") as caught:
        load_settings().secret()
    assert caught.value.__suppress_context__


@pytest.mark.parametrize(
    "variables", [{"DATABASE_URL": "postgresql://db/letters"}, {"BROKER_URL": "redis://queue:6379/0"}]
)
def test_a_secret_is_required_where_others_must_share_it(environment: Environment, variables: dict[str, str]) -> None:
    environment.set(**variables)
    settings = load_settings()
    assert not settings.embedded
    with pytest.raises(ConfigError, match=r"^NEWSLETTER_SECRET_KEY is missing: .* `openssl rand -hex 32` makes one"):
        settings.secret()


def test_the_embedded_broker_listens_in_the_data_directory() -> None:
    settings = load_settings(data_dir=Path("/srv/letters"))
    assert settings.broker_socket == Path("/srv/letters/valkey.sock")
    assert settings.broker == "redis+socket:///srv/letters/valkey.sock?virtual_host=0"


@pytest.mark.parametrize("name", ["d" * 200, "é" * 60])
def test_a_long_data_directory_gets_a_short_socket(tmp_path: Path, name: str) -> None:
    settings = load_settings(data_dir=tmp_path / name)
    socket = settings.broker_socket
    assert len(os.fsencode(socket)) <= SOCKET_PATH_BYTES
    assert socket.is_relative_to(tempfile.gettempdir())
    assert socket == load_settings(data_dir=tmp_path / name).broker_socket
    assert socket != load_settings(data_dir=tmp_path / f"{name}x").broker_socket


def test_no_description_of_the_settings_shows_a_password(environment: Environment) -> None:
    environment.set(
        DATABASE_URL="postgresql://ada:s3cret@db/letters",
        BROKER_URL="redis://:s3cret@queue:6379/0",
        SMTP_URL="smtp://ada:s3cret@mail.example",
        SECRET_KEY=f"s3cret{KEY}",
    )
    settings = load_settings()
    assert "s3cret" not in repr(settings) + str(settings) + repr(settings.smtp)
    assert "s3cret" not in settings.model_dump_json(exclude={"database_url", "broker_url"})


def test_accounts_are_read_with_their_pace(environment: Environment, tmp_path: Path) -> None:
    (tmp_path / "smtp.secret").write_text("smtps://mail.example:2465\n")
    environment.write(PACED)
    main, spare = load_settings().accounts
    assert main == Account(
        name="main",
        smtp=SmtpAccount("mail.example", 587, "ada", "s3cret", starttls=StartTls.REQUIRED),
        from_domains=frozenset({"letters.example.org", "lettres.xn--exmple-cua.org"}),
        weight=2,
        connections=50,
        pace=Pace(100, (500, 1000, 5000), {"gmail.com": 20, "xn--exmple-cua.org": 0.5}),
    )
    assert spare == Account(
        name="spare",
        smtp=SmtpAccount("mail.example", 2465, implicit_tls=True),
        from_domains=frozenset(),
        weight=1,
        connections=48,
        pace=Pace(messages_a_day=(800,)),
    )


def account(lines: str = "", name: str = 'name = "main"', url: str = 'url = "smtp://ada:s3cret@mail.example"') -> str:
    return f"[[smtp_accounts]]\n{name}\n{url}\n{lines}\n"


NAME = "expected a short name of lower-case letters, digits and hyphens"
DOMAIN = "expected a domain such as letters.example.org"
DAYS = "messages_a_day: expected a whole number from 1 to 1000000000, or a list of them, one a day"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (account("weight = -1"), "smtp_accounts[1].weight: expected a whole number from 0 to 1000"),
        (account() + account("weight = 1001"), "smtp_accounts[2].weight: expected a whole number from 0 to 1000"),
        (account("weight = true"), "smtp_accounts[1].weight: expected a whole number from 0 to 1000"),
        (account("weight = 1.0"), "smtp_accounts[1].weight: expected a whole number from 0 to 1000"),
        (account("connections = 0"), "smtp_accounts[1].connections: expected a whole number from 1 to 200"),
        (account("connections = 201"), "smtp_accounts[1].connections: expected a whole number from 1 to 200"),
        (account("messages_a_second = 0"), "smtp_accounts[1].messages_a_second: expected a number above 0"),
        (account("messages_a_second = inf"), "smtp_accounts[1].messages_a_second: expected a number above 0"),
        (account("messages_a_second = nan"), "smtp_accounts[1].messages_a_second: expected a number above 0"),
        (account('messages_a_second = "5"'), "smtp_accounts[1].messages_a_second: expected a number above 0"),
        (account("messages_a_day = 0"), f"smtp_accounts[1].{DAYS}"),
        (account("messages_a_day = true"), f"smtp_accounts[1].{DAYS}"),
        (account("messages_a_day = []"), f"smtp_accounts[1].{DAYS}"),
        (account("messages_a_day = [500, 0]"), f"smtp_accounts[1].{DAYS}"),
        (account('messages_a_day = "500"'), f"smtp_accounts[1].{DAYS}"),
        (account("wieght = 2"), "smtp_accounts[1]: wieght is not a setting: did you mean weight?"),
        (account(name=""), "smtp_accounts[1].name is missing"),
        (account(name='name = ""'), f"smtp_accounts[1].name: {NAME}"),
        (account(name='name = "smtp://ada:s3cret@mail.example"'), f"smtp_accounts[1].name: {NAME}"),
        (account() + account(), "smtp_accounts: two are named main: rename one, or remove it"),
        (account(url=""), "smtp_accounts[1]: url is missing: give url, or url_file for one that is kept in a file"),
        (account('url_file = "a.url"'), "smtp_accounts[1]: url and url_file are both set: keep one of them"),
        (account(url='url = "s3cret"'), "smtp_accounts[1].url: it starts with neither smtp:// nor smtps://"),
        (account(url="url = 5"), "smtp_accounts[1].url: input should be a valid string"),
        (account(url='url_file = "b.url"'), "smtp_accounts[1].url_file: it starts with neither smtp:// nor smtps://"),
        (account(url='url_file = "none"'), "smtp_accounts[1].url_file: the file cannot be read (no such file or dir"),
        (account(url='url_file = "."'), "smtp_accounts[1].url_file: the file cannot be read (is a directory)"),
        (account(url='url_file = "c.url"'), "smtp_accounts[1].url_file: the file cannot be read (it is not text)"),
        (
            account(url='url_file = "smtp://ada:s3cret@mail.example"'),
            "smtp_accounts[1].url_file: the file cannot be read (no such file or directory)",
        ),
        (account(url="url_file = 5"), "smtp_accounts[1].url_file: input should be a valid string"),
        (account('from_domains = "example.org"'), "smtp_accounts[1].from_domains: expected a list of domains"),
        (account('from_domains = ["example.org", "a b"]'), f"smtp_accounts[1].from_domains[2]: {DOMAIN}"),
        (account("from_domains = [5]"), f"smtp_accounts[1].from_domains[1]: {DOMAIN}"),
        (account("domains = 20"), "smtp_accounts[1].domains: expected messages a second by domain"),
        (
            account('domains = {"gmail.com" = 0}'),
            'smtp_accounts[1].domains."gmail.com": expected a number above 0',
        ),
        (account("domains = {gmail = 20}"), f"smtp_accounts[1].domains.gmail: {DOMAIN}"),
        (account('domains = {"a\\n\\"b" = 20}'), f'smtp_accounts[1].domains."a\\n\\"b": {DOMAIN}'),
        (
            account('domains = {"gmail.com" = 20, "GMail.com" = 10}'),
            "smtp_accounts[1].domains: a domain is there twice, in two spellings: keep one of them",
        ),
        ("[smtp_accounts]\n", "smtp_accounts: expected tables, each under [[smtp_accounts]]"),
        ('smtp_accounts = "smtp://ada:s3cret@a"', "smtp_accounts: expected tables, each under [[smtp_accounts]]"),
        ('smtp_accounts = ["smtp://ada:s3cret@a"]', "smtp_accounts[1]: expected a table"),
    ],
)
def test_a_fault_in_an_account_is_named_with_its_place(
    environment: Environment, tmp_path: Path, content: str, expected: str
) -> None:
    (tmp_path / "a.url").write_text("smtp://ada:s3cret@mail.example")
    (tmp_path / "b.url").write_text("ada:s3cret@mail.example")
    (tmp_path / "c.url").write_bytes(b"\xff\x00s3cret")
    environment.write(content)
    assert environment.fault().startswith(f"newsletter.toml: {expected}")


def test_every_fault_of_every_account_is_told_at_once(environment: Environment) -> None:
    environment.write(account("weight = -1\nconnections = 0") + account("weight = -1"))
    message = environment.fault()
    assert message.count("newsletter.toml: ") == 3
    assert "; newsletter.toml: smtp_accounts[2].weight: " in message


def test_one_account_and_several_are_not_both_set(environment: Environment) -> None:
    environment.write(account())
    assert environment.fault(SMTP_URL="smtp://127.0.0.1:25") == (
        "NEWSLETTER_SMTP_URL and newsletter.toml: smtp_accounts are both set: keep one of them"
    )


def test_no_description_of_the_accounts_shows_a_password(environment: Environment, tmp_path: Path) -> None:
    (tmp_path / "smtp.secret").write_text("smtps://ada:s3cret@mail.example")
    environment.write(PACED)
    settings = load_settings()
    assert "s3cret" not in repr(settings) + str(settings) + repr(settings.accounts) + settings.model_dump_json()


def key(
    lines: str = "", domain: str = '"Lettres.Exämple.org"', selector: str = '"S2026"', file: str = '"a.pem"'
) -> str:
    return f"[[dkim]]\ndomain = {domain}\nselector = {selector}\nkey_file = {file}\n{lines}\n"


def test_the_keys_that_sign_are_read_and_a_domain_may_have_two(environment: Environment, tmp_path: Path) -> None:
    (tmp_path / "a.pem").touch()
    environment.write(key() + key(selector='"s2026.ed25519"'))
    domain, file = "lettres.xn--exmple-cua.org", Path("a.pem")
    assert load_settings().dkim == (
        DkimSetting(domain=domain, selector="s2026", key_file=file),
        DkimSetting(domain=domain, selector="s2026.ed25519", key_file=file),
    )


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (key(file='"none.pem"'), "dkim[1].key_file: the file cannot be read (no such file or directory)"),
        (key(file='"."'), "dkim[1].key_file: the file cannot be read (is a directory)"),
        (key(file='"-----BEGIN s3cret"'), "dkim[1].key_file: the file cannot be read (no such file or directory)"),
        (key(file="5"), "dkim[1].key_file: input is not a valid path"),
        (key(domain='"localhost"'), f"dkim[1].domain: {DOMAIN}"),
        (key(domain="5"), f"dkim[1].domain: {DOMAIN}"),
        (key(selector='""'), "dkim[1].selector: expected a selector such as s2026"),
        (key(selector='"s2026._domainkey"'), "dkim[1].selector: expected a selector such as s2026"),
        (key(selector='"-s"'), "dkim[1].selector: expected a selector such as s2026"),
        (key(selector='"é"'), "dkim[1].selector: expected a selector such as s2026"),
        (key("sellector = 5"), "dkim[1]: sellector is not a setting: did you mean selector?"),
        (key() + key(selector='"s2026"'), "dkim: two are named s2026._domainkey.lettres.xn--exmple-cua.org"),
        ("[[dkim]]\n", "dkim[1].domain is missing; newsletter.toml: dkim[1].selector is missing"),
        ("[dkim]\n", "dkim: expected tables, each under [[dkim]]"),
    ],
)
def test_a_fault_in_a_key_that_signs_is_named_with_its_place(
    environment: Environment, tmp_path: Path, content: str, expected: str
) -> None:
    (tmp_path / "a.pem").touch()
    environment.write(content)
    assert environment.fault().startswith(f"newsletter.toml: {expected}")


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ('bounce_mailbox = "bounces"', "bounce_mailbox: expected an address such as bounces@example.org"),
        (f'bounce_mailbox = "{"b" * 28}@example.org"', "of 27 signs before its @"),
        ('bounce_mailbox = "a+b@example.org"', "bounce_mailbox: expected an address"),
        ('bounce_listen = "25"', "bounce_listen: expected host:port"),
        ("soft_bounces = 0", "soft_bounces: "),
        ('[[webhooks]]\nprovider = "fax"\nsecret = "s3cret"', "webhooks[1].provider: "),
        ('[[webhooks]]\nprovider = "mailgun"', "webhooks[1]: expected one of secret and secret_file"),
        ('[[webhooks]]\nprovider = "mailgun"\nsecret = ""', "webhooks[1]: secret is empty"),
        ('[[webhooks]]\nprovider = "ses"', "webhooks[1]: topics is missing"),
        ('[[webhooks]]\nprovider = "scaleway"\ntopics = ["t"]', "webhooks[1]: authorities_file is missing"),
        (2 * '[[webhooks]]\nprovider = "mailgun"\nsecret = "s3cret"\n', "two are named mailgun"),
    ],
)
def test_a_wrong_setting_about_bounces_is_named(tmp_path: Path, text: str, what: str) -> None:
    (tmp_path / "newsletter.toml").write_text(text)
    with pytest.raises(ConfigError) as refused:
        load_settings()
    assert what in str(refused.value)
    assert "s3cret" not in str(refused.value)
