"""Reading the file of rules and channels, and checking at start all that could be wrong with it."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final, get_args
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from msgspec import Struct, inspect

from schemas.errors import SettingsError, field_first
from schemas.words import Sensitivity
from scoring.policy import Policy
from stream.alerts.channels import HTTP_URL, SECRET_FIELDS, AppriseChannel, ChannelTable
from stream.alerts.rules import CLOCK_TIME, DURATION, NAME, Rule, clock_time
from stream.settings_source import Secret

_KEYS: Final = ("rule", "channel")
_PATTERNS: Final = {
    NAME: "1 to 64 of the letters A-Z a-z 0-9 . _ -",
    DURATION: "a length of time, as 30s, 15min, 12h or 2d",
    CLOCK_TIME: "a time of day, as 22:00",
    HTTP_URL: "a URL that begins with http:// or https://",
}
_READINESS: Final = (Sensitivity.FEWER, Sensitivity.BALANCED, Sensitivity.MORE)
"""How readily spikes are told, from the fewest."""


class RuleFile(Struct, frozen=True):
    """What a file says: rules and channels, each by name in the order in which they stand."""

    rules: tuple[Rule, ...] = ()
    channels: tuple[ChannelTable, ...] = ()


def load_rules(path: Path, policy: Policy) -> RuleFile:
    """Return rules and channels of a TOML file. Secret files are read; relative ones start at the file's folder.

    Raises SettingsError: file, table, key, and what is allowed.
    """
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read: {error.strerror}; name an existing file") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: not TOML: {error}") from error
    for key, value in tables.items():
        if key not in _KEYS or not isinstance(value, list):
            raise SettingsError(f"{path}: {key}: there are [[rule]] and [[channel]] tables, and nothing else")
    channels = tuple(
        _secret(path, number, each, _converted(path, "channel", number, each, ChannelTable))
        for number, each in enumerate(tables.get("channel", []), 1)
    )
    rules = tuple(
        _converted(path, "rule", number, each, Rule) for number, each in enumerate(tables.get("rule", []), 1)
    )
    _check_names(path, "channel", [each.name for each in channels])
    _check_names(path, "rule", [each.name for each in rules])
    for rule in rules:
        _check(path, rule, [each.name for each in channels], policy)
    return RuleFile(rules, channels)


def _converted(path: Path, table: str, number: int, value: Any, kind: Any) -> Any:
    place = f"{path}: {table} {number}"
    if isinstance(value, dict) and isinstance(value.get("name"), str):
        place = f"{path}: {table} {value['name']!r}"
    try:
        return msgspec.convert(value, kind, dec_hook=_secret_text)
    except msgspec.ValidationError as error:
        raise SettingsError(f"{place}: {_explained(str(error))}") from None


def _explained(message: str) -> str:
    """Return msgspec's message with the key first, and what it allows in words."""
    text = field_first(message, first=1)
    key = text.partition(":")[0].rpartition(".")[2].partition("[")[0]
    if "enum value" in text and key in _CHOICES:
        return f"{text}; allowed: {', '.join(_CHOICES[key])}"
    for pattern, words in _PATTERNS.items():
        if pattern.replace("\\", "\\\\") in text or pattern in text:
            return f"{text.partition(':')[0]}: not allowed; allowed: {words}"
    return text


def _choices(kind: inspect.Type, key: str = "") -> Iterator[tuple[str, Sequence[str]]]:
    """Yield the keys in and below a type that take one of some words, with these."""
    if isinstance(kind, inspect.EnumType):
        yield key, [each.value for each in kind.cls]
    elif isinstance(kind, inspect.LiteralType):
        yield key, [str(value) for value in kind.values]
    elif isinstance(kind, inspect.VarTupleType):
        yield from _choices(kind.item_type, key)
    elif isinstance(kind, inspect.UnionType):
        for each in kind.types:
            yield from _choices(each, key)
    elif isinstance(kind, inspect.StructType):
        for field in kind.fields:
            yield from _choices(field.type, field.encode_name)


_CHOICES: Final = dict(
    found for kind in (Rule, *get_args(ChannelTable)) for found in _choices(inspect.type_info(kind))
)


def _secret_text(kind: type[Any], value: Any) -> Any:
    if kind is Secret and isinstance(value, str):
        return Secret(value)
    raise TypeError("Expected `str`")  # msgspec makes a ValidationError with the path of it


def _secret(path: Path, number: int, table: dict[str, Any], channel: Any) -> Any:
    """Put what a channel's secret file holds in the place of its secret."""
    name = SECRET_FIELDS[table["kind"]]
    file, place = getattr(channel, f"{name}_file"), f"{path}: channel {channel.name!r}: {name}_file"
    if file:
        if getattr(channel, name):
            raise SettingsError(f"{place}: {name} is set too; set one of them")
        full = path.parent / Path(file).expanduser()
        try:
            text = full.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(f"{place}: {file!r} cannot be read: {type(error).__name__}") from None
        channel = msgspec.structs.replace(channel, **{name: Secret(text)})
    if isinstance(channel, AppriseChannel):
        if not channel.url:
            raise SettingsError(f"{path}: channel {channel.name!r}: url: set url or url_file")
    elif urlsplit(channel.url).hostname is None:
        raise SettingsError(f"{path}: channel {channel.name!r}: url: there is no host in it")
    return channel


def _check_names(path: Path, table: str, names: Sequence[str]) -> None:
    for number, name in enumerate(names):
        if name in names[:number]:
            raise SettingsError(
                f"{path}: {table} {name!r}: name: there are two of that name; give each its own"
            )


def _check(path: Path, rule: Rule, channels: Sequence[str], policy: Policy) -> None:
    """Raise SettingsError where the keys of a rule contradict each other, its channels or the policy."""

    def wrong(key: str, message: str) -> SettingsError:
        return SettingsError(f"{path}: rule {rule.name!r}: {key}: {message}")

    for channel in rule.channels:
        if channel not in channels:
            raise wrong(
                "channels", f"there is no channel {channel!r}; there are: {', '.join(channels) or 'none'}"
            )
    if rule.when.empty:
        raise wrong("when", "no event can meet it; set states, peaks, trends, spike or activity")
    levels = [
        *(rule.when.peaks.levels if rule.when.peaks else ()),
        *([rule.min_level] if rule.min_level else []),
    ]
    for level in levels:
        if level not in policy.level_names:
            known = ", ".join(policy.level_names)
            raise wrong("min_level or when.peaks.levels", f"{level!r} is no level; there are: {known}")
    if rule.when.spike and _READINESS.index(rule.when.spike) > _READINESS.index(policy.spike.sensitivity):
        told = policy.spike.sensitivity.value
        raise wrong("when.spike", f"the workers tell no more than the policy's spike.sensitivity ({told})")
    try:
        ZoneInfo(rule.zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise wrong("zone", f"{rule.zone!r} is no time zone; write it as Europe/Berlin") from None
    whole = {
        day for each in rule.quiet if clock_time(each.begin) == clock_time(each.end) for day in each.days
    }
    if len(whole) == 7:
        raise wrong("quiet", "every day is quiet as a whole; nothing would ever be told")
    _check_end(rule, policy, wrong)


def _check_end(rule: Rule, policy: Policy, wrong: Any) -> None:
    resolve = rule.resolve
    if resolve.state_leaves and rule.when.states is None:
        raise wrong("resolve.state_leaves", "used only where when.states is set")
    if resolve.noise_below is not None and resolve.noise_below > least_noise(rule, policy):
        least = f"{least_noise(rule, policy):g}"
        raise wrong(
            "resolve.noise_below", f"above the least noise of an alert ({least}): it would end as it begins"
        )
    if rule.repeat_after and resolve.never:
        raise wrong("repeat_after", "needs resolve: what never ends would be told for ever")


def least_noise(rule: Rule, policy: Policy) -> float:
    """Return the least noise (0 to 100) of which a rule tells: `min_noise`, or the lower edge of `min_level`."""
    if not rule.min_level:
        return rule.min_noise
    return max(rule.min_noise, policy.level_edges[policy.level_names.index(rule.min_level)])
