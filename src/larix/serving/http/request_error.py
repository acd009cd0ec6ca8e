"""Refusals: every error the service answers with has one form, whatever noticed it.

::

    {"error": {"code": "too_many_texts", "message": "a request has at most 100 texts, but this has 250; ..."}}

Messages never quote a text.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException


class RequestError(Exception):
    """A request that is refused.

    Parameters
    ----------
    status : int
        HTTP status.
    code : str
        What programs tell errors apart by.
    message : str
        Rule, what was found, remedy.
    headers : mapping of str to str, optional
    """

    def __init__(
        self, status: int, code: str, message: str, *, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.headers = headers

    def response(self) -> JSONResponse:
        """The answer."""
        content = {"error": {"code": self.code, "message": str(self)}}
        return JSONResponse(content, self.status, dict(self.headers or {}))


def answer_errors_in_one_form(app: FastAPI) -> None:
    """Give the errors of FastAPI and of routing the form of `RequestError`."""
    app.add_exception_handler(RequestError, _refused)
    app.add_exception_handler(RequestValidationError, _malformed)
    app.add_exception_handler(HTTPException, _not_routed)


async def _refused(_: Request, error: Any) -> JSONResponse:
    response: JSONResponse = error.response()
    return response


async def _malformed(request: Request, error: Any) -> JSONResponse:
    first = error.errors()[0]
    if request.method == "POST" and "json" not in request.headers.get("content-type", ""):
        message = "the body must be JSON and say so; send the header 'Content-Type: application/json'"
        return RequestError(415, "not_said_to_be_json", message).response()
    if first["type"] == "json_invalid":
        reason = str(first.get("ctx", {}).get("error", "a mistake")).lower()
        message = f"the body must be JSON, but has at character {first['loc'][-1]}: {reason}"
        return RequestError(400, "not_json", message).response()
    place = ".".join(str(part) for part in first["loc"] if part not in ("body", "query"))
    reason = first["msg"].removesuffix(" after validation, not 0")  # it knows one way to be too short
    message = f"{place or 'the body'}: {reason[0].lower()}{reason[1:]}; see /docs"
    return RequestError(422, "malformed", message).response()


async def _not_routed(request: Request, error: Any) -> JSONResponse:
    """No such path, or not with this method."""
    phrase = HTTPStatus(error.status_code).phrase
    message = f"{phrase.lower()}: {request.method} {request.url.path}; see /docs"
    return RequestError(
        error.status_code, phrase.lower().replace(" ", "_"), message, headers=error.headers
    ).response()
