"""The tokens a message carries: each names a mailing and a delivery, and is good for one thing only."""

from __future__ import annotations

from dataclasses import dataclass

from newsletter.signing import Purpose, Signer


@dataclass(frozen=True, slots=True)
class Target:
    """Whose message a token came from."""

    mailing_id: int
    delivery_id: int


@dataclass(frozen=True, slots=True)
class Tokens:
    """The signers of one installation."""

    opens: Signer
    clicks: Signer
    unsubscribes: Signer
    message_ids: Signer

    @classmethod
    def of(cls, secret: bytes) -> Tokens:
        return cls(
            opens=Signer(secret, Purpose.OPEN),
            clicks=Signer(secret, Purpose.CLICK),
            unsubscribes=Signer(secret, Purpose.UNSUBSCRIBE),
            message_ids=Signer(secret, Purpose.MESSAGE_ID),
        )


def read_token(signer: Signer, token: str) -> Target | None:
    """The delivery a token was made for; None for a token that is forged, cut or made for something else."""
    numbers = signer.open(token)
    return Target(*numbers) if numbers else None
