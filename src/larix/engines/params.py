"""Parameters of an engine."""

from dataclasses import dataclass
from typing import get_args

from larix.xmc.choice import check_choice
from larix.xmc.ranges import check_least, check_positive
from larix.xmc.transformer.encoder import Precision


@dataclass(frozen=True)
class EngineParams:
    """Where training runs, and what becomes of failures.

    Parameters
    ----------
    num_workers : int
        Processes that train together; 0 trains in this process, without Ray.
    use_gpu : bool
        Whether each worker has a graphics card of its own.
    cpus_per_worker : int
        Processors of a worker, which are its threads.
    precision : {"float32", "bfloat16"} or None
        In the place of the encoder's `precision`; None leaves that.
    address : str
        "local" starts Ray on this machine for as long as training lasts; anything else is the address of a
        cluster that runs, and "auto" that of the one on this machine.
    storage_path : str or None
        Folder of the checkpoints, which all machines must see at the same place; None is that of the run.
    checkpoint_steps : int
        Steps from one checkpoint of a level to the next.
    max_failures : int
        How often workers that died are started again, from the last checkpoint; -1 has no limit.
    timeout : float
        Seconds that workers wait for each other before they give up.
    """

    num_workers: int = 0
    use_gpu: bool = False
    cpus_per_worker: int = 1
    precision: Precision | None = None
    address: str = "local"
    storage_path: str | None = None
    checkpoint_steps: int = 100
    max_failures: int = 3
    timeout: float = 1800.0

    def __post_init__(self) -> None:
        if self.precision is not None:
            check_choice("precision", self.precision, get_args(Precision))
        check_least(self, 0, "num_workers")
        check_least(self, 1, "cpus_per_worker", "checkpoint_steps")
        check_least(self, -1, "max_failures")
        check_positive(self, "timeout")

    def threads(self, n_threads: int | None) -> int | None:
        """Threads of the process that trains: of this one those given, of a worker its processors."""
        return self.cpus_per_worker if self.num_workers else n_threads
