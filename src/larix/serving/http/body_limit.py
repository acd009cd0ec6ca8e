"""Read a request's body before anything else looks at it: no more bytes, and no longer, than allowed."""

import asyncio

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from larix.serving.http.limits import Limits
from larix.serving.http.request_error import RequestError


class BodyLimit:
    """Middleware that hands on requests whose body is small and arrives in time.

    Parameters
    ----------
    app : ASGI application
    limits : Limits
    """

    def __init__(self, app: ASGIApp, limits: Limits) -> None:
        self._app = app
        self._limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer or refuse one request."""
        if scope["type"] != "http" or scope["method"] in ("GET", "HEAD"):
            await self._app(scope, receive, send)
            return
        try:
            body = await self._read(Headers(scope=scope), receive)
        except RequestError as refusal:
            await refusal.response()(scope, receive, send)
            return
        if body is None:  # the client went away
            return
        handed_on = False

        async def replay() -> Message:
            nonlocal handed_on
            if handed_on:
                return await receive()
            handed_on = True
            return {"type": "http.request", "body": body, "more_body": False}

        await self._app(scope, replay, send)

    async def _read(self, headers: Headers, receive: Receive) -> bytes | None:
        claimed = headers.get("content-length", "")
        if claimed.isdecimal() and int(claimed) > self._limits.max_bytes:
            raise self._too_large(f"claims {int(claimed):,}")
        try:
            async with asyncio.timeout(self._limits.max_seconds):
                return await self._received(receive)
        except TimeoutError:
            raise RequestError(
                408,
                "body_too_slow",
                f"a request's body must arrive within {self._limits.max_seconds:g} s; send it again",
                headers={"Connection": "close"},
            ) from None

    async def _received(self, receive: Receive) -> bytes | None:
        parts, size = [], 0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return None
            parts.append(message.get("body", b""))
            size += len(parts[-1])
            if size > self._limits.max_bytes:
                raise self._too_large("has more")
            if not message.get("more_body", False):
                return b"".join(parts)

    def _too_large(self, found: str) -> RequestError:
        return RequestError(
            413,
            "body_too_large",
            f"a request's body has at most {self._limits.max_bytes:,} bytes, but this {found}; "
            "send several requests",
            headers={"Connection": "close"},
        )
