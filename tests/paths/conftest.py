from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from newsletter.config import Settings, load_settings
from newsletter.settings_sources import PREFIX
from tests.factories import SECRET
from tests.servers.smtp import SmtpServer
from tests.servers.valkey import ValkeyServer
from tests.servers.worker import Worker


@pytest.fixture
def settings(
    database_url: str, valkey: ValkeyServer, smtp: SmtpServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Settings:
    """Settings for real servers, in the environment, so that commands and workers started here see them too."""
    values = {
        "DATA_DIR": str(tmp_path / "data"),
        "DATABASE_URL": database_url,
        "BROKER_URL": valkey.url,
        "SMTP_URL": f"smtp://{smtp.host}:{smtp.port}",
        "BASE_URL": "https://lettres.example.org",
        "SECRET_KEY": SECRET,
    }
    for name, value in values.items():
        monkeypatch.setenv(f"{PREFIX}{name}", value)
    return load_settings()


@pytest.fixture
def worker(settings: Settings, tmp_path: Path) -> Iterator[Worker]:  # noqa: ARG001 - it reads them from the environment
    with Worker(tmp_path, {name: value for name, value in os.environ.items() if name.startswith(PREFIX)}) as running:
        yield running
