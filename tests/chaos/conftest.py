from __future__ import annotations

from tests.paths.conftest import settings

__all__ = ["settings"]
