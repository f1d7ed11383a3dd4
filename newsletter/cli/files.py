"""Files that commands write: all of them or none, and never over what was read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from newsletter.errors import InputError


def check_writable(source: Path, targets: Sequence[Path]) -> None:
    """Raise InputError, and leave nothing behind, unless every target can be written and is a file of its own."""
    taken = {source.resolve()}
    missing = [target for target in targets if not target.exists()]
    try:
        for target in targets:
            if target.resolve() in taken:
                raise InputError(f"{target}: is read or written already, choose another name")
            taken.add(target.resolve())
            _try(target)
    finally:
        for target in missing:
            with suppress(OSError):
                target.unlink()


def write_all(source: Path, files: Mapping[Path, bytes]) -> None:
    """Write the files, once it is clear that all of them can be written."""
    check_writable(source, list(files))
    for path, data in files.items():
        try:
            path.write_bytes(data)
        except OSError as error:
            raise _refused(path, error) from None


def _try(target: Path) -> None:
    if target.exists() and not (target.is_file() or target.is_dir()):
        return  # a pipe or a device: opening it is noticed on the other side
    try:
        target.open("ab").close()
    except OSError as error:
        raise _refused(target, error) from None


def _refused(path: Path, error: OSError) -> InputError:
    return InputError(f"{path}: cannot be written ({(error.strerror or str(error)).lower()})")
