"""The HTTP application: paths, pages, errors, and the order in which a request passes the checks."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Query, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse
from fastapi.security import HTTPBearer

import larix
from larix.serving.http import messages, service_metrics
from larix.serving.http.bearer_token import TokenCheck
from larix.serving.http.body_limit import BodyLimit
from larix.serving.http.current_model import CurrentModel
from larix.serving.http.observation import Observation
from larix.serving.http.pages import PAGE_HEADERS, api_page, try_page
from larix.serving.http.request_error import answer_errors_in_one_form
from larix.serving.http.service import Service, ServiceSettings

_MOST_LABELS = 100
_REFUSALS: dict[int | str, dict[str, Any]] = {
    400: {"model": messages.ErrorAnswer, "description": "The body is no JSON."},
    401: {"model": messages.ErrorAnswer, "description": "The token is missing or wrong."},
    413: {"model": messages.ErrorAnswer, "description": "The body has too many bytes."},
    415: {"model": messages.ErrorAnswer, "description": "The body is not said to be JSON."},
    422: {"model": messages.ErrorAnswer, "description": "A field is missing, of a wrong type or too large."},
    503: {"model": messages.ErrorAnswer, "description": "Too many texts wait; try again later."},
}


def create_app(model: CurrentModel, settings: ServiceSettings | None = None) -> FastAPI:
    """The application.

    Parameters
    ----------
    model : CurrentModel
        Loaded when the application starts.
    settings : ServiceSettings, optional
    """
    service = Service(model, settings or ServiceSettings())

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await service.start()
        yield
        await service.stop()

    app = FastAPI(
        title="larix",
        version=larix.__version__,
        description="Labels for texts, from a classifier with very many labels.",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
    )
    answer_errors_in_one_form(app)
    # The last added is the first to see a request.
    app.add_middleware(BodyLimit, limits=service.settings.limits)
    if service.settings.token is not None:
        app.add_middleware(TokenCheck, token=service.settings.token)
    app.add_middleware(Observation, metrics=service.metrics)
    _add_answers(app, service)
    _add_probes(app, service)
    _add_pages(app, service)
    return app


def _add_answers(app: FastAPI, service: Service) -> None:
    # The middleware checks tokens; this tells OpenAPI so.
    guarded: Any = [Depends(HTTPBearer(auto_error=False))] if service.settings.token else None

    @app.post(
        "/suggest", response_model=messages.SuggestAnswer, responses=_REFUSALS, dependencies=guarded,
        summary="Labels for one text or several",
    )  # fmt: skip
    async def suggest(request: messages.SuggestRequest) -> Response:
        return JSONResponse(await service.suggest(request))

    @app.get(
        "/labels", response_model=messages.LabelsAnswer,
        responses={status: _REFUSALS[status] for status in (401, 422)}, dependencies=guarded,
        summary="Labels by words of their identifiers and names",
    )  # fmt: skip
    async def labels(
        query: Annotated[str, Query(max_length=200, description="All of these words must occur.")] = "",
        limit: Annotated[int, Query(ge=1, le=_MOST_LABELS, description="Most labels to list.")] = 20,
    ) -> Response:
        return JSONResponse(await service.find_labels(query, limit))

    @app.post(
        "/reload", response_model=messages.Reloaded, dependencies=guarded,
        responses={status: {"model": messages.ErrorAnswer} for status in (401, 403, 409)},
        summary="Take the newest model now; needs a token",
    )  # fmt: skip
    async def reload() -> dict[str, Any]:
        return await service.reload()


def _add_probes(app: FastAPI, service: Service) -> None:
    @app.get("/health", response_model=messages.Alive, summary="Whether the process lives")
    async def health() -> dict[str, Any]:
        return {"status": "alive"}

    @app.get(
        "/ready", response_model=messages.Readiness, responses={503: {"model": messages.Readiness}},
        summary="Whether a text would be answered now",
    )  # fmt: skip
    async def ready() -> Response:
        if service.is_ready:
            return JSONResponse({"status": "ready", "model": service.served.version})
        return JSONResponse({"status": "not ready", "model": None}, 503)

    @app.get("/metrics", response_class=Response, summary="Metrics for Prometheus")
    async def metrics() -> Response:
        return Response(service.render_metrics(), media_type=service_metrics.CONTENT_TYPE)


def _add_pages(app: FastAPI, service: Service) -> None:
    settings = service.settings

    @app.get("/", response_class=HTMLResponse, include_in_schema=False)
    async def page() -> Response:
        return HTMLResponse(try_page(settings), headers=PAGE_HEADERS)

    @app.get("/docs", response_class=HTMLResponse, include_in_schema=False)
    async def docs(request: Request) -> Response:
        return HTMLResponse(api_page(app.openapi(), settings, str(request.base_url)), headers=PAGE_HEADERS)
