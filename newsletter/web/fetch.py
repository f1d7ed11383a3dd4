"""What lies at an https address of a service: a certificate, or a subscription's confirmation."""

from __future__ import annotations

import http.client
import ssl
from urllib.parse import urlsplit

from newsletter.errors import UnavailableError
from newsletter.feedback.providers.webhook import Forged

LARGEST_BYTES = 64 << 10
# For the connection and for each answer.
PATIENCE_SECONDS = 10.0


def fetch(url: str, context: ssl.SSLContext) -> bytes:
    """What a GET of a pinned address gives, from a server that `context` trusts. Redirects are not followed.

    Raises UnavailableError where the server does not answer, Forged where it has nothing of that name or too much.
    """
    parts = urlsplit(url)
    connection = http.client.HTTPSConnection(parts.netloc, timeout=PATIENCE_SECONDS, context=context)
    try:
        connection.request("GET", f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}")
        response = connection.getresponse()
        body = response.read(LARGEST_BYTES + 1)
    except (OSError, http.client.HTTPException) as error:
        raise UnavailableError(f"{parts.netloc} does not answer: {error}") from None
    finally:
        connection.close()
    if response.status >= http.client.INTERNAL_SERVER_ERROR:
        raise UnavailableError(f"{parts.netloc} answers {response.status}")
    if response.status != http.client.OK:
        raise Forged(f"there is nothing at {parts.netloc}{parts.path[:200]} (status {response.status})")
    if len(body) > LARGEST_BYTES:
        raise Forged(f"what lies at {parts.netloc}{parts.path[:200]} is larger than {LARGEST_BYTES} bytes")
    if response.length:
        # A connection that breaks looks like an end: half a certificate would be kept for good.
        raise UnavailableError(f"{parts.netloc} does not answer: it hung up {response.length} bytes too early")
    return body
