"""`decibel merge`: merge an incident into another, by its editors' profile."""

from __future__ import annotations

import time
from typing import Any

import click
import msgspec

from schemas.codec import decode_profile
from schemas.errors import DecibelError, RecordError, field_first
from schemas.times import format_time
from schemas.topics import INCIDENT_PROFILES
from stream.cli.context import Invocation, json_option, pass_invocation, plain, print_json
from stream.kafka_clients import broker_errors, open_producer
from stream.loading import Sender, require_topics
from stream.log_reader import read_to_end
from stream.settings import Settings
from stream.topics import physical

Profile = dict[str, Any]
"""A profile as it stands on the topic, with the fields that this version does not know."""


@click.command()
@click.argument("old", metavar="FROM")
@click.argument("into", metavar="INTO")
@json_option
@pass_invocation
def merge(invocation: Invocation, old: str, into: str, *, as_json: bool) -> None:
    """Merge incident FROM into INTO, for good: all its items count there, those that both have once.

    What still comes for FROM follows. Its last profile is sent again with `merged_into` added, so its title and
    the editors' other words stay; `decibel tail incident-merges` shows when the workers have done it.

    \b
    Examples:
      decibel merge log4j-bug log4shell
    """
    if old == into:
        raise DecibelError(f"{old!r} cannot be merged into {into!r}: name two incidents")
    settings = invocation.settings
    standing = latest_profiles(settings)
    end = _end_of(
        old, into, {each: str(profile.get("merged_into") or "") for each, profile in standing.items()}
    )
    profile = standing.get(old, {"incident_id": old}) | {
        "merged_into": into,
        "updated_at": format_time(round(time.time(), 3)),
    }
    value = msgspec.json.encode(profile)
    try:
        decode_profile(value)
    except RecordError as error:
        raise DecibelError(field_first(str(error))) from error
    send_profile(settings, old, value)
    if as_json:
        print_json({"from": old, "into": into, "counts_in": end, "known": old in standing})
        return
    further = "" if end == into else f", which was merged into {end}: its items count there"
    click.echo(plain(f"{old} is merged into {into}{further}"))
    if old not in standing:
        click.echo(plain(f"{old} has no profile yet; is its name spelt so?"), err=True)


def latest_profiles(settings: Settings) -> dict[str, Profile]:
    """Return the profile that stands of each incident; what is not valid stands for none. Raises BrokerError."""
    found: dict[str, Profile] = {}
    for record in read_to_end(settings, physical(settings, INCIDENT_PROFILES)):
        try:
            incident_id = decode_profile(record.value).incident_id
        except RecordError:
            continue  # it went to the dead letters
        if record.key == incident_id.encode():
            found[incident_id] = msgspec.json.decode(record.value)
    return found


def _end_of(old: str, into: str, merges: dict[str, str]) -> str:
    """Return where the items of `old` would count; DecibelError where the merge cannot be."""
    present = merges.get(old)
    if present not in (None, "", into):
        raise DecibelError(
            f"{old!r} was merged into {present!r}, which is final; merge {present!r} into {into!r}"
        )
    way = [old, into]
    while after := merges.get(way[-1]):
        if after in way:
            raise DecibelError(f"that would be a circle: {' into '.join(map(repr, [*way, after]))}")
        way.append(after)
    return way[-1]


def send_profile(settings: Settings, incident_id: str, value: bytes) -> None:
    """Send one profile and return when it is safe. Raises BrokerError."""
    with broker_errors(settings, "cannot send the merge"), open_producer(settings) as client:
        require_topics(settings, INCIDENT_PROFILES)
        sender = Sender(client)
        sender.send(physical(settings, INCIDENT_PROFILES), incident_id.encode(), value)
        sender.flush()
