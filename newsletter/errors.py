"""What can go wrong by a person's doing: told in one line, never as a traceback."""

from __future__ import annotations


class NewsletterError(Exception):
    """Something a person can mend. The message says what, where and what to do, in one line."""


class ConfigError(NewsletterError):
    """A setting is missing or wrong."""


class InputError(NewsletterError):
    """A file, an argument or a row is not what it should be."""


class SourceError(InputError):
    """A fault at a known line of a source file; `line` counts from 1, None where the whole file is meant."""

    def __init__(self, message: str, *, path: str, line: int | None = None) -> None:
        self.path = path
        self.line = line
        place = f"{path}:{line}" if line is not None else path
        super().__init__(f"{place}: {message}")


class ExpressionError(InputError):
    """A fault in an expression, at a column that counts from 1; `pointer` shows it on two lines."""

    def __init__(self, message: str, source: str, column: int) -> None:
        self.column = column
        line = "".join(sign if sign.isprintable() else " " for sign in source)
        self.pointer = f"  {line}\n  {' ' * (column - 1)}^"
        super().__init__(f"segment, column {column}: {message}")


class NotFoundError(NewsletterError):
    """A name or an id that nothing answers to."""


class ConflictError(NewsletterError):
    """The thing exists already, or its state forbids what was asked."""


class UnavailableError(NewsletterError):
    """A server that is needed (SQL, broker, SMTP) did not answer."""
