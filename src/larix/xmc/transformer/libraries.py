"""The libraries of the extra `transformer`, imported when they are first needed."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from larix.xmc.optional_import import import_optional
from larix.xmc.parallel import available_threads


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


@contextmanager
def torch_threads(n_threads: int | None) -> Iterator[None]:
    """Hold torch to a number of threads inside the block; None means all processors."""
    torch = import_torch()
    before = torch.get_num_threads()
    torch.set_num_threads(available_threads(n_threads))
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _imported(name: str) -> Any:
    return import_optional(name, needed_by="a transformer", extra="transformer")
