"""Writes the golden files anew: `make golden`. Look at what changed before keeping it."""

from __future__ import annotations

from tests.golden.sample import FOLDER, THEMES, golden


def main() -> None:
    """Write MJML, HTML and text of the sample issue in each theme."""
    FOLDER.mkdir(exist_ok=True)
    for name in THEMES:
        for suffix, text in golden(name).items():
            path = FOLDER / f"{name}.{suffix}"
            path.write_text(text, encoding="utf-8")
            print(path)


if __name__ == "__main__":
    main()
