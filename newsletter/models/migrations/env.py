"""How Alembic reaches the tables: always on the connection that `newsletter.models.schema` hands over."""

from typing import Any, Literal

from alembic import context

from newsletter.models import Base
from newsletter.models.base import UtcDateTime


def plain_types(kind: str, item: Any, _context: Any) -> str | Literal[False]:
    """Write our own types as the plain ones they are kept as: a migration must not change with the code."""
    return "sa.DateTime(timezone=True)" if kind == "type" and isinstance(item, UtcDateTime) else False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,
    render_item=plain_types,
)
with context.begin_transaction():
    context.run_migrations()
