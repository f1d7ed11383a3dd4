"""The rows that did not go in, given back as CSV: mended, they can be imported as they are."""

from __future__ import annotations

import csv
import shutil
from io import TextIOWrapper
from pathlib import Path
from tempfile import TemporaryFile
from types import TracebackType
from typing import Self

from newsletter.audience.columns import FAULT_COLUMNS
from newsletter.audience.files.source import Source
from newsletter.audience.staging import Fault
from newsletter.cli.files import check_writable
from newsletter.errors import InputError


class Rejects:
    """Collects faulty rows aside, and writes them in the end; does nothing where no `path` is given.

    Raises InputError at once where the path could not be written.
    """

    def __init__(self, path: Path | None, source: Source) -> None:
        self._path = path
        if path is not None:
            check_writable(source.path, [path])
        self._aside = TemporaryFile()  # noqa: SIM115 - closed with the text on it
        self._text = TextIOWrapper(self._aside, "utf-8", "replace", newline="")
        self._rows = csv.writer(self._text)
        self._rows.writerow((*FAULT_COLUMNS, *source.tables[0].header))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._text.close()

    def add(self, fault: Fault) -> None:
        if self._path is not None:
            self._rows.writerow((fault.file, fault.line, fault.reason, *fault.cells))

    def write(self) -> None:
        if self._path is None:
            return
        self._text.flush()
        self._aside.seek(0)
        try:
            with self._path.open("wb") as target:
                shutil.copyfileobj(self._aside, target)
        except OSError as error:
            why = (error.strerror or str(error)).lower()
            raise InputError(f"{self._path}: cannot be written ({why})") from None
