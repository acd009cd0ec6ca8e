"""Which errors are the user's to mend, and so told in one line without a traceback."""

import os
from collections.abc import Iterator
from typing import Any

import click

TRACEBACK_VARIABLE = "LARIX_TRACEBACK"


class UserError(click.ClickException):
    """An error told in one line; the exit status is 2.

    Parameters
    ----------
    message : str
    prefix : str
        What stands before the message. Nothing where it begins with a place in a file, so that editors and
        terminals make a link of it.
    """

    exit_code = 2

    def __init__(self, message: str, *, prefix: str = "error: ") -> None:
        super().__init__(message)
        self.prefix = prefix

    def show(self, file: Any = None) -> None:  # noqa: ARG002
        """Print the message to the standard error stream."""
        click.echo(f"{self.prefix}{self.message}", err=True)


def as_user_error(error: BaseException, *, also: tuple[type[BaseException], ...] = ()) -> UserError | None:
    """The error, or the one that caused it, in one line; None if it is none of the user's.

    Parameters
    ----------
    error : exception
    also : tuple of exception classes
        Kinds that are the user's where this is called.
    """
    from larix.corpora.format_error import CorpusFormatError
    from larix.xmc.persistence import ModelFolderError

    if os.environ.get(TRACEBACK_VARIABLE):
        return None
    # Missing files, full disks and packages that are not installed are told well by their own messages.
    known = (ModelFolderError, OSError, ModuleNotFoundError, *also)
    for cause in _causes(error):
        if isinstance(cause, CorpusFormatError):
            return UserError(str(cause), prefix="")
        if isinstance(cause, known):
            return UserError(str(cause))
    return None


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__
