"""What could not be answered, and why: problem details (RFC 9457), of which every one names what to change."""

from __future__ import annotations

import logging
from typing import Final

import msgspec
from aiohttp import web
from aiohttp.typedefs import Handler
from msgspec import Struct
from redis.exceptions import RedisError

from schemas.errors import RequestError, ViewError

log = logging.getLogger(__name__)

CONTENT_TYPE: Final = "application/problem+json"
RETRY_AFTER_S: Final = 2
"""When to ask again while the view is away: a failover takes some seconds, a restart less."""

TITLES: Final = {
    400: "The request cannot be answered as it is asked",
    401: "A token is needed",
    404: "There is no such thing",
    405: "This cannot be done here",
    429: "Too many requests",
    500: "Something went wrong here",
    503: "The view is away",
}


class Problem(Struct, frozen=True, omit_defaults=False):
    """Why a request was not answered. `parameter` names what is wrong with it, where it is one."""

    title: str
    status: int
    detail: str
    parameter: str | None = None
    type: str = "about:blank"


class ProblemError(Exception):
    """A request that ends with a problem."""

    def __init__(
        self,
        status: int,
        detail: str,
        parameter: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status, self.detail, self.parameter = status, detail, parameter
        self.headers = headers or {}

    def response(self) -> web.Response:
        """Return what the reader gets."""
        title = TITLES.get(self.status, self.detail)
        body = msgspec.json.encode(Problem(title, self.status, self.detail, self.parameter))
        headers = {"Cache-Control": "no-store", **self.headers}
        return web.Response(body=body, status=self.status, content_type=CONTENT_TYPE, headers=headers)


def not_found(detail: str) -> ProblemError:
    """Return the problem that what is asked for is not there."""
    return ProblemError(404, detail)


def busy(detail: str, after_s: float, status: int = 503) -> ProblemError:
    """Return the problem that one must come again, in so many seconds."""
    return ProblemError(status, detail, headers={"Retry-After": str(max(1, round(after_s + 0.499)))})


@web.middleware
async def problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn every error into a problem; what nobody expected is logged and told as such, without its insides."""
    try:
        return await handler(request)
    except ProblemError as error:
        return error.response()
    except RequestError as error:
        name, _, _ = str(error).partition(":")
        return ProblemError(400, str(error), name).response()
    except (RedisError, ViewError) as error:
        log.warning("%s is not answered: the view is away: %s", request.path, type(error).__name__)
        return busy("the view cannot be read now; ask again", RETRY_AFTER_S).response()
    except web.HTTPException as error:
        return _of_http(request, error)
    except Exception:  # whatever it is, the reader gets an answer and the log what happened
        log.exception("%s could not be answered", request.path)
        return ProblemError(500, "an error that nobody expected; it is in the gateway's log").response()


def _of_http(request: web.Request, error: web.HTTPException) -> web.StreamResponse:
    """A problem in the place of aiohttp's own text pages; redirections stay what they are."""
    if error.status < 400:
        raise error
    if isinstance(error, web.HTTPMethodNotAllowed):
        allowed = ", ".join(sorted(error.allowed_methods))
        detail = f"{error.method} cannot be used here; use {allowed}"
        return ProblemError(405, detail, headers={"Allow": allowed}).response()
    detail = "nothing is at this address; /openapi.json lists what there is"
    return ProblemError(error.status, detail if error.status == 404 else error.reason).response()
