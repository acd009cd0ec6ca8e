"""Libraries that come with an extra, imported when they are first needed."""

from importlib import import_module
from typing import Any


def import_optional(*modules: str, needed_by: str, extra: str) -> Any:
    """The last of some modules, after the others.

    Parameters
    ----------
    *modules : str
    needed_by : str
        What can't do without.
    extra : str
        Of larix.

    Raises
    ------
    ModuleNotFoundError
        If one is missing, or another that it imports; the message has the command that installs it.
    """
    try:
        *_, last = [import_module(module) for module in modules]
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f"{needed_by} needs {error.name}, which is not installed; run: pip install 'larix[{extra}]'"
        ) from None
    return last
