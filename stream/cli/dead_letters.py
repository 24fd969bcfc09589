"""`decibel dead-letters`: look at rejected records, and send them again once their cause is gone."""

from __future__ import annotations

import heapq
import time
from collections.abc import Iterable, Iterator

import click
from rich.table import Table

from schemas.times import to_epoch
from stream.cli.context import Invocation, console, json_option, pass_invocation, plain, print_json
from stream.letters import Found, find_letters, letter_at
from stream.letters import requeue as send_again

REJECTED_EXIT = 3
"""Exit code when a dead letter could not be sent again, because it holds no record."""


@click.group("dead-letters")
def dead_letters() -> None:
    """Look at records that were rejected, and send them again.

    A dead letter keeps the record's own bytes, the reason, and where the record came from. It stays in its
    topic for the set retention, also after it was requeued.
    """


@dead_letters.command("list")
@click.option("--reason", metavar="R", help="Only those of this reason, such as not-json or invalid.")
@click.option("--limit", type=click.IntRange(min=1), default=50, show_default=True, help="Only the N latest.")
@json_option
@pass_invocation
def list_(invocation: Invocation, reason: str | None, limit: int, *, as_json: bool) -> None:
    """List the latest dead letters, the oldest of them first.

    \b
    Examples:
      decibel dead-letters list --reason invalid
      decibel dead-letters list --json --limit 1000 | jq -r .reason | sort | uniq -c
    """
    everything = find_letters(invocation.settings, reason)
    latest = heapq.nlargest(limit, everything, key=_age_order)[::-1]
    if as_json:
        for found in latest:
            print_json({"n": found.place, "to": found.destination, **_shown(found)})
        return
    table = Table("n", "reason", "error", "origin", "age", box=None)
    for found in latest:
        letter = found.letter
        origin = f"{letter.origin.topic}/{letter.origin.partition}/{letter.origin.offset}"
        age = _age(time.time() - to_epoch(letter.origin.at))
        table.add_row(found.place, plain(letter.reason), plain(letter.error)[:100], plain(origin), age)
    console().print(table if latest else "There are no dead letters.")


@dead_letters.command()
@click.argument("place", metavar="PARTITION:OFFSET")
@json_option
@pass_invocation
def show(invocation: Invocation, place: str, *, as_json: bool) -> None:
    """Show one dead letter in full, with its record's bytes.

    \b
    Example:
      decibel dead-letters show 3:17
    """
    found = letter_at(invocation.settings, place)
    if as_json:
        print_json({"n": found.place, "to": found.destination, **_shown(found)})
        return
    letter = found.letter
    origin = letter.origin
    rows = {
        "reason": letter.reason,
        "error": letter.error,
        "origin": f"{origin.topic}, partition {origin.partition}, offset {origin.offset}",
        "at": origin.at.isoformat(),
        "goes back to": found.destination,
        "key": _readable(letter.key),
        "value": _readable(letter.value),
    }
    for name, text in rows.items():
        click.echo(f"{name:<13} {plain(text)}")


@dead_letters.command()
@click.argument("places", nargs=-1, metavar="[PARTITION:OFFSET]...")
@click.option("--reason", metavar="R", help="All of this reason.")
@click.option("--all", "everything", is_flag=True, help="All there are.")
@click.option("--dry-run", is_flag=True, help="Say what would be sent, and send nothing.")
@json_option
@pass_invocation
def requeue(
    invocation: Invocation,
    places: tuple[str, ...],
    reason: str | None,
    *,
    everything: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Send the records of dead letters back to the topic they were meant for, as they were.

    Do so once the cause is gone (a field the engine knows now, a policy that was too narrow). A record that
    is still wrong becomes a new dead letter. Sending one twice does no harm. Letters that hold no record are
    left (exit code 3).

    \b
    Examples:
      decibel dead-letters requeue 3:17 3:18
      decibel dead-letters requeue --reason absurd-time --dry-run
    """
    if bool(places) + bool(reason) + everything != 1:
        raise click.UsageError("Give places, or --reason, or --all: exactly one of them.")
    letters = _chosen(invocation, places, reason)
    empty: list[Found] = []
    if dry_run:
        chosen = list(letters)
        sent = len(chosen)
        for found in chosen:
            click.echo(f"{found.place} → {found.destination}: {plain(found.letter.error)}", err=as_json)
    else:
        sent, empty = send_again(invocation.settings, letters)
    if as_json:
        print_json(
            {"sent": 0 if dry_run else sent, "would_send": sent, "empty": [found.place for found in empty]}
        )
    else:
        click.echo(f"{sent} {'would be sent' if dry_run else 'sent'} again")
    if empty:
        names = ", ".join(found.place for found in empty)
        click.echo(f"Without a record, left: {names}", err=True)
        click.get_current_context().exit(REJECTED_EXIT)


def _age_order(found: Found) -> tuple[object, ...]:
    origin = found.letter.origin
    return origin.at, origin.topic, origin.partition, origin.offset


def _chosen(invocation: Invocation, places: Iterable[str], reason: str | None) -> Iterator[Found]:
    if places:
        # Looked up before the first is sent: a mistyped one sends nothing.
        return iter([letter_at(invocation.settings, place) for place in places])
    return find_letters(invocation.settings, reason)


def _shown(found: Found) -> dict[str, object]:
    letter = found.letter
    return {
        "reason": letter.reason,
        "error": letter.error,
        "origin": letter.origin,
        "key": None if letter.key is None else _readable(letter.key),
        "value": None if letter.value is None else _readable(letter.value),
    }


def _readable(content: bytes | None) -> str:
    """The bytes as text if they are UTF-8, else as Python writes them."""
    if content is None:
        return "(none)"
    try:
        return content.decode()
    except UnicodeDecodeError:
        return repr(content)


def _age(seconds: float) -> str:
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{seconds / length:.0f} {unit}"
    return f"{max(0.0, seconds):.0f} s"
