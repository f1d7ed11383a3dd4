"""What is written: an issue and the texts it has had."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from newsletter.models.base import Base, BigNumber, Key, Moment


class Issue(Base):
    """One number of a publication, known by the slug of its title."""

    __tablename__ = "issues"
    __table_args__ = (UniqueConstraint("publication_id", "slug"),)

    id: Mapped[Key]
    publication_id: Mapped[BigNumber] = mapped_column(ForeignKey("publications.id"))
    slug: Mapped[str] = mapped_column(String(120))
    title: Mapped[str] = mapped_column(String(300))
    number: Mapped[int | None] = mapped_column(Integer)
    created_at: Mapped[Moment]


class Revision(Base):
    """An issue's Markdown as it stood once; the same text is kept once."""

    __tablename__ = "revisions"
    __table_args__ = (UniqueConstraint("issue_id", "digest"),)

    id: Mapped[Key]
    issue_id: Mapped[BigNumber] = mapped_column(ForeignKey("issues.id"))
    source: Mapped[str] = mapped_column(Text)
    digest: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[Moment]
