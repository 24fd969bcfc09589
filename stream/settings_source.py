"""Reading settings from a TOML file and from variables, remembering of each value where it came from.

Generic over the struct that is filled: sections are its fields that are structs themselves, keys are the
others.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypeVar, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Meta, Struct

from schemas.errors import SettingsError

_T = TypeVar("_T", bound=Struct)

PREFIX: Final = "DECIBEL_"
RESERVED: Final = frozenset({"DECIBEL_SETTINGS", "DECIBEL_KAFKA", "DECIBEL_REQUIRE", "DECIBEL_CACHE"})
"""Variables that are no settings: the file's name, and what the tests of this repository use."""

# Kubernetes puts such variables into every container for each Service; a Service named decibel-… would break
# the start.
_SERVICE_LINK: Final = re.compile(
    r"_SERVICE_(HOST|PORT(_\w+)?)$|_PORT(_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?$"
)
_SERVICE_URL: Final = re.compile(r"^(tcp|udp|sctp)://")


class Secret:
    """A text that never shows itself: its str and repr are `***`. Only `reveal` gives it.

    >>> Secret("hunter2"), f"{Secret('hunter2')}", Secret("hunter2").reveal()
    (***, '***', 'hunter2')
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself, for the one call that needs it."""
        return self._text

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)

    def __repr__(self) -> str:
        return "***"

    def __reduce__(self) -> tuple[Any, ...]:
        raise TypeError("a secret is not pickled")


class Reading:
    """Values by dotted key (`kafka.bootstrap`), and where each came from; absent keys have their default."""

    def __init__(
        self, hints: Mapping[str, Any], defaults: Mapping[str, object], hidden: Collection[str] = ()
    ) -> None:
        self.hidden = hidden
        self.hints = hints
        self.defaults = defaults
        self.values: dict[str, object] = {}
        self.places: dict[str, str] = {}

    def get(self, key: str) -> object:
        """The value of `key`, or its default."""
        return self.values.get(key, self.defaults[key])

    def error(self, key: str, message: str) -> SettingsError:
        """A SettingsError about `key` that says where its value came from."""
        return SettingsError(f"{self.places.get(key, 'by default')}: {key}: {message}")

    def put(self, key: str, value: object, place: str, *, strict: bool) -> None:
        """Convert and keep a value; SettingsError says what is allowed. `strict` is off for variables."""
        self.places[key] = place
        hint = self.hints[key]
        if hint is Secret:
            if not isinstance(value, str):
                raise self.error(key, "not allowed; allowed: a text in quotes")
            self.values[key] = Secret(value)
            return
        try:
            self.values[key] = msgspec.convert(value, hint, strict=strict)
        except msgspec.ValidationError:
            shown = "this" if key in self.hidden else repr(value)
            raise self.error(key, f"{shown} is not allowed; allowed: {allowed(hint)}") from None

    def build(self, kind: type[_T]) -> _T:
        """Return the struct these values fill."""
        top: dict[str, Any] = {}
        sections: dict[str, dict[str, object]] = {}
        for key, value in self.values.items():
            section, _, name = key.rpartition(".")
            (sections.setdefault(section, {}) if section else top)[name] = value
        hints = get_type_hints(kind)
        for section, values in sections.items():
            top[section] = hints[section](**values)
        return kind(**top)


def read_sources(
    kind: type[Struct],
    file: Path | None,
    environ: Mapping[str, str],
    *,
    paths: Collection[str] = (),
    hidden: Collection[str] = (),
) -> Reading:
    """Return what `file` and `environ` say of the keys of `kind`; SettingsError names key, place and what is
    allowed.

    `paths` are keys that name files: in the file, a relative one starts at the file's folder. `hidden` are
    keys whose
    value may hold a secret: no error shows it.
    """
    reading = Reading(*_keys(kind), hidden)
    if file is not None:
        for key, value in _file_values(file, reading):
            found = value
            if key in paths and isinstance(value, str) and value:
                found = str((file.parent / Path(value).expanduser()).absolute())
            reading.put(key, found, str(file), strict=True)
    for variable, key in _variables(environ, reading).items():
        reading.put(key, environ[variable], variable, strict=False)
    return reading


def variable_of(key: str) -> str:
    """Return the variable of a key.

    >>> variable_of("kafka.bootstrap"), variable_of("app_id")
    ('DECIBEL_KAFKA_BOOTSTRAP', 'DECIBEL_APP_ID')
    """
    return PREFIX + key.replace(".", "_").upper()


def allowed(hint: Any) -> str:
    """Return in words what a type takes.

    >>> allowed(Annotated[int, Meta(ge=0, le=65535)]), allowed(Literal["wall", "stream"]), allowed(bool)
    ('a whole number from 0 to 65535', 'wall or stream', 'true or false')
    """
    base, metas = (get_args(hint)[0], hint.__metadata__) if get_origin(hint) is Annotated else (hint, ())
    meta = next((found for found in metas if isinstance(found, Meta)), Meta())
    if meta.description:
        return meta.description
    if get_origin(base) is Literal:
        *head, last = (str(word) for word in get_args(base))
        return f"{', '.join(head)} or {last}" if head else last
    if base is bool:
        return "true or false"
    noun = {int: "a whole number", float: "a number", str: "a text"}.get(base, base.__name__)
    if meta.ge is not None and meta.le is not None:
        return (
            f"{noun} from {meta.ge:g} to {meta.le:g}"
            if base is float
            else f"{noun} from {meta.ge} to {meta.le}"
        )
    return f"{noun} that is not empty" if meta.min_length else noun


def _keys(kind: type[Struct]) -> tuple[dict[str, Any], dict[str, object]]:
    hints: dict[str, Any] = {}
    defaults: dict[str, object] = {}
    blank = kind()
    for name, hint in get_type_hints(kind, include_extras=True).items():
        if isinstance(hint, type) and issubclass(hint, Struct):
            inner, inner_defaults = _keys(hint)
            hints.update({f"{name}.{key}": value for key, value in inner.items()})
            defaults.update({f"{name}.{key}": value for key, value in inner_defaults.items()})
        else:
            hints[name] = hint
            defaults[name] = getattr(blank, name)
    return hints, defaults


def _file_values(file: Path, reading: Reading) -> Iterable[tuple[str, object]]:
    try:
        tables = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(
            f"{file}: cannot be read: {error.strerror}; name an existing settings file"
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{file}: not TOML: {error}") from error
    sections = {key.partition(".")[0] for key in reading.hints if "." in key}
    for name, value in tables.items():
        if name in sections:
            if not isinstance(value, dict):
                raise SettingsError(f"{file}: {name}: is a section; write [{name}] and its keys below it")
            for key, inner in value.items():
                yield _known(f"{name}.{key}", reading.hints, str(file)), inner
        else:
            yield _known(name, {*reading.hints, *sections}, str(file)), value


def _known(key: str, known: Collection[str], place: str, spelling: Any = str) -> str:
    if key in known:
        return key
    near = difflib.get_close_matches(key, known, n=1) or [
        found for found in known if found.rpartition(".")[2] == key.rpartition(".")[2]
    ]
    hint = f"did you mean {spelling(near[0])}?" if near else "see the settings reference in the documentation"
    raise SettingsError(f"{place}: {key}: there is no such setting; {hint}")


def _variables(environ: Mapping[str, str], reading: Reading) -> dict[str, str]:
    """Return the settings among the variables, as variable -> key; unknown ones are an error."""
    keys = {variable_of(key): key for key in reading.hints}
    found = {}
    for variable, value in environ.items():
        if not variable.startswith(PREFIX) or variable in RESERVED or not value:
            continue
        if variable in keys and not _SERVICE_URL.match(value):
            found[variable] = keys[variable]
        elif _SERVICE_LINK.search(variable) and variable not in keys:
            continue
        elif variable not in keys:
            near = difflib.get_close_matches(variable, keys, n=1)
            hint = f"did you mean {near[0]}?" if near else "see the settings reference in the documentation"
            raise SettingsError(f"{variable}: there is no such setting; {hint}")
    return found
