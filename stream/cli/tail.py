"""`decibel tail`: print a topic's events as they come."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any, Final

import click
import msgspec

from schemas.times import format_time
from schemas.topics import (
    DEAD_LETTERS,
    EVENT_OF,
    INCIDENT_MERGES,
    INCIDENT_PROFILES,
    NOISE_INDEX,
    NOISE_SCORES,
    PEAK_CROSSINGS,
    SOURCE_ITEMS,
    STATE_CHANGES,
    TREND_UPDATES,
)
from stream.cli.context import Invocation, json_option, pass_invocation, plain, print_json
from stream.log_reader import follow
from stream.topics import physical


@click.command()
@click.argument("topic", type=click.Choice(list(EVENT_OF)), metavar="TOPIC")
@click.option("--from", "start", type=click.Choice(["beginning", "end"]), default="end", help="Default: end.")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Stop after N events.")
@click.option(
    "--timeout",
    type=click.FloatRange(min=0),
    metavar="S",
    help="Stop after S seconds without an event. Default: never.",
)
@json_option
@pass_invocation
def tail(
    invocation: Invocation, topic: str, start: str, limit: int | None, timeout: float | None, *, as_json: bool
) -> None:
    """Print the events of TOPIC as they come, one a line, until Ctrl-C.

    TOPIC is the name without a deployment's prefix: source-items, incident-profiles, noise-scores, trend-
    updates, state-changes, peak-crossings, incident-merges, noise-index, index-shares or dead-letters. Order
    holds within an incident.

    \b
    With --json each line is {"topic", "key", "timestamp", "id", "value"}: `id` is the event's id (drop what
    you have seen), `timestamp` when Kafka took it.

    \b
    Examples:
      decibel tail state-changes
      decibel tail noise-scores --from beginning --timeout 2 --json | jq .value.noise
    """
    name = physical(invocation.settings, topic)
    records = follow(invocation.settings, name, from_beginning=start == "beginning", idle_timeout_s=timeout)
    for record in itertools.islice(records, limit):
        if as_json:
            print_json(_event(topic, record))
        else:
            click.echo(_line(topic, record))


def _event(topic: str, record: Any) -> dict[str, Any]:
    return {
        "topic": topic,
        "key": _text(record.key),
        "timestamp": format_time(record.timestamp / 1000),
        "id": _text(dict(record.headers).get("ce_id")),
        "value": _decoded(record.value),
    }


def _text(content: bytes | None) -> str | None:
    return None if content is None else content.decode("utf-8", "replace")


def _decoded(value: bytes | None) -> Any:
    """The event as JSON; what is none, as text."""
    if value is None:
        return None
    try:
        return msgspec.json.decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _text(value)


def _line(topic: str, record: Any) -> str:
    """One line for people: when, which incident, and what the topic is about."""
    event = _decoded(record.value)
    at = format_time(record.timestamp / 1000)
    key = _text(record.key) or "-"
    if not isinstance(event, dict):
        return plain(f"{at}  {key}  {'(deleted)' if event is None else str(event)[:200]}")
    try:
        said = _SAY[topic](event)
    except (KeyError, TypeError, ValueError):  # an event of another version: show it as it is
        said = msgspec.json.encode(event).decode()[:200]
    at = str(event.get("as_of") or event.get("at") or at)
    return plain(f"{at}  {key:<24}  {said}")


def _score(event: dict[str, Any]) -> str:
    return (
        f"noise {event['noise']:5.1f}  {event['level']:<12} {event['trend']:<14} {event['state']:<17} "
        f"{event['items']} items, revision {event['revision']}"
    )


def _crossing(event: dict[str, Any]) -> str:
    peak = f", peak {event['peak']['noise']:.1f} at {event['peak']['at']}" if event.get("peak") else ""
    return f"{event['kind']:<11} noise {event['noise']:5.1f}  {event['level']}{peak}"


def _index(event: dict[str, Any]) -> str:
    relative = event.get("relative")
    usual = "" if relative is None else f", {relative:.1f} × its average"
    return f"index {event['value']:.1f} over {event['incidents']} incidents{usual}"


def _item(event: dict[str, Any]) -> str:
    counts = event.get("engagement", {})
    shown = " ".join(f"{kind} {number}" for kind, number in counts.items() if number)
    gone = "retracted  " if event.get("retracted") else ""
    if event.get("moved"):
        gone += f"from {event['moved']['via'][-1]}  "
    return f"{event['item_id']}  {gone}{shown}  {event.get('title') or ''}"[:200]


def _merge(event: dict[str, Any]) -> str:
    undone = " undone: it closed a circle" if event.get("undone") else ""
    return f"merged into {event['into']}{undone}  {event['items']} items"


def _letter(event: dict[str, Any]) -> str:
    origin = event["origin"]
    return (
        f"{event['reason']}: {event['error']}  ({origin['topic']}/{origin['partition']}/{origin['offset']})"
    )


_SAY: Final[dict[str, Callable[[dict[str, Any]], str]]] = {
    SOURCE_ITEMS: _item,
    INCIDENT_PROFILES: lambda event: f"{event.get('title', '')}  [{event.get('category', 'Other')}]",
    NOISE_SCORES: _score,
    TREND_UPDATES: lambda event: f"{event['previous']} → {event['trend']}  {event['multiple']:.1f} × usual",
    STATE_CHANGES: lambda event: f"{event['from'] or 'new'} → {event['to']}  {event['reason']}",
    PEAK_CROSSINGS: _crossing,
    INCIDENT_MERGES: _merge,
    NOISE_INDEX: _index,
    DEAD_LETTERS: _letter,
}
