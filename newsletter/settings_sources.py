"""Where settings come from beside plain variables: files that `NEWSLETTER_X_FILE` names, and `newsletter.toml`."""

from __future__ import annotations

import os
import tomllib
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

from newsletter.errors import ConfigError

PREFIX = "NEWSLETTER_"
CONFIG_VARIABLE = f"{PREFIX}CONFIG"
CONFIG_FILE = "newsletter.toml"


class SecretFiles(PydanticBaseSettingsSource):
    """The content of the file that `NEWSLETTER_X_FILE` names, as containers hand out secrets."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:  # noqa: ARG002
        variable = f"{PREFIX}{field_name}_FILE".upper()
        path = os.environ.get(variable)
        return _read_secret(Path(path), variable) if path else None, field_name, False

    def __call__(self) -> dict[str, Any]:
        found = {name: self.get_field_value(field, name)[0] for name, field in self.settings_cls.model_fields.items()}
        return {name: value for name, value in found.items() if value is not None}


class TomlFile(PydanticBaseSettingsSource):
    """The values of `newsletter.toml` in this folder, or of the file that `NEWSLETTER_CONFIG` names."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:  # noqa: ARG002
        return self().get(field_name), field_name, False

    def __call__(self) -> dict[str, Any]:
        path = config_path()
        return _read_toml(path) if path.is_file() else {}


def config_path() -> Path:
    """The settings file; ConfigError where `NEWSLETTER_CONFIG` names one that is not there."""
    named = os.environ.get(CONFIG_VARIABLE)
    if named and not Path(named).is_file():
        raise ConfigError(f"{CONFIG_VARIABLE}: there is no file {named}")
    return Path(named or CONFIG_FILE)


def refuse_unknown_variables(settings: type[BaseSettings]) -> None:
    """ConfigError for a `NEWSLETTER_*` variable that nothing reads, and for a secret given twice."""
    plain = {f"{PREFIX}{name}".upper() for name in settings.model_fields}
    known = plain | {f"{name}_FILE" for name in plain} | {CONFIG_VARIABLE}
    for name in sorted(os.environ):
        if not name.startswith(PREFIX):
            continue
        if name not in known:
            raise ConfigError(f"{name} is not a setting{did_you_mean(name, known)}")
        if f"{name}_FILE" in os.environ:
            raise ConfigError(f"{name} and {name}_FILE are both set: keep one of them")


def did_you_mean(name: str, known: set[str]) -> str:
    """A hint at the nearest known name, or nothing."""
    near = get_close_matches(name, sorted(known), n=1)
    return f": did you mean {near[0]}?" if near else ""


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not TOML ({error})") from None
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror})") from None


def _read_secret(path: Path, variable: str) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        raise ConfigError(f"{variable}: the file {path} cannot be read") from None
