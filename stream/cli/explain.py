"""`decibel explain`: how the score of one incident came about."""

from __future__ import annotations

import difflib
import math
import time
from collections.abc import Iterable, Mapping
from typing import Any, Final

import click
import msgspec
from msgspec import Struct

from schemas.cloudevents import Output
from schemas.codec import decode_profile
from schemas.errors import DecibelError, RecordError
from schemas.incident_profile import IncidentProfile
from schemas.topics import DEAD_LETTERS
from scoring.chronicle import Chronicle
from scoring.explain import Explanation
from scoring.explain import explain as explained
from scoring.reasons import when
from stream.cli.context import Invocation, json_option, pass_invocation, plain, print_json
from stream.cli.explanation_page import print_page
from stream.cli.scoring_options import Moment, columns_option, policy_of, policy_option, quiet_console
from stream.files import FileRecord, RecordFile
from stream.profile_files import read_profiles
from stream.replay.run import Replay

_NEAREST: Final = 5
"""How many ids an unknown one is answered with."""


class _Labels(Struct, frozen=True, gc=False):
    """Whose record it is, whatever else it says."""

    incident_id: str
    item_id: Any = ""
    title: Any = ""


_LABELS: Final = msgspec.json.Decoder(_Labels)


class Search:
    """Replays the records of one incident alone, and notes what its row does not hold: titles, what it went through.

    With it go those it was merged into and those merged with them: `merges` says which into which. That gives what a
    replay of the whole file gives as long as the file is in the order of observation.
    """

    def __init__(self, incident_id: str, replay: Replay, merges: Mapping[str, str]) -> None:
        self.asked_for = incident_id
        self.replay = replay
        self.family = family(incident_id, merges)
        self.others: set[str] = set()
        self.titles: dict[str, str] = {}
        self.profiles: dict[str, IncidentProfile] = {}
        self.chronicles: dict[str, Chronicle] = {}
        self.later = 0

    @property
    def incident_id(self) -> str:
        """The incident that counts the items of the one asked for."""
        return self.replay.resolve(self.asked_for)

    def take_profile(self, file: str, record: FileRecord) -> None:
        """Apply a profile if it is the incident's."""
        if self._labels(record.value) is None:
            return
        outputs = self.replay.profile(record.value, (file, record.line))
        self.note(outputs)
        if not any(output.topic == DEAD_LETTERS for output in outputs):
            profile = decode_profile(record.value)
            self.profiles[profile.incident_id] = profile

    def take_item(self, file: str, record: FileRecord) -> None:
        """Apply an observation if it is the incident's; one after the replay's end is only counted."""
        labels = self._labels(record.value)
        if labels is None:
            return
        outputs = self.replay.item(record.value, (file, record.line))
        if outputs is None:
            self.later += 1
            return
        self.titles[str(labels.item_id)] = str(labels.title or "")
        self.note(outputs)

    def note(self, outputs: Iterable[Output]) -> None:
        """Gather what each incident goes through."""
        for output in outputs:
            if output.key not in self.chronicles:
                self.chronicles[output.key] = Chronicle(self.replay.policy)
            self.chronicles[output.key].note((output,))

    def _labels(self, value: bytes) -> _Labels | None:
        """Return the labels of a record if it is the incident's, else note whose it is."""
        try:
            labels = _LABELS.decode(value)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None  # nobody can tell whose it is
        if labels.incident_id in self.family:
            return labels
        self.others.add(labels.incident_id)
        return None


@click.command()
@click.argument("incident")
@click.option(
    "--data", required=True, metavar="FILE", help="Items: JSON lines, .gz, CSV, or - for standard input."
)
@click.option("--profiles", metavar="FILE", help="Incident profiles.")
@click.option(
    "--at", type=Moment(), metavar="TIME", help="When. Default: at the incident's last observation."
)
@policy_option
@columns_option
@json_option
@pass_invocation
def explain(
    invocation: Invocation,
    incident: str,
    data: str,
    profiles: str | None,
    at: float | None,
    policy_file: str | None,
    columns: dict[str, str] | None,
    *,
    as_json: bool,
) -> None:
    """Show how loud INCIDENT is, and why: every factor with the figures behind it, state, trend, peak.

    The records of the incident are replayed from FILE until TIME. Under another policy (--policy) the same
    records tell another story: compare the two.

    \b
    Examples:
      decibel explain log4shell --data items.jsonl.gz --profiles profiles.jsonl
      decibel explain log4shell --data items.jsonl.gz --at 2021-12-12T08:00:00Z
      decibel explain log4shell --data items.jsonl.gz --json | jq .factors
    """
    policy = policy_of(invocation, policy_file)
    until = math.inf if at is None else at
    said = list(read_profiles(profiles)) if profiles else []
    replay = Replay(policy, partitions=1, received_at=round(time.time(), 3), until=until)
    search = Search(incident, replay, merges_in(said))
    for record in said:
        search.take_profile(str(profiles), record)
    file = RecordFile(data, columns)
    for record in file:
        search.take_item(file.name, record)
    explanation = _conclude(search, data, at)
    if search.incident_id != incident:
        # On stderr beside JSON, whose shape stays that of the incident explained.
        click.echo(plain(f"{incident} was merged into {search.incident_id}") + "\n", err=as_json)
    if as_json:
        print_json(explanation)
    else:
        last_title = search.titles.get(explanation.last_item.id, "") if explanation.last_item else ""
        print_page(quiet_console(), explanation, last_title)
        if search.replay.rejected:
            click.echo(
                f"\n{search.replay.rejected} of its records were rejected and are not counted.", err=True
            )


def _conclude(search: Search, data: str, at: float | None) -> Explanation:
    """Return the explanation at the end of the search; DecibelError where there is nothing to explain."""
    replay = search.replay
    search.note(replay.finish())
    incident_id = search.incident_id
    row, profile = replay.incident(incident_id), search.profiles.get(incident_id)
    if row is not None and row.detected:
        return explained(
            incident_id,
            row,
            replay.policy,
            replay.time,
            profile=profile,
            chronicle=search.chronicles[incident_id],
            titles=search.titles,
        )
    if search.later and at is not None:
        raise DecibelError(f"{incident_id!r} has no observation by {when(at)}; give a later --at")
    if profile is not None or row is not None:
        raise DecibelError(
            f"{incident_id!r} has a profile, but {data} holds no item of it that can be counted"
        )
    near = nearest(incident_id, search.others)
    hint = f"the nearest are {', '.join(near)}" if near else "no incident there has a name like it"
    raise DecibelError(f"there is no incident {incident_id!r} in {data}; {hint}")


def merges_in(profiles: Iterable[FileRecord]) -> dict[str, str]:
    """Return which incident the profiles merge into which; the first one is final."""
    merges: dict[str, str] = {}
    for record in profiles:
        try:
            profile = decode_profile(record.value)
        except RecordError:
            continue  # told when it is applied, if it is of an incident asked for
        if profile.merged_into not in (None, profile.incident_id):
            merges.setdefault(profile.incident_id, str(profile.merged_into))
    return merges


def family(incident_id: str, merges: Mapping[str, str]) -> set[str]:
    """Return the incident with all whose items come to the same end.

    >>> sorted(family("leak", {"leak": "fire", "spill": "fire", "quake": "tide"}))
    ['fire', 'leak', 'spill']
    """
    found = {incident_id}
    while more := {one for pair in merges.items() for one in pair if found & set(pair)} - found:
        found |= more
    return found


def nearest(wanted: str, known: set[str], most: int = _NEAREST) -> list[str]:
    """Return the known ids most like `wanted`: those that hold it, else those that are spelt alike.

    >>> nearest("log4shel", {"log4shell", "ovh-fire"})
    ['log4shell']
    """
    folded = wanted.casefold()
    holding = sorted(
        (each for each in known if folded in each.casefold()), key=lambda each: (len(each), each)
    )
    return holding[:most] or difflib.get_close_matches(wanted, sorted(known), n=most)
