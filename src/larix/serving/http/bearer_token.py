"""The token that callers must know: where it is read, and who is let in.

It comes from the environment or a file, never from the command line, where other users could see it.
"""

import hmac
import os
import shlex
from collections.abc import Mapping
from pathlib import Path

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from larix.serving.http.request_error import RequestError

TOKEN_VARIABLE = "LARIX_TOKEN"
OPEN_PATHS = frozenset({"/", "/docs", "/health", "/openapi.json", "/ready"})
"""What anyone may ask for: pages, which hold no data, and the probes."""
_FEWEST_CHARACTERS = 16


def read_token(file: Path | None, environment: Mapping[str, str] = os.environ) -> str | None:
    """The token in a file, or else in the environment; None if there is neither.

    Raises
    ------
    ValueError
        If it is too short, or has characters that a header can't carry.
    OSError
        If the file can't be read; the message has the command that makes one.
    """
    if file is not None:
        token, source = _read(file), str(file)
    elif TOKEN_VARIABLE in environment:
        token, source = environment[TOKEN_VARIABLE], TOKEN_VARIABLE
    else:
        return None
    if len(token) < _FEWEST_CHARACTERS or not all("!" <= character <= "~" for character in token):
        raise ValueError(
            f"a token must have at least {_FEWEST_CHARACTERS} characters, ASCII without blanks, "
            f"but that in {source} has not; make one: openssl rand -hex 32"
        )
    return token


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise OSError(
            f"{file} must be a file with a token, but: {error.strerror}; "
            f"make one: openssl rand -hex 32 > {shlex.quote(str(file))}"
        ) from error


class TokenCheck:
    """Middleware that lets requests with the token in, and anyone to `OPEN_PATHS`.

    Parameters
    ----------
    app : ASGI application
    token : str
    """

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app = app
        self._expected = f"bearer {token}".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer or refuse one request."""
        if scope["type"] != "http" or scope["path"] in OPEN_PATHS or self._is_known(Headers(scope=scope)):
            await self._app(scope, receive, send)
            return
        refusal = RequestError(
            401,
            "no_valid_token",
            "a request needs the header 'Authorization: Bearer TOKEN' with the token of this service",
            headers={"WWW-Authenticate": "Bearer"},
        )
        await refusal.response()(scope, receive, send)

    def _is_known(self, headers: Headers) -> bool:
        scheme, _, given = headers.get("authorization", "").partition(" ")
        return hmac.compare_digest(f"{scheme.lower()} {given.strip()}".encode(), self._expected)
