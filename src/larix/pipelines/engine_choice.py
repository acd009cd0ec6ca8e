"""Which engine trains an encoder: one of three presets, by name."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from larix.engines import Engine, EngineParams, make_engine
from larix.pipelines.stage_params import StageParams
from larix.xmc.transformer.encoder_params import EncoderParams

EngineName = Literal["local", "gpu", "cluster"]


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


PRESETS = Engines()
