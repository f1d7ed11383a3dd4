"""What can go wrong at a mailbox's server."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import BinaryIO

import pytest

from newsletter.errors import ConfigError, NewsletterError, UnavailableError
from newsletter.feedback import mailbox as mailboxes
from newsletter.feedback.mailbox import open_mailbox
from newsletter.mailbox_url import parse_mailbox_url
from tests.servers.dovecot import DovecotServer, Maildir
from tests.servers.scripted import serving

WORDS = b"Subject: Hello\r\n\r\nWords.\r\n"
SECRET = "geheim"


def refused(url: str) -> NewsletterError:
    """What opening the mailbox and looking into it is answered with."""
    with pytest.raises(NewsletterError) as error, open_mailbox(parse_mailbox_url(url)) as mailbox:
        mailbox.names()
    told = str(error.value)
    assert "\n" not in told
    assert SECRET not in told
    assert "bounce_fetch_url" in told or "trust" in told
    return error.value


@pytest.mark.parametrize("scheme", ["imap", "pop3"])
@pytest.mark.parametrize("password", [SECRET, "gehéim"])
def test_a_wrong_password_is_a_setting_to_mend(maildir: Maildir, scheme: str, password: str) -> None:
    error = refused(maildir.url(scheme, password=password))
    assert isinstance(error, ConfigError)
    assert str(error).startswith(f"bounce_fetch_url: {scheme}://127.0.0.1:")
    assert "refused the user name and password" in str(error)


@pytest.mark.parametrize("scheme", ["imaps", "pop3"])
def test_a_host_that_is_not_found_is_named(scheme: str) -> None:
    error = refused(f"{scheme}://ada:{SECRET}@nowhere.invalid")
    assert isinstance(error, ConfigError)
    assert "the host nowhere.invalid is not found" in str(error)


def test_a_host_that_can_have_no_name_is_refused() -> None:
    assert isinstance(refused(f"imaps://ada:{SECRET}@{'x' * 70}.example"), ConfigError)


@pytest.mark.parametrize("scheme", ["imaps", "imap", "pop3s", "pop3"])
def test_a_port_where_nobody_listens_is_named(scheme: str) -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        error = refused(f"{scheme}://ada:{SECRET}@127.0.0.1:{bound.getsockname()[1]}")
    assert isinstance(error, UnavailableError)
    assert "cannot be reached (Connection refused): check host, port" in str(error)


def test_a_folder_that_is_not_there_is_named(maildir: Maildir) -> None:
    error = refused(maildir.url(folder="Nirgends"))
    assert isinstance(error, ConfigError)
    assert "there is no folder “Nirgends”" in str(error)


@pytest.mark.parametrize(
    ("scheme", "options"),
    [("imaps", ""), ("pop3s", ""), ("imap", "?starttls=required"), ("pop3", "?starttls=required")],
)
def test_a_certificate_counts_only_if_it_is_trusted_and_of_the_host(
    dovecot: DovecotServer, maildir: Maildir, scheme: str, options: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = maildir.url(scheme, options=options)
    assert "certificate that is not to be trusted" in str(refused(url))
    monkeypatch.setenv("SSL_CERT_FILE", str(dovecot.authority.certificate))
    assert "not valid for 'localhost'" in str(refused(url.replace("127.0.0.1", "localhost")))
    maildir.add(WORDS)
    with open_mailbox(parse_mailbox_url(url)) as mailbox:
        [name] = mailbox.names()
        assert (mailbox.read(name) or b"").rstrip() == WORDS.rstrip()


@pytest.mark.parametrize("scheme", ["imap", "pop3"])
def test_tls_at_a_port_without_it_is_explained(dovecot: DovecotServer, maildir: Maildir, scheme: str) -> None:
    url = maildir.url(f"{scheme}s").replace(str(dovecot.ports[f"{scheme}s"]), str(dovecot.ports[scheme]))
    assert f"where the port has STARTTLS, write {scheme}://" in str(refused(url))


@pytest.mark.parametrize(("scheme", "other"), [("imap", "pop3"), ("pop3", "imap")])
def test_the_port_of_the_other_protocol_is_explained(
    dovecot: DovecotServer, maildir: Maildir, scheme: str, other: str
) -> None:
    url = maildir.url(scheme).replace(str(dovecot.ports[scheme]), str(dovecot.ports[other]))
    assert f"check port and {scheme}://" in str(refused(url))


@pytest.mark.parametrize("scheme", ["imaps", "imap", "pop3s", "pop3"])
def test_a_server_that_says_nothing_is_given_up(scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mailboxes, "PATIENCE_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        error = refused(f"{scheme}://ada:{SECRET}@127.0.0.1:{listener.getsockname()[1]}")
    assert isinstance(error, UnavailableError)
    assert "timed out" in str(error)


def imap(*sessions: Sequence[tuple[str, str]]) -> AbstractContextManager[int]:
    """The port of a server that answers commands in order; each, without its tag, must begin as it is told to.

    `{}` in an answer is the command's tag; an empty answer hangs up.
    """

    def hold(script: Sequence[tuple[str, str]], client: socket.socket, lines: BinaryIO) -> None:
        client.sendall(b"* OK hello\r\n")
        for expected, answer in script:
            tag, _, command = lines.readline().decode().partition(" ")
            assert command.startswith(expected), command
            if not answer:
                return
            client.sendall(answer.format(tag).replace("\n", "\r\n").encode())

    return serving(*((lambda client, lines, one=one: hold(one, client, lines)) for one in sessions))


def capable(*names: str) -> tuple[str, str]:
    return "CAPABILITY", f"* CAPABILITY IMAP4rev1 {' '.join(names)}\n{{}} OK done\n"


LOGIN = [capable(), ("LOGIN", "{} OK in\n"), capable()]
SELECT = ("SELECT", "* OK [UIDVALIDITY 7] here\n{} OK [READ-WRITE] open\n")
SEARCH = ("UID SEARCH UNDELETED", "* SEARCH 1 2\n{} OK done\n")
LOGOUT = ("LOGOUT", "* BYE\n{} OK bye\n")


def at(port: int, scheme: str = "imap", options: str = "") -> str:
    return f"{scheme}://ada:{SECRET}@127.0.0.1:{port}{options}"


def test_without_uidplus_a_message_is_marked_and_nobody_elses_is_expunged() -> None:
    store = ("UID STORE 2 +FLAGS.SILENT (\\Deleted)", "{} OK done\n")
    with (
        imap([*LOGIN, SELECT, SEARCH, store, LOGOUT]) as port,
        open_mailbox(parse_mailbox_url(at(port))) as mailbox,
    ):
        assert mailbox.names() == ["7.1", "7.2"]
        mailbox.delete("7.2")


def test_a_folder_in_which_nothing_may_be_deleted_is_named() -> None:
    select = ("SELECT", "* OK [UIDVALIDITY 7] here\n{} OK [READ-ONLY] open\n")
    with imap([*LOGIN, select]) as port:
        assert "there is no folder “INBOX” in which this user may delete" in str(refused(at(port)))


def test_an_imap_server_without_lasting_names_cannot_be_used() -> None:
    with imap([*LOGIN, ("SELECT", "{} OK [READ-WRITE] open\n"), LOGOUT]) as port:
        assert "no UIDVALIDITY" in str(refused(at(port)))


def test_a_server_that_will_not_delete_is_told_of() -> None:
    store = ("UID STORE", "{} NO not yours\n")
    with (
        imap([*LOGIN, SELECT, store, LOGOUT]) as port,
        open_mailbox(parse_mailbox_url(at(port))) as mailbox,
        pytest.raises(UnavailableError, match="refuses STORE: not yours"),
    ):
        mailbox.delete("7.1")


def test_no_password_is_sent_where_tls_is_required_and_not_offered() -> None:
    with imap([capable(), LOGOUT]) as port:
        assert "TLS not supported" in str(refused(at(port, options="?starttls=required")))


def test_a_server_that_repeats_the_password_does_not_get_it_shown() -> None:
    with imap([capable(), ("LOGIN", f"{{}} BAD I do not know {SECRET}\n"), LOGOUT]) as port:
        refused(at(port))
    with imap(
        [
            capable(),
            ("LOGIN", f"* BYE too many with {SECRET}\n"),
        ]
    ) as port:
        refused(at(port))


def test_where_a_folder_was_made_anew_between_two_sessions_nothing_is_taken_for_another() -> None:
    anew = ("SELECT", "* OK [UIDVALIDITY 8] here\n{} OK [READ-WRITE] open\n")
    with (
        imap([*LOGIN, SELECT, ("UID FETCH", "")], [*LOGIN, anew, LOGOUT]) as port,
        pytest.raises(UnavailableError),
        open_mailbox(parse_mailbox_url(at(port))) as mailbox,
    ):
        mailbox.read("7.1")


def test_a_message_that_is_gone_meanwhile_is_passed_over(maildir: Maildir) -> None:
    maildir.add(WORDS)
    with open_mailbox(parse_mailbox_url(maildir.url())) as mailbox:
        [name] = mailbox.names()
        mailbox.delete(name)
        assert mailbox.read(name) is None
        mailbox.delete(name)
        assert mailbox.names() == []


def pop3(*sessions: Sequence[tuple[str, str]]) -> AbstractContextManager[int]:
    """As `imap`, without tags."""

    def hold(script: Sequence[tuple[str, str]], client: socket.socket, lines: BinaryIO) -> None:
        client.sendall(b"+OK hello\r\n")
        for expected, answer in script:
            command = lines.readline().decode()
            assert command.startswith(expected), command
            if not answer:
                return
            client.sendall(answer.replace("\n", "\r\n").encode())

    return serving(*((lambda client, lines, one=one: hold(one, client, lines)) for one in sessions))


USER = [("USER ada", "+OK\n"), ("PASS", "+OK in\n")]
LISTS = [("LIST", "+OK\n1 20\n2 30\n.\n"), ("UIDL", "+OK\n1 one\n2 two\n.\n")]


def test_a_pop3_server_that_hangs_up_over_a_message_is_called_again_and_told_what_was_to_be_deleted() -> None:
    retr, dele, bye = ("RETR 1", "+OK\nWords.\n.\n"), ("DELE 1", "+OK\n"), ("QUIT", "+OK\n")
    with (
        pop3([*USER, *LISTS, retr, dele, ("RETR 2", "")], [*USER, *LISTS, dele, bye]) as port,
        open_mailbox(parse_mailbox_url(at(port, "pop3"))) as mailbox,
    ):
        assert mailbox.names() == ["one", "two"]
        assert mailbox.read("one") == b"Words."
        mailbox.delete("one")
        assert mailbox.read("two") is None


def test_messages_that_are_gone_after_a_pop3_server_hung_up_are_passed_over() -> None:
    retr, dele, bye = ("RETR 1", "+OK\nWords.\n.\n"), ("DELE 1", "+OK\n"), ("QUIT", "+OK\n")
    rest = [("LIST", "+OK\n1 30\n.\n"), ("UIDL", "+OK\n1 three\n.\n")]
    with (
        pop3([*USER, *LISTS, retr, dele, ("RETR 2", "")], [*USER, *rest, bye]) as port,
        open_mailbox(parse_mailbox_url(at(port, "pop3"))) as mailbox,
    ):
        mailbox.names()
        mailbox.read("one")
        mailbox.delete("one")
        assert [mailbox.read("two"), mailbox.read("two")] == [None, None]


@pytest.mark.parametrize("answer", ["-ERR [SYS/TEMP] later\n", "-ERR no\n", ""])
def test_where_a_pop3_server_that_hung_up_lets_nobody_in_the_run_ends_in_a_line(answer: str) -> None:
    with (
        pop3([*USER, *LISTS, ("RETR 1", "")], [("USER ada", answer)]) as port,
        pytest.raises(NewsletterError, match="bounce_fetch_url"),
        open_mailbox(parse_mailbox_url(at(port, "pop3"))) as mailbox,
    ):
        mailbox.read(mailbox.names()[0])


@pytest.mark.parametrize("answer", ["{} NO not now\n", "* BYE\n", ""])
def test_where_an_imap_server_that_hung_up_lets_nobody_in_the_run_ends_in_a_line(answer: str) -> None:
    again = [capable(), ("LOGIN", answer)]
    if answer.startswith("{}"):
        again.append(LOGOUT)
    with (
        imap([*LOGIN, SELECT, SEARCH, ("UID FETCH", "")], again) as port,
        pytest.raises(NewsletterError, match="bounce_fetch_url"),
        open_mailbox(parse_mailbox_url(at(port))) as mailbox,
    ):
        mailbox.read(mailbox.names()[0])


def test_a_mailbox_that_another_session_has_open_is_unavailable() -> None:
    with pop3([("USER ada", "+OK\n"), ("PASS", "-ERR [IN-USE] do you have another session?\n")]) as port:
        error = refused(at(port, "pop3"))
    assert isinstance(error, UnavailableError)
    assert "[IN-USE] do you have another session?" in str(error)


def test_a_pop3_server_without_lasting_names_cannot_be_used() -> None:
    with pop3([*USER, LISTS[0], ("UIDL", "-ERR what?\n"), ("QUIT", "+OK\n")]) as port:
        assert "cannot be used: -ERR what?" in str(refused(at(port, "pop3")))
    with pop3([("CAPA", "+OK\nUSER\n.\n")]) as port:
        assert "STLS not supported" in str(refused(at(port, "pop3", "?starttls=required")))
