"""Connections to the view: one way for Redis by TCP, TLS or a socket file, and for the embedded stand-in."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, Final

import fakeredis
from redis.asyncio import Redis
from redis.exceptions import (
    AuthenticationError,
    AuthenticationWrongNumberOfArgsError,
    BusyLoadingError,
    ConnectionError,  # noqa: A004 - Redis' own
    MasterDownError,
    NoPermissionError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisError,
    TimeoutError,  # noqa: A004 - Redis' own
)

from schemas.errors import ViewError
from stream.settings import Settings

Client = Any
"""redis-py's asyncio client, its answers being bytes; it types them as everything they might be by its options."""

HEALTH_CHECK_S: Final = 30
"""A connection unused for so long is tried before it is used: a firewall may have dropped it silently."""

PASSING: Final = (
    ConnectionError,
    TimeoutError,
    BusyLoadingError,
    MasterDownError,
    OutOfMemoryError,
    ReadOnlyError,
    OSError,
)
"""What may be over in a moment: Redis is away, loads, fails over, or is full."""


def connect(settings: Settings, *, blocking: bool = False) -> Client:
    """Return a client of the view; it connects when first used, inside `view_errors`. The caller closes it.

    A `blocking` one waits for its answer as long as it takes: redis-py would give up after 5 s, in the middle of a
    wait for news. Raises ViewError where `view.url` cannot be read.
    """
    view = settings.view
    common: dict[str, Any] = {
        "socket_timeout": None if blocking else view.timeout_s,
        "socket_connect_timeout": view.timeout_s,
        "health_check_interval": 0 if blocking else HEALTH_CHECK_S,
        "client_name": f"{settings.app_id}-view",
    }
    if view.embedded:
        return fakeredis.FakeAsyncRedis(server=_embedded(), client_name=common["client_name"])
    if view.url.startswith("unix://"):
        del common["socket_connect_timeout"]
    if view.password:
        common |= {"username": view.username or None, "password": view.password.reveal()}
    if view.uses_tls:
        common |= {
            "ssl_cert_reqs": "required",
            "ssl_check_hostname": True,
            "ssl_ca_certs": view.ca_file or None,
            "ssl_certfile": view.cert_file or None,
            "ssl_keyfile": view.key_file or None,
        }
    try:
        return Redis.from_url(view.url, **common)
    except ValueError as error:
        shown = "it" if view.shown != view.url else str(error)
        raise ViewError(
            f"view.url: {view.shown}: {shown} cannot be used; see the settings reference"
        ) from None


@contextmanager
def view_errors(settings: Settings, doing: str) -> Iterator[None]:
    """Turn what redis-py raises inside into ViewError: what was being done, and what to check."""
    try:
        yield
    except RedisError as error:
        raise ViewError(f"{doing}: {explain(settings, error)}") from error


def explain(settings: Settings, error: BaseException) -> str:
    """Return what an error of redis-py means here and what to do about it, without secrets."""
    view = settings.view
    text = str(error).partition("\n")[0]
    if isinstance(error, AuthenticationError | AuthenticationWrongNumberOfArgsError):
        return f"{view.shown} refuses the login; check view.username and view.password"
    if isinstance(error, NoPermissionError):
        return f"the user may not do this ({text}); grant it in Redis' access control list"
    if "certificate verify failed" in text or isinstance(error.__cause__, ssl.SSLCertVerificationError):
        return (
            f"the certificate of {view.shown} is not trusted or is for another name; check view.ca_file and the host "
            "in view.url"
        )
    if isinstance(error, PASSING):
        return f"{view.shown} does not serve ({type(error).__name__}: {text}); check that Redis runs and view.url"
    return f"{view.shown}: {type(error).__name__}: {text}"


@cache
def _embedded() -> fakeredis.FakeServer:
    """The stand-in of this process: all its clients see one view."""
    return fakeredis.FakeServer(version=(7,))
