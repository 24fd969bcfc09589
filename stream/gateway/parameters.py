"""Reading the query of a request into a struct, whose types say what is allowed; the same structs are documented."""

from __future__ import annotations

from enum import Enum
from types import UnionType
from typing import Annotated, Any, Final, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import msgspec
from aiohttp import web
from msgspec import Meta, Struct

from schemas.words import Category, State
from stream.gateway.problems import ProblemError
from stream.settings_source import allowed

_T = TypeVar("_T", bound=Struct)

MOST_NAMED: Final = 50
"""How many values one parameter may have."""
_SHOWN: Final = 100
"""So much of a wrong value is repeated in the answer."""

Id = Annotated[str, Meta(min_length=1, max_length=256, description="An incident's id.")]
Noise = Annotated[float, Meta(ge=0.0, le=100.0, description="The least noise (0 to 100), as of the answer.")]
Platform = Annotated[str, Meta(min_length=1, max_length=64)]
Categories = Annotated[
    tuple[Category, ...], Meta(max_length=MOST_NAMED, description="Any of these categories.")
]
States = Annotated[tuple[State, ...], Meta(max_length=MOST_NAMED, description="In any of these states.")]


class Nothing(Struct, frozen=True):
    """For what takes no parameters."""


def query(request: web.Request, kind: type[_T]) -> _T:
    """Return the query of a request as a struct of `kind`; ProblemError (400) names the parameter that is wrong.

    A parameter that is a tuple may be given several times, any other once.
    """
    hints = get_type_hints(kind, include_extras=True)
    values: dict[str, Any] = {}
    for name in dict.fromkeys(request.query):
        if name not in hints:
            known = ", ".join(hints) or "none is taken here"
            raise ProblemError(
                400, f"there is no parameter {name[:_SHOWN]!r}; allowed: {known}", name[:_SHOWN]
            )
        values[name] = _value(name, request.query.getall(name), hints[name])
    return kind(**values)


def _value(name: str, texts: list[str], hint: Any) -> Any:
    if not _is_tuple(hint) and len(texts) > 1:
        raise ProblemError(400, f"{name}: it is given {len(texts)} times; give it once", name)
    given: Any = texts if _is_tuple(hint) else texts[0]
    try:
        for text in texts:
            text.encode()  # half a character is no text
        return msgspec.convert(given, hint, strict=False)
    except (msgspec.ValidationError, UnicodeEncodeError):
        shown = ", ".join(repr(text[:_SHOWN]) for text in texts[:3])
        raise ProblemError(400, f"{name}: {shown} is not allowed; allowed: {_allowed(hint)}", name) from None


def _is_tuple(hint: Any) -> bool:
    base = get_args(hint)[0] if get_origin(hint) is Annotated else hint
    return get_origin(base) is tuple


def _allowed(hint: Any) -> str:
    """What a type takes, in words."""
    base = get_args(hint)[0] if get_origin(hint) is Annotated else hint
    if get_origin(base) is tuple:
        return f"{_allowed(get_args(base)[0])}; {MOST_NAMED} of them at most"
    if get_origin(base) in {Union, UnionType}:
        return _allowed(get_args(base)[0])
    if isinstance(base, type) and issubclass(base, Enum):
        return ", ".join(str(each.value) for each in base)
    meta = next((each for each in getattr(hint, "__metadata__", ()) if isinstance(each, Meta)), None)
    if meta is None or get_origin(base) is Literal:
        return allowed(base)
    if base is str:
        most = f", {meta.max_length} characters at most" if meta.max_length else ""
        return (meta.description or allowed(base)) + most
    return allowed(Annotated[base, Meta(ge=meta.ge, le=meta.le)])
