"""The files of csv-spectrum, a public collection of what CSV may look like, each read as its JSON says."""

from __future__ import annotations

import json
from io import TextIOWrapper
from pathlib import Path

import pytest

from newsletter.audience.files.blob import file_blob
from newsletter.audience.files.text import read_text, text_format

FILES = sorted((Path(__file__).parent / "csv_spectrum").glob("*.csv"))
# The collection's own JSON for this one has another number in it than its CSV.
DIFFERS = {"location_coordinates": ("2095257564", "1234567890")}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_file_is_read_as_the_collection_says(path: Path) -> None:
    blob = file_blob(path)
    form = text_format(blob, None, None, None)
    with blob.open() as stream, TextIOWrapper(stream, form.encoding.codec, form.errors) as text:
        (_, header, _), *records = read_text(text, form, path.name)
    assert [reason for _, _, reason in records if reason] == []
    wanted = path.with_suffix(".json").read_text(encoding="utf-8")
    here, there = DIFFERS.get(path.stem, ("", ""))
    told = json.loads(wanted.replace(there, here) if there else wanted)
    people = told if isinstance(told, list) else [told]
    # Line breaks are "\n" by then, whatever they were.
    plain = [{name: value.replace("\r\n", "\n") for name, value in one.items()} for one in people]
    assert [dict(zip(header, cells, strict=True)) for _, cells, _ in records if any(cells)] == plain


def test_all_twelve_are_there() -> None:
    assert len(FILES) == 12
