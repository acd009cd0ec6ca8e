"""Run the application: one process or several over one socket, until told to stop."""

import errno
import logging
import os
import signal
import socket
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import uvicorn
from fastapi import FastAPI
from prometheus_client.multiprocess import mark_process_dead
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors.multiprocess import Multiprocess, Process

from larix.serving.http.app import create_app
from larix.serving.http.current_model import CurrentModel
from larix.serving.http.service import ServiceSettings
from larix.serving.http.service_metrics import FOLDER_VARIABLE
from larix.xmc.parallel import available_threads

logger = logging.getLogger(__name__)

_BACKLOG = 2048
_SECONDS_TO_END = 5
_SECONDS_TO_TELL = 1.0
_SECONDS_BEFORE_SWITCH = 0.0005  # else the computing thread waits up to 5 ms for that which reads requests


def serve(locate: Callable[[], Path], settings: ServiceSettings, *, host: str, port: int) -> None:
    """Answer requests until SIGTERM or SIGINT; those that have arrived are answered first.

    SIGHUP exchanges the model.

    Parameters
    ----------
    locate : callable
        Gives the model's folder; with several workers it must be possible to pickle it.
    settings : ServiceSettings
    host : str
    port : int
        0 takes a free one.

    Raises
    ------
    SystemExit
        With status 0 when a signal ended it.
    OSError
        If the address can't be had.
    """
    _log_to_stderr()
    for stop in (signal.SIGTERM, signal.SIGINT):
        signal.signal(stop, lambda *_: sys.exit(0))  # uvicorn raises the signal again when it is done
    config = uvicorn.Config(
        partial(_worker_app, locate, settings),
        factory=True,
        host=host,
        port=port,
        workers=settings.n_workers,
        log_config=None,
        access_log=False,  # paths of /labels hold what is searched for
        server_header=False,
        ws="none",
        lifespan="on",
        timeout_graceful_shutdown=int(settings.limits.max_seconds) + _SECONDS_TO_END,
    )
    with _listening(host, port) as listener, tempfile.TemporaryDirectory(prefix="larix-metrics-") as folder:
        logger.info("listening at http://%s:%d", host, listener.getsockname()[1])
        if settings.n_workers == 1:
            uvicorn.Server(config).run([listener])
        else:
            os.environ[FOLDER_VARIABLE] = folder
            workers = _Workers(config, [listener])
            workers.run()
            if any(process.exitcode == STARTUP_FAILURE for process in workers.processes):
                sys.exit(STARTUP_FAILURE)


def _listening(host: str, port: int) -> socket.socket:
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.create_server(address[:2], family=family, backlog=_BACKLOG)
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno in errno.errorcode else error.strerror
        raise OSError(
            f"the service must have {host}:{port} for itself, but: {reason}; "
            "choose another with --port, or 0 for a free one, and --host of this machine"
        ) from error
    listener.set_inheritable(True)
    return listener


def _worker_app(locate: Callable[[], Path], settings: ServiceSettings) -> FastAPI:
    _log_to_stderr()
    if hasattr(signal, "SIGHUP"):
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # until the service listens to it
    sys.setswitchinterval(_SECONDS_BEFORE_SWITCH)
    threads = settings.n_threads or max(1, available_threads() // settings.n_workers)
    return create_app(CurrentModel(locate, n_threads=threads), settings)


def _log_to_stderr() -> None:
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr)
    logging.getLogger("larix").setLevel(logging.INFO)


class _Workers(Multiprocess):
    """Worker processes that exchange their model when told to, instead of being replaced.

    Whether a worker lives is asked of the system, not of the worker: on a busy machine its start may take
    longer than an answer may.
    """

    def handle_hup(self) -> None:
        """Pass the signal on to all that listen to it by now; the others load the newest model anyway."""
        for process in self.processes:
            if process.pid is not None and process.is_ready(timeout=_SECONDS_TO_TELL):
                os.kill(process.pid, signal.SIGHUP)

    def keep_subprocess_alive(self) -> None:
        """Replace workers that died, and forget their gauges; end if one could not start."""
        for index, process in enumerate(self.processes):
            if process.process.is_alive():
                continue
            process.join()
            mark_process_dead(process.pid)
            logger.error("worker %s died with status %s", process.pid, process.exitcode)
            if process.exitcode == STARTUP_FAILURE:
                self.should_exit.set()
                return
            self.processes[index] = Process(self.config, self.sockets)
            self.processes[index].start()
