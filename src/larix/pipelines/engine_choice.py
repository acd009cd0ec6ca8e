"""Which engine trains an encoder: one of three presets, by name."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Literal, TypeVar

from larix.engines import Engine, EngineParams, make_engine
from larix.pipelines.stage_params import StageParams
from larix.xmc.transformer.encoder_params import EncoderParams
from larix.xmc.transformer.workers import Workers

EngineName = Literal["local", "gpu", "cluster"]
Result = TypeVar("Result")


@dataclass(frozen=True)
class Engines(StageParams):
    """The presets that the parameter `engine` chooses from.

    Parameters
    ----------
    local : EngineParams
        In this process.
    gpu : EngineParams
        The graphics cards of this machine.
    cluster : EngineParams
        A cluster of Ray that runs.
    """

    local: EngineParams = field(default_factory=EngineParams)
    gpu: EngineParams = field(
        default_factory=lambda: EngineParams(num_workers=1, use_gpu=True, precision="bfloat16")
    )
    cluster: EngineParams = field(
        default_factory=lambda: EngineParams(
            num_workers=4, use_gpu=True, precision="bfloat16", address="auto"
        )
    )

    def chosen(self, name: EngineName, folder: Path) -> "ChosenEngine":
        """The preset of that name, for a run that keeps its checkpoints in `folder`."""
        return ChosenEngine(getattr(self, name), folder)


@dataclass(frozen=True)
class ChosenEngine:
    """An engine in a run.

    Parameters
    ----------
    params : EngineParams
    folder : Path
        Of the run's checkpoints.
    """

    params: EngineParams
    folder: Path

    @property
    def checkpoint_folder(self) -> Path:
        """Where checkpoints lie: as the preset says, or with the run."""
        return self.folder if self.params.storage_path is None else Path(self.params.storage_path)

    def adapt(self, encoder: EncoderParams) -> EncoderParams:
        """An encoder with the precision of this engine."""
        return replace(encoder, precision=self.params.precision or encoder.precision)

    def start(self) -> Engine:
        """What runs programs."""
        return make_engine(self.params, self.checkpoint_folder)

    def fine_tune(
        self,
        encoder: EncoderParams,
        tune: Callable[..., Result],
        *,
        cache_folder: Path,
        random_state: int,
        n_threads: int | None,
    ) -> Result:
        """Fine-tune an encoder on all workers; return what the first of them returns.

        Parameters
        ----------
        encoder : EncoderParams
        tune : callable
            Takes `checkpoint_folder`, `checkpoint_steps`, `random_state`, `n_threads` and `workers` besides,
            as `larix.xmc.transformer.xr_transformer.fine_tune_levels` does.
        cache_folder : Path
            Of the encoder.
        random_state : int
        n_threads : int or None
            Of this process.
        """
        threads = self.params.threads(n_threads)
        prepared = partial(
            tune, self.adapt(encoder).encoder(cache_folder=cache_folder, n_threads=threads),
            checkpoint_folder=self.checkpoint_folder, checkpoint_steps=self.params.checkpoint_steps,
            random_state=random_state, n_threads=threads,
        )  # fmt: skip

        def program(workers: Workers) -> Result:
            return prepared(workers=workers)

        return self.start().run(program)


PRESETS = Engines()
