"""The links of service mail: each names one thing, is good for that alone, and those that are answered expire."""

from __future__ import annotations

from newsletter.audience.notices import expires_at
from newsletter.models import Notice, Subscriber
from newsletter.signing import Purpose, Signer


class ReaderLinks:
    """Makes an installation's links, and reads the tokens that come back."""

    def __init__(self, secret: bytes, base_url: str) -> None:
        self._base_url = base_url
        self.confirms = Signer(secret, Purpose.CONFIRM)
        self.vetoes = Signer(secret, Purpose.VETO)
        self._preferences = Signer(secret, Purpose.PREFERENCES)

    def confirm(self, request: Notice) -> str:
        """Where a sign-up or a change of address is confirmed."""
        return f"{self._base_url}/confirm/{_sealed(self.confirms, request)}"

    def veto(self, warning: Notice) -> str:
        """Where a change of address is forbidden."""
        return f"{self._base_url}/veto/{_sealed(self.vetoes, warning)}"

    def preferences_token(self, subscriber: Subscriber) -> str:
        """Good for this reader's preferences for as long as they are known."""
        return self._preferences.seal(_known_since(subscriber), subscriber.id)

    def preferences(self, subscriber: Subscriber) -> str:
        """Where a reader sets what they get."""
        return f"{self._base_url}/preferences/{self.preferences_token(subscriber)}"

    def leave(self, subscriber: Subscriber, list_id: int) -> str:
        """Where a POST takes a reader off a list (RFC 8058)."""
        return f"{self.preferences(subscriber)}/leave/{list_id}"

    def reader(self, token: str) -> tuple[int, int] | None:
        """When a reader became known, in seconds since 1970, and their number; None for a token of anything else."""
        return self._preferences.open(token)


def is_reader(subscriber: Subscriber, known_since: int) -> bool:
    """Whether a token's reader is this one: a database that was brought back from a copy gives numbers anew."""
    return _known_since(subscriber) == known_since


def _sealed(signer: Signer, notice: Notice) -> str:
    return signer.seal(int(expires_at(notice).timestamp()), notice.id)


def _known_since(subscriber: Subscriber) -> int:
    return int(subscriber.created_at.timestamp())
