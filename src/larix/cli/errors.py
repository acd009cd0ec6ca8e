"""Which errors are the user's to mend, and so told in one line without a traceback."""

from collections.abc import Iterator

import click


class UserError(click.ClickException):
    """An error told in one line; the exit status is 2."""

    exit_code = 2

    def show(self, file: object = None) -> None:  # noqa: ARG002
        """Print the message to the standard error stream."""
        click.echo(f"error: {self.message}", err=True)


def as_user_error(error: BaseException) -> UserError | None:
    """The error, or the one that caused it, as one line; None if it is none of the user's."""
    from larix.corpora.format_error import CorpusFormatError
    from larix.xmc.persistence import ModelFolderError

    # Missing files, full disks and packages that are not installed are told well by their own messages.
    known = (CorpusFormatError, ModelFolderError, OSError, ModuleNotFoundError)
    for cause in _causes(error):
        if isinstance(cause, known):
            return UserError(str(cause))
    return None


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__
