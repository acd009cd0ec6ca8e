"""Workers of Ray Train, which start again where they left off when one of them dies.

Ray starts the processes, joins them to a process group of torch, watches them and starts all of them again
after a failure. Checkpoints are the program's own: it keeps its state in a folder that all workers see, and
looks for it when it begins. So nothing is reported to Ray, which would copy it.
"""

import logging
import os
import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from pathlib import Path
from typing import Any, TypeVar

import larix
from larix.engines.params import EngineParams
from larix.engines.ray_library import import_ray, joined
from larix.engines.reports import Event, Finished, Line, Mailbox, Receiver, Sender, Started
from larix.xmc.progress import current_reporter, reporting
from larix.xmc.transformer.workers import ProcessGroup, Workers

logger = logging.getLogger(__name__)

Result = TypeVar("Result")
_RECORDS = "ray"  # folder of Ray's own records
_SECONDS_BETWEEN_REPORTS = 0.3


def run_on_workers(program: Callable[[Workers], Result], params: EngineParams, folder: Path) -> Result:
    """Run a program on all workers, as `larix.engines.Engine` says.

    Parameters
    ----------
    program : callable
    params : EngineParams
        With one worker or more.
    folder : Path
        Where Ray keeps its records of a run.

    Raises
    ------
    RuntimeError
        If workers failed more often than `max_failures`.
    ValueError
        If this machine has too little for the workers.
    """
    with joined(params) as ray:
        mailbox = ray.remote(num_cpus=0)(Mailbox).remote()
        loop = _Loop(program, mailbox, os.getcwd())
        trainer = _trainer(params, folder.absolute(), loop, _failure_callback(mailbox))
        logger.info("workers of Ray begin: %d", params.num_workers)
        result: Result = _wait(trainer, mailbox, ray).return_value
    return result


def _trainer(params: EngineParams, folder: Path, loop: "_Loop", callback: Any) -> Any:
    from ray.train import FailureConfig, LoggingConfig, RunConfig, ScalingConfig
    from ray.train.torch import TorchConfig, TorchTrainer

    resources = {"CPU": params.cpus_per_worker, **({"GPU": 1} if params.use_gpu else {})}
    return TorchTrainer(
        loop,
        torch_config=TorchConfig(timeout_s=params.timeout),
        scaling_config=ScalingConfig(
            num_workers=params.num_workers, use_gpu=params.use_gpu, resources_per_worker=resources
        ),
        run_config=RunConfig(
            name=_RECORDS,
            storage_path=str(folder),
            failure_config=FailureConfig(max_failures=params.max_failures),
            logging_config=LoggingConfig(log_level="CRITICAL"),
            callbacks=[callback],
        ),
    )


def _wait(trainer: Any, mailbox: Any, ray: Any) -> Any:
    """Train in another thread, and show meanwhile what the first worker tells."""
    receiver, training = Receiver(current_reporter()), Future[Any]()
    # Nobody waits for a daemon: after an interrupt the workers end with Ray, and it with this process.
    threading.Thread(target=_fit, args=(trainer, training), daemon=True).start()
    try:
        while wait([training], _SECONDS_BETWEEN_REPORTS).not_done:
            receiver.receive(ray.get(mailbox.empty.remote()))
        receiver.receive(ray.get(mailbox.empty.remote()))
        return _result(training)
    finally:
        receiver.close()


def _fit(trainer: Any, training: Future[Any]) -> None:
    try:
        training.set_result(trainer.fit())
    except Exception as error:
        training.set_exception(error)


def _result(training: Future[Any]) -> Any:
    from ray.train import ControllerError, WorkerGroupError

    try:
        return training.result()
    except WorkerGroupError as error:
        rank, failure = next(iter(error.worker_failures.items()))
        raise RuntimeError(
            f"worker {rank} failed, and max_failures allows no further start: {_last_line(failure)}"
        ) from failure
    except ControllerError as error:
        raise RuntimeError(f"Ray could not train: {_last_line(error)}") from error


class _Loop:
    """What every worker does; it travels to the workers.

    Parameters
    ----------
    program : callable
    mailbox : actor of Mailbox
    folder : str
        In which relative paths begin.
    """

    def __init__(self, program: Callable[[Workers], Any], mailbox: Any, folder: str) -> None:
        self._program, self._mailbox, self._folder = program, mailbox, folder

    def __call__(self) -> Any:
        from ray.train.torch import get_device

        os.chdir(self._folder)
        workers = ProcessGroup(get_device())
        if workers.is_first:
            return self._run_first(workers)
        self._program(workers)
        return None  # one result is enough

    def _run_first(self, workers: Workers) -> Any:
        self._post(Started())
        sender, log = Sender(self._post), logging.getLogger(larix.__name__)
        log.setLevel(logging.INFO)
        log.addHandler(sender)
        with reporting(sender.bar):
            result = self._program(workers)
        import_ray().get(self._post(Finished()))  # events arrive in their order: none is lost
        return result

    def _post(self, event: Event) -> Any:
        return self._mailbox.post.remote(event)


def _failure_callback(mailbox: Any) -> Any:
    """Tells the reason of a failure; Ray calls it before it starts the workers again."""
    from ray.train import UserCallback

    class Failures(UserCallback):
        def after_exception(self, run_context: Any, worker_exceptions: dict[int, Exception]) -> None:  # noqa: ARG002
            for rank, exception in worker_exceptions.items():
                text = f"worker {rank} failed: {_last_line(exception)}"
                mailbox.post.remote(Line(__name__, logging.WARNING, text))

    return Failures()


def _last_line(exception: Exception) -> str:
    lines = [line.strip() for line in str(exception).splitlines() if line.strip()]
    return lines[-1] if lines else type(exception).__name__
