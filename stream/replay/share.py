"""What one of several processes replays: the records of its partitions, and what came of them, part by part."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

import msgspec

from schemas.cloudevents import Output
from schemas.dead_letter import DeadLetter
from schemas.noise_index import IndexShare
from schemas.source_item import Id
from schemas.topics import DEAD_LETTERS
from scoring.policy import Policy
from stream.files import FileRecord, RecordFile
from stream.partitioner import Partitioner
from stream.replay.lines import Place, line_of
from stream.replay.run import Replay

PART: Final = 1000
"""Records of the files for which a process hands over in one go what came of its share of them."""


class Plan(NamedTuple):
    """What is to be replayed, as `Replay` is told it; `letters` are the rejected records that are to be named at most.

    Where nothing is to be `written`, no line is made, and no event of what happens to incidents.
    """

    policy: Policy
    partitions: int
    received_at: float
    until: float
    written: bool
    profiles: tuple[str, list[FileRecord]]
    files: tuple[str, ...]
    columns: Mapping[str, str] | None
    letters: int


class Part(NamedTuple):
    """What came of `PART` records, or of those that were left: lines by topic, dead letters, each with its place.

    `reading` is the file and how far it is read (bytes). The last part has the time reached (epoch seconds), or the
    error that ended it.
    """

    lines: list[tuple[int, list[tuple[str, bytes]]]]
    letters: list[tuple[int, DeadLetter]]
    counts: Counter[str]
    reading: tuple[str, int]
    time: float | None = None
    error: str | None = None


class Key(msgspec.Struct):
    """What a record is read for by those that do not apply it."""

    incident_id: Id


class Share:
    """What one process replays: partition `n` is that of process `n` modulo `jobs`."""

    def __init__(self, plan: Plan, number: int, jobs: int) -> None:
        self._plan, self._number, self._jobs = plan, number, jobs
        self.run = Replay(
            plan.policy,
            partitions=plan.partitions,
            received_at=plan.received_at,
            until=plan.until,
            is_read=plan.written,
        )
        self._partition_of = Partitioner(plan.partitions)
        self._key = msgspec.json.Decoder(Key).decode
        self._named = 0
        self._reading = ("", 0)
        self._begin()

    def parts(self) -> Iterator[Part]:
        """Yield a part for every `PART` records, whose ever they are, so that all have as many; then the last."""
        plan, place = self._plan, 0
        name, profiles = plan.profiles
        for _, line, value in profiles:
            if self._is_ours(value):
                self._tell(place, self.run.profile(value, (name, line)))
            place += 1
        for path in plan.files:
            file = RecordFile(path, plan.columns)
            for line, value in file.lines():
                if not self._item(place, value, (file.name, line)):
                    break
                place += 1
                if not place % PART:
                    self._reading = (file.name, file.position)
                    yield self.gathered()
        for number in range(self._number, plan.partitions, self._jobs):
            self._tell(place + number, self.run.close(number))
        yield self.gathered()._replace(time=self.run.time)

    def index_shares(self) -> list[IndexShare]:
        """After the last part: the shares in the index."""
        ours = range(self._number, self._plan.partitions, self._jobs)
        return [share for number in ours for share in self.run.shares(number)]

    def gathered(self) -> Part:
        """Return what has come since the last call."""
        part = Part(self._lines, self._letters, self._counts, self._reading)
        self._begin()
        return part

    def _begin(self) -> None:
        self._lines: list[tuple[int, list[tuple[str, bytes]]]] = []
        self._letters: list[tuple[int, DeadLetter]] = []
        self._counts: Counter[str] = Counter()

    def _item(self, place: int, value: bytes, at: Place) -> bool:
        """Apply an item if it is ours; False: it is after `until`, whose ever it is, and its file ends here."""
        if not self._is_ours(value):
            return self._plan.until == math.inf or not self.run.is_after(value)
        outputs = self.run.item(value, at)
        if outputs:
            self._tell(place, outputs)
        return outputs is not None

    def _is_ours(self, value: bytes) -> bool:
        try:
            partition = self._partition_of(self._key(value).incident_id)
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            return self._number == 0
        return partition % self._jobs == self._number

    def _tell(self, place: int, outputs: list[Output]) -> None:
        for output in outputs:
            self._counts[output.topic] += 1
            event = output.event
            if output.topic == DEAD_LETTERS and self._named < self._plan.letters:
                assert isinstance(event, DeadLetter)
                self._named += 1
                self._letters.append((place, event))
        if self._plan.written and outputs:
            self._lines.append((place, [(each.topic, line_of(each)) for each in outputs]))
