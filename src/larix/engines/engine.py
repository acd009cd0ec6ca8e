"""Run a program on workers, or in this process."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol, TypeVar

from larix.engines.params import EngineParams
from larix.xmc.transformer.encoder import SentenceEncoder
from larix.xmc.transformer.workers import ONE_WORKER, Workers

Result = TypeVar("Result")


class Engine(Protocol):
    """Runs what is given to it."""

    def run(self, program: Callable[[Workers], Result]) -> Result:
        """Run a program on all workers at once; return what it returns on the first of them.

        Parameters
        ----------
        program : callable
            Takes the worker that it runs on. It is started again after a failure, and goes on from what it
            has kept.
        """

    def encode(self, encoder: SentenceEncoder, texts: Sequence[str]) -> None:
        """Have texts encoded by workers, if there are any, into the cache of an encoder.

        Parameters
        ----------
        encoder : SentenceEncoder
            What it makes of the texts afterwards is the same with and without.
        texts : sequence of str
        """


class LocalEngine:
    """Runs in this process, as the only worker."""

    def run(self, program: Callable[[Workers], Result]) -> Result:
        """Run a program."""
        return program(ONE_WORKER)

    def encode(self, encoder: SentenceEncoder, texts: Sequence[str]) -> None:
        """Leave it to the encoder."""


def make_engine(params: EngineParams, folder: Path) -> Engine:
    """The engine that parameters describe.

    Parameters
    ----------
    params : EngineParams
    folder : Path
        Where Ray keeps its records of the run.

    Raises
    ------
    ModuleNotFoundError
        If there are to be workers and Ray is missing; the message has the command that installs it.
    """
    if not params.num_workers:
        return LocalEngine()
    from larix.engines.ray_engine import RayEngine

    return RayEngine(params, folder)
