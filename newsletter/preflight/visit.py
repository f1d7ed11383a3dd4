"""One visit to a web address, at public machines only."""

from __future__ import annotations

import http.client
import socket
import ssl
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import quote, urljoin, urlsplit

from newsletter.preflight.public import Address, is_public

MAX_REDIRECTS = 5
# They say that nothing is there. Whatever else is refused may be shown to a reader's browser.
_GONE = frozenset({404, 410})
# Expired, or for another host (X509_V_ERR_CERT_HAS_EXPIRED, X509_V_ERR_HOSTNAME_MISMATCH): browsers turn back there.
# Others may be good for a browser, which knows more issuers.
_REFUSED_CERTIFICATES = frozenset({10, 62})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_HEADERS = {"User-Agent": "newsletter-check", "Accept": "*/*", "Connection": "close"}

Resolve = Callable[[str, int], Sequence[str]]


class DeadError(Exception):
    """Nothing is there, and why."""


class NoHostError(DeadError):
    """There is no such name."""


class UnseenError(Exception):
    """It could not be looked at, and why: it may well be there."""


def resolve(host: str, port: int) -> list[str]:
    """The addresses of a host. Raises NoHostError where there is no such name, UnseenError where nobody answers."""
    try:
        return [str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    except socket.gaierror as error:
        if error.errno == socket.EAI_NONAME:
            raise NoHostError(f"there is no host {host}") from None
        raise UnseenError(f"the name {host} could not be looked up") from None
    except UnicodeError:
        raise DeadError(f"{host[:80]} is no host's name") from None


@dataclass(frozen=True, slots=True)
class Visitor:
    """Follows addresses until `deadline` (of time.monotonic). Only `allowed` addresses are ever connected to."""

    deadline: float
    allowed: Callable[[Address], bool] = is_public
    resolve: Resolve = resolve

    def visit(self, url: str) -> None:
        """Return where something is there. Raises DeadError or UnseenError."""
        for _ in range(MAX_REDIRECTS + 1):
            status, location = self._ask("HEAD", url)
            if status >= 400:
                status, location = self._ask("GET", url)
            if status in _GONE:
                raise DeadError(f"it answers {status}")
            if status >= 400:
                raise UnseenError(f"it answers {status}")
            if status not in _REDIRECTS or not location:
                return
            url = urljoin(url, location)
        raise UnseenError(f"it redirects more than {MAX_REDIRECTS} times")

    def _ask(self, method: str, url: str) -> tuple[int, str]:
        try:
            parts = urlsplit(url)
            host, port = parts.hostname or "", parts.port or {"https": 443, "http": 80}.get(parts.scheme, 0)
        except ValueError:
            raise DeadError("it is no web address") from None
        if not host or not port:
            raise UnseenError("it leads out of the web")
        address = self._address(host, port)
        connection = _Connection(host, port, address, self._left(), encrypted=parts.scheme == "https")
        target = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~-._")
        query = f"?{quote(parts.query, safe='/%:@!$&()*+,;=~-._?')}" if parts.query else ""
        try:
            connection.request(method, target + query, headers=_HEADERS)
            response = connection.getresponse()
            return response.status, response.headers.get("Location", "")
        except ssl.SSLCertVerificationError as error:
            kind = DeadError if error.verify_code in _REFUSED_CERTIFICATES else UnseenError
            raise kind(f"its certificate is not valid ({error.verify_message})") from None
        except ConnectionRefusedError:
            raise DeadError("nobody answers there (connection refused)") from None
        except TimeoutError:
            raise UnseenError("no answer in time") from None
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise UnseenError(str(error) or type(error).__name__) from None
        finally:
            connection.close()

    def _address(self, host: str, port: int) -> str:
        """The very address that is connected to: a name that is asked for twice may have changed its mind."""
        found = self.resolve(host, port)
        public = [address for address in found if self.allowed(ip_address(address.partition("%")[0]))]
        if not public:
            raise UnseenError(f"{host} is not on the public internet")
        return public[0]

    def _left(self) -> float:
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise UnseenError("no answer in time")
        return left


class _Connection(http.client.HTTPConnection):
    """Talks to `host` at one address, whatever the name leads to by then."""

    def __init__(self, host: str, port: int, address: str, seconds: float, *, encrypted: bool) -> None:
        super().__init__(host, port, timeout=seconds)
        self.default_port = http.client.HTTPS_PORT if encrypted else http.client.HTTP_PORT
        self._address = address
        self._encrypted = encrypted

    def connect(self) -> None:
        self.sock = socket.create_connection((self._address, self.port), self.timeout)
        if self._encrypted:
            self.sock = ssl.create_default_context().wrap_socket(self.sock, server_hostname=self.host)
