from __future__ import annotations

import pytest

from tests.golden.sample import FOLDER, THEMES, golden


@pytest.mark.parametrize("name", THEMES)
def test_the_sample_looks_as_it_did(name: str) -> None:
    for suffix, text in golden(name).items():
        kept = (FOLDER / f"{name}.{suffix}").read_text(encoding="utf-8")
        assert text == kept, f"{name}.{suffix} has changed: look at it, then keep it with `make golden`"
