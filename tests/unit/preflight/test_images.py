from __future__ import annotations

from io import BytesIO
from pathlib import Path

from PIL import Image

from newsletter.preflight.images import HEAVY_BYTES, check_images
from tests.unit.preflight.proofs import BODY, only, proof_of


def draw(path: Path, padding: int = 0) -> None:
    """A picture of its own, made as heavy as wanted."""
    file = BytesIO()
    Image.new("RGB", (8, 8), "teal").save(file, "PNG")
    path.write_bytes(file.getvalue() + bytes(padding))


def test_a_picture_that_cannot_be_heard_is_told(tmp_path: Path) -> None:
    draw(tmp_path / "a.png")
    found = only(check_images, proof_of(tmp_path, "\n![](a.png)\n"))
    assert (found.code, found.line, found.remedy) == ("image-alt", BODY + 1, "write ![what it shows](a.png)")


def test_a_picture_of_unknown_size_is_told(tmp_path: Path) -> None:
    found = only(check_images, proof_of(tmp_path, "\n![Une fusée](https://chd.lu/a.png)\n"))
    assert (found.code, found.line) == ("image-size", BODY + 1)


def test_a_picture_over_one_megabyte_is_told(tmp_path: Path) -> None:
    draw(tmp_path / "a.png", HEAVY_BYTES)
    found = only(check_images, proof_of(tmp_path, "\n![Une fusée](a.png)\n"))
    assert (found.code, found.line) == ("image-heavy", BODY + 1)
    assert "has 1.0 MB" in found.message


def test_a_light_picture_with_words_and_a_size_is_left_alone(tmp_path: Path) -> None:
    draw(tmp_path / "a.png")
    assert check_images(proof_of(tmp_path, "\n![Une fusée](a.png)\n")) == []
