"""The tokens a message carries: each names a mailing and a delivery, and is good for one thing only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from newsletter.signing import Purpose, Sealer, Signer


class Target(NamedTuple):
    """Whose message a token came from."""

    mailing_id: int
    delivery_id: int


@dataclass(frozen=True, slots=True)
class Tokens:
    """What makes one installation's tokens, and reads those that come back."""

    opens: Signer
    clicks: Signer
    unsubscribes: Signer
    _sealer: Sealer

    @classmethod
    def of(cls, secret: bytes) -> Tokens:
        return cls(
            opens=Signer(secret, Purpose.OPEN),
            clicks=Signer(secret, Purpose.CLICK),
            unsubscribes=Signer(secret, Purpose.UNSUBSCRIBE),
            _sealer=Sealer(secret),
        )

    def seal(self, mailing_id: int, delivery_id: int) -> tuple[str, str, str, str]:
        """The tokens of one message: for opens, clicks, unsubscribing and its Message-ID."""
        return self._sealer.seal(mailing_id, delivery_id)


def read_token(signer: Signer, token: str) -> Target | None:
    """The delivery a token was made for; None for a token that is forged, cut or made for something else."""
    numbers = signer.open(token)
    return Target(*numbers) if numbers else None
