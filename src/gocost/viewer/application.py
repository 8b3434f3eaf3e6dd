"""The pages of a site as a Litestar application."""

from __future__ import annotations

from typing import Any

from anyio import CapacityLimiter
from anyio.to_thread import run_sync
from litestar import Litestar, Request, Response, get
from litestar.exceptions import HTTPException

from gocost.viewer.site import Site

TEXT = "text/plain"
AT_ONCE = 2
"""Pages that are made at the same time; each takes a core and some memory."""


def application(site: Site) -> Litestar:
    """Serves the site: `/` is its first page, `/NAME` a view."""

    limiter = CapacityLimiter(AT_ONCE)

    @get(["/", "/{view:str}"])
    async def show(request: Request[Any, Any, Any], view: str = "") -> Response[str]:
        query = dict(request.query_params.items())
        answer = await run_sync(site.answer, view, query, limiter=limiter)
        headers = {"location": answer.location} if answer.location else None
        return Response(
            answer.body, media_type=answer.media_type, status_code=answer.status, headers=headers
        )

    return Litestar(
        route_handlers=[show],
        openapi_config=None,
        exception_handlers={HTTPException: _refused, Exception: _failed},
    )


def _refused(_: Request[Any, Any, Any], error: Any) -> Response[str]:
    return Response(f"{error.detail}\n", media_type=TEXT, status_code=error.status_code)


def _failed(_: Request[Any, Any, Any], error: Exception) -> Response[str]:
    told = f"this is a bug in gocost: {type(error).__name__}: {error}\n"
    return Response(told, media_type=TEXT, status_code=500)
