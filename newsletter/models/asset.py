"""Pictures that issues show, served under the base URL by the digest of their bytes."""

from __future__ import annotations

from sqlalchemy import LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from newsletter.models.base import Base, Moment


class Asset(Base):
    """A file's bytes; the same bytes are kept once, and never change under their address."""

    __tablename__ = "assets"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    media_type: Mapped[str] = mapped_column(String(50))
    content: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[Moment]
