"""The libraries of the extra `transformer`, imported when they are first needed."""

from importlib import import_module
from typing import Any


def import_torch() -> Any:
    """The module torch.

    Raises
    ------
    ModuleNotFoundError
        If it is missing; the message has the command that installs it.
    """
    return _imported("torch")


def import_transformers() -> Any:
    """The module transformers; raises as `import_torch` does."""
    return _imported("transformers")


def import_hub() -> Any:
    """The module huggingface_hub; raises as `import_torch` does."""
    return _imported("huggingface_hub")


def _imported(name: str) -> Any:
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f"a transformer needs {error.name}, which is not installed; run: pip install larix[transformer]"
        ) from None
