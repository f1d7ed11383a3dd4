"""Spreadsheets (XLSX) -> records."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from io import BytesIO
from zipfile import BadZipFile, ZipFile

from python_calamine import CalamineError, CalamineWorkbook

from newsletter.audience.files.blob import Blob
from newsletter.audience.files.records import Record
from newsletter.errors import InputError

# A workbook is held in memory as a whole; a larger one is for CSV, which streams.
MAX_UNPACKED_BYTES = 100 << 20

_Cell = str | float | int | bool | date | datetime | time | timedelta


def open_workbook(blob: Blob) -> CalamineWorkbook:
    """Raises InputError for what is no workbook, is locked by a password or is too large."""
    with blob.open() as stream:
        packed = BytesIO(stream.read(MAX_UNPACKED_BYTES))
    try:
        with ZipFile(packed) as archive:
            unpacked = sum(member.file_size for member in archive.infolist())
        if unpacked > MAX_UNPACKED_BYTES:
            raise InputError(
                f"{blob.name}: the workbook is {unpacked >> 20:,} MB unpacked, {MAX_UNPACKED_BYTES >> 20} MB is the "
                "most: save it as CSV"
            )
        packed.seek(0)
        return CalamineWorkbook.from_filelike(packed)
    except (BadZipFile, CalamineError) as error:
        raise InputError(f"{blob.name}: not a workbook that can be read ({error}): save it as CSV") from None


def sheet_records(workbook: CalamineWorkbook, sheet: str) -> Iterator[Record]:
    """The rows of a sheet, numbered as the spreadsheet numbers them; what is no text is written as text."""
    rows = workbook.get_sheet_by_name(sheet).to_python(skip_empty_area=False)
    for number, cells in enumerate(rows, start=1):
        yield number, [_text(cell) for cell in cells], ""


def _text(cell: _Cell) -> str:
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, bool):
        return str(cell).lower()
    return str(cell)
