"""`decibel profiles`: send the editors' incident profiles to Kafka."""

from __future__ import annotations

import click

from schemas.codec import decode_profile
from schemas.topics import INCIDENT_PROFILES
from stream.cli.context import Invocation, json_option, pass_invocation
from stream.cli.loading import finish, load_file
from stream.profile_files import read_profiles


@click.group()
def profiles() -> None:
    """Send the editors' incident profiles to Kafka: title, category, parties, an incident's words."""


@profiles.command()
@click.argument("file")
@json_option
@pass_invocation
def put(invocation: Invocation, file: str, *, as_json: bool) -> None:
    """Send the profiles in FILE: JSON lines, one JSON array or object, or TOML with [[profile]] tables; - is
    stdin.

    The latest profile of an incident stands. One that is not valid is named on stderr and goes to the dead
    letters.

    \b
    Exit codes: 0 all sent; 1 an error; 2 wrong usage; 3 some profiles were rejected.

    \b
    Examples:
      decibel profiles put profiles.jsonl
      decibel profiles put log4shell.toml
      echo '{"incident_id": "log4shell", "title": "Log4Shell"}' | decibel profiles put -
    """
    name = "stdin" if file == "-" else file
    summary = load_file(
        invocation.settings,
        INCIDENT_PROFILES,
        name,
        read_profiles(file),
        check=lambda value: decode_profile(value).incident_id,
    )
    finish(summary, as_json=as_json)
