"""Where settings come from beside plain variables: files that `NEWSLETTER_X_FILE` names, and `newsletter.toml`.

And how a wrong one is told: by the place it came from, in one line, without quoting what may be a secret.
"""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Collection
from difflib import get_close_matches
from pathlib import Path
from typing import Any, get_origin

from pydantic import (
    BaseModel,
    ConfigDict,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    model_validator,
)
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

from newsletter.errors import ConfigError
from newsletter.text import one_line

PREFIX = "NEWSLETTER_"
CONFIG_VARIABLE = f"{PREFIX}CONFIG"
CONFIG_FILE = "newsletter.toml"
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


class SecretFiles(PydanticBaseSettingsSource):
    """The content of the file that `NEWSLETTER_X_FILE` names, as containers hand out secrets."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:  # noqa: ARG002
        variable = f"{PREFIX}{field_name}_FILE".upper()
        path = os.environ.get(variable)
        try:
            return read_secret(path) if path else None, field_name, False
        except ValueError:
            raise ConfigError(f"{variable}: the file {path} cannot be read") from None

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


class Table(BaseModel):
    """A table of `newsletter.toml` that may be there several times, as `[[name]]`."""

    model_config = ConfigDict(frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _has_only_known_names(cls, values: Any) -> Any:
        if not isinstance(values, dict):
            raise ValueError("expected a table")
        for name in values:
            if name not in cls.model_fields:
                raise ValueError(f"{name} is not a setting{did_you_mean(name, set(cls.model_fields))}")
        return values


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
    tables = {name for name, field in settings.model_fields.items() if get_origin(field.annotation) is tuple}
    for name in sorted(os.environ):
        if not name.startswith(PREFIX):
            continue
        if name not in known:
            raise ConfigError(f"{name} is not a setting{did_you_mean(name, known)}")
        setting = name.removeprefix(PREFIX).removesuffix("_FILE").lower()
        if setting in tables:
            raise ConfigError(f"{name}: a variable holds no tables: write [[{setting}]] into {config_path()}")
        if f"{name}_FILE" in os.environ:
            raise ConfigError(f"{name} and {name}_FILE are both set: keep one of them")


def did_you_mean(name: str, known: set[str]) -> str:
    """A hint at the nearest known name, or nothing."""
    near = get_close_matches(name, sorted(known), n=1)
    return f": did you mean {near[0]}?" if near else ""


def read_secret(path: str | Path) -> str:
    """The text of a file without the blanks around it.

    Raises ValueError that says why it cannot be read and does not quote the path: it may be the secret, misplaced.
    """
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ValueError(f"the file cannot be read ({str(error.strerror).lower()})") from None
    except ValueError:
        raise ValueError("the file cannot be read (it is not text)") from None


def expecting(words: str) -> WrapValidator:
    """A validator that says `expected …` in the place of pydantic's words, and leaves those of our validators."""

    def check(value: Any, validate: ValidatorFunctionWrapHandler) -> Any:
        try:
            return validate(value)
        except ValidationError as error:
            if any(fault["type"] == "value_error" for fault in error.errors()):
                raise
            raise ValueError(f"expected {words}") from None

    return WrapValidator(check)


def place_of(name: str, given: Collection[str]) -> str:
    """Where a setting came from: the program that gave it, its variable, or the file."""
    variable = f"{PREFIX}{name}".upper()
    if name in given:
        return name
    return variable if {variable, f"{variable}_FILE"} & os.environ.keys() else f"{config_path()}: {name}"


def explain(fault: ErrorDetails, settings: type[BaseSettings], given: Collection[str]) -> str:
    """One line on a fault: the setting, where it came from, and what was expected."""
    name, *inner = fault["loc"]
    place = place_of(str(name), given) + "".join(_step(part) for part in inner if part != "[key]")
    match fault["type"]:
        case "extra_forbidden":
            told = f"{config_path()}: {name} is not a setting{did_you_mean(str(name), set(settings.model_fields))}"
        case "missing":
            told = f"{place} is missing"
        case "tuple_type":
            told = f"{place}: expected tables, each under [[{name}]]"
        case _:
            message = fault["msg"].removeprefix("Value error, ")
            told = f"{place}: {message[:1].lower()}{message[1:]}"
    return one_line(told)


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not TOML ({error})") from None
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror})") from None


def _step(part: int | str) -> str:
    """A step into a setting as TOML writes it. People count from 1."""
    if isinstance(part, int):
        return f"[{part + 1}]"
    return f".{part if _BARE_KEY.fullmatch(part) else json.dumps(part, ensure_ascii=False)}"
