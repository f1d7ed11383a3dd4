"""What a test must know of a worker's processes."""

from __future__ import annotations

from pathlib import Path

from newsletter.sending.journal import FOLDER
from tests.servers.worker import Worker


def senders(worker: Worker) -> list[int]:
    """The processes of a worker that send: those with a journal of their own."""
    main = worker.process.pid
    children = Path(f"/proc/{main}/task/{main}/children").read_text().split()
    return [int(pid) for pid in children if f"/{FOLDER}/" in _maps(pid)]


def _maps(pid: str) -> str:
    path = Path(f"/proc/{pid}/maps")
    return path.read_text() if path.exists() else ""
