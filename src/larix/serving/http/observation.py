"""Count and time every request, and answer errors that nobody foresaw.

What is logged of such an error is its type and where it arose, and not its message, which may quote a text.
"""

import logging
import time
import traceback

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from larix.serving.http.request_error import RequestError
from larix.serving.http.service_metrics import ServiceMetrics

logger = logging.getLogger(__name__)

_HEADERS = (
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
)


class Observation:
    """Middleware around everything else.

    Parameters
    ----------
    app : ASGI application
    metrics : ServiceMetrics
    """

    def __init__(self, app: ASGIApp, metrics: ServiceMetrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, status = time.perf_counter(), 0

        async def send_noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], *_HEADERS]
            await send(message)

        try:
            await self._app(scope, receive, send_noting)
        except Exception as error:
            logger.error("%s %s failed: %s", scope["method"], _path(scope), _where(error))
            if not status:
                failure = RequestError(500, "internal_error", "the service made an error; its log says where")
                await failure.response()(scope, receive, send_noting)
        if status:
            self._metrics.requests.labels(_path(scope), str(status)).inc()
            self._metrics.request_seconds.labels(_path(scope)).observe(time.perf_counter() - started)


def _path(scope: Scope) -> str:
    """The route's path; those that don't exist are one."""
    return str(getattr(scope.get("route"), "path", "other"))


def _where(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    places = " < ".join(f"{frame.filename}:{frame.lineno} {frame.name}" for frame in reversed(frames))
    return f"{type(error).__name__} at {places}"
