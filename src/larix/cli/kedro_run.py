"""`kedro run` as Kedro has it, but with the user's errors in one line.

Set `LARIX_TRACEBACK=1` to see where an error came from.
"""

import re
import traceback
from functools import wraps
from typing import Any

import click
from kedro.config import MissingConfigException
from kedro.framework.cli.project import run as kedro_run
from kedro.framework.project import pipelines
from kedro.io.core import VersionNotFoundError
from kedro.validation.exceptions import ParameterValidationError

from larix.cli.errors import UserError, as_user_error
from larix.corpora.nearest import nearest_hint
from larix.parameter_check import ParameterError

_KEDROS_PREFIX = re.compile(
    r"(?:Parameter validation failed:\n)?- Parameter '([^']+)': "
    r"Failed to instantiate \w+ for parameter '\1': "
)
_NO_VERSION = re.compile(r"Did not find any versions for \S+\(filepath='?([^',]+).*", re.DOTALL)

_INTERRUPTED = 130  # 128 + SIGINT, as shells have it
_UNKNOWN_NODE = re.compile(r"Pipeline does not contain nodes named \['([^']+)'")


@click.group(name="larix")
def cli() -> None:
    """Commands of this project that take the place of Kedro's."""


def _told_in_one_line(error: Exception) -> UserError | None:
    # Before the first node, a ValueError is about an option: a pipeline or node that does not exist.
    too_early = () if _inside_a_node(error) else (ValueError,)
    kedros = (ParameterValidationError, MissingConfigException, VersionNotFoundError)
    told = as_user_error(error, also=(ParameterError, *kedros, *too_early))
    if told is not None:
        message = _KEDROS_PREFIX.sub(r"the parameter '\1': ", told.message)
        message = _NO_VERSION.sub(r"nothing was made yet in \1; first: kedro run, with this --env", message)
        told.message = _with_nearest_node(message)
    return told


def _with_nearest_node(message: str) -> str:
    unknown = _UNKNOWN_NODE.match(message)
    if unknown is None or "Did you mean" in message:
        return message
    names = [node.name for node in pipelines["__default__"].nodes]
    return f"{message.rstrip('.')}; {nearest_hint(unknown[1], names)}"


def _inside_a_node(error: Exception) -> bool:
    frames = traceback.walk_tb(error.__traceback__)
    return any(frame.f_globals.get("__name__") == "kedro.runner.task" for frame, _ in frames)


@wraps(kedro_run.callback)
def _run(*arguments: Any, **options: Any) -> Any:
    try:
        return kedro_run.callback(*arguments, **options)
    except click.ClickException:
        raise
    except KeyboardInterrupt:
        click.echo(
            "\ninterrupted; what is done is kept, and --only-missing-outputs goes on from there", err=True
        )
        raise SystemExit(_INTERRUPTED) from None
    except Exception as error:
        told = _told_in_one_line(error)
        if told is None:
            raise
        raise told from error


run = click.Command(kedro_run.name, params=kedro_run.params, callback=_run, help=kedro_run.help)
cli.add_command(run)
