"""The engine of Ray: training by Ray Train, encoding by Ray Data."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from larix.engines.params import EngineParams
from larix.engines.ray_encoding import encode_on_workers
from larix.engines.ray_library import import_ray
from larix.engines.ray_train import run_on_workers
from larix.xmc.transformer.encoder import SentenceEncoder
from larix.xmc.transformer.workers import Workers

Result = TypeVar("Result")


class RayEngine:
    """Runs programs and encodes texts on workers of Ray.

    Parameters
    ----------
    params : EngineParams
        With one worker or more.
    folder : Path
        Where Ray keeps its records of a run.
    """

    def __init__(self, params: EngineParams, folder: Path) -> None:
        import_ray()
        self._params, self._folder = params, folder

    def run(self, program: Callable[[Workers], Result]) -> Result:
        """Run a program on all workers; see `larix.engines.ray_train.run_on_workers`."""
        return run_on_workers(program, self._params, self._folder)

    def encode(self, encoder: SentenceEncoder, texts: Sequence[str]) -> None:
        """Have texts encoded into the encoder's cache; without a cache that would be in vain."""
        if encoder.cache_folder is not None:
            encoder.embed(texts, encode=encode_on_workers(encoder, self._params))
