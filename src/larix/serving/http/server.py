"""Run the application: one process or several over one socket, until told to stop."""

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
from uvicorn.supervisors import Multiprocess

from larix.serving.http.app import create_app
from larix.serving.http.current_model import CurrentModel
from larix.serving.http.service import ServiceSettings
from larix.serving.http.service_metrics import FOLDER_VARIABLE
from larix.xmc.parallel import available_threads

logger = logging.getLogger(__name__)

_BACKLOG = 2048
_SECONDS_TO_END = 5


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
            _Workers(config, [listener]).run()


def _listening(host: str, port: int) -> socket.socket:
    family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    listener = socket.create_server(address[:2], family=family, backlog=_BACKLOG)
    listener.set_inheritable(True)
    return listener


def _worker_app(locate: Callable[[], Path], settings: ServiceSettings) -> FastAPI:
    _log_to_stderr()
    threads = settings.n_threads or max(1, available_threads() // settings.n_workers)
    return create_app(CurrentModel(locate, n_threads=threads), settings)


def _log_to_stderr() -> None:
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr)
    logging.getLogger("larix").setLevel(logging.INFO)


class _Workers(Multiprocess):
    """Worker processes that exchange their model when told to, instead of being replaced."""

    def handle_hup(self) -> None:
        """Pass the signal on."""
        for process in self.processes:
            if process.pid is not None:
                os.kill(process.pid, signal.SIGHUP)

    def keep_subprocess_alive(self) -> None:
        """Replace workers that died, and forget their gauges."""
        before = {process.pid for process in self.processes}
        super().keep_subprocess_alive()
        for pid in before - {process.pid for process in self.processes}:
            mark_process_dead(pid)
