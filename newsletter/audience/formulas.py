"""Cells that a spreadsheet would run, made harmless and back again."""

from __future__ import annotations

import re

# What a spreadsheet takes for a formula (OWASP, “CSV Injection”), and what was escaped before.
_FORMULA = re.compile(r"'*[=+\-@\t\r]")


def escaped(cell: str) -> str:
    """The cell as no spreadsheet runs it; `unescaped` gives it back."""
    return f"'{cell}" if _FORMULA.match(cell) else cell


def unescaped(cell: str) -> str:
    """What `escaped` was given."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell
