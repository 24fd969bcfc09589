"""Writing the view: records in pipelines, each partition's with its offset, and which generation is the present one."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from importlib.resources import files
from typing import Any, Final

from msgspec import Struct
from redis.exceptions import NoScriptError

from schemas.errors import StateError
from stream.settings import ViewSettings
from stream.view.connection import Client
from stream.view.entries import Entry
from stream.view.keys import Keys

RECORDS_PER_SCRIPT: Final = 100
"""Redis does nothing else while a script runs: so many records take about 5 ms."""

_SCRIPT: Final = files("stream.view").joinpath("apply.lua").read_text(encoding="utf-8")
# Redis names scripts by their SHA-1; nothing is kept secret by it.
_SHA: Final = hashlib.sha1(_SCRIPT.encode(), usedforsecurity=False).hexdigest()


class Slice(Struct, frozen=True):
    """What was read of one partition: from offset `begin` on, up to the one before `end`.

    `begin` is where the reading began and not the first record's offset: compaction leaves gaps.
    """

    topic: str
    partition: int
    begin: int
    end: int
    entries: list[Entry]

    @property
    def source(self) -> str:
        """The partition, as the view's offsets name it."""
        return f"{self.topic}/{self.partition}"


class Written(Struct):
    """What came of a write: new and repeated events by topic, and whether reading must go on from elsewhere."""

    new: dict[str, int]
    repeated: dict[str, int]
    displaced: bool = False


class ViewWriter:
    """Writes one deployment's view by `client`, within the caps of the settings."""

    def __init__(self, client: Client, view: ViewSettings) -> None:
        self._client = client
        self.keys = Keys(view.prefix)
        self._caps = (view.live_most, view.history_most, view.changes_most)

    async def begin(self, half_life_s: float) -> int:
        """Return the present generation; where there is none, make the first, ordered by `half_life_s`.

        Raises StateError where the boards of the present one are ordered by another half-life.
        """
        while (current := await self._client.get(self.keys.current)) is None:
            generation = await self.next_number()
            await self.describe(generation, half_life_s)
            if not await self._client.set(self.keys.current, generation, nx=True):
                await self._client.delete(self.keys.of(generation).about)  # another sink was first
        about = await self._client.hget(self.keys.of(int(current)).about, "half_life_s")
        if about is not None and float(about) != half_life_s:
            raise StateError(
                f"the view is ordered by a half-life of {float(about):g} s, the policy has {half_life_s:g} s; "
                "run `decibel view rebuild` and start again"
            )
        return int(current)

    async def next_number(self) -> int:
        """Return the number of a generation that was never begun."""
        return int(await self._client.incr(self.keys.counter))

    async def describe(self, generation: int, half_life_s: float) -> None:
        """Note by which half-life the boards of a generation are ordered."""
        await self._client.hset(self.keys.of(generation).about, "half_life_s", repr(half_life_s))

    async def offsets(self, generation: int) -> dict[str, int]:
        """Return, by source, from which offset on a generation is to be continued."""
        return await self._whole_numbers(self.keys.of(generation).offsets)

    async def live_offsets(self) -> dict[str, int]:
        """Return, by source, from which offset on events are not in the live stream yet."""
        return await self._whole_numbers(self.keys.live_offsets)

    async def write(self, generation: int, slices: Sequence[Slice], *, building: bool = False) -> Written:
        """Write `slices` in one round trip; each, or RECORDS_PER_SCRIPT of it, with its offset or not at all.

        While a generation is `building` nothing goes to the live stream.
        """
        calls = [
            (part, self._call(generation, part, building=building)) for each in slices for part in _cut(each)
        ]
        answers = await self._run([arguments for _, arguments in calls])
        written = Written({}, {})
        for (part, _), (status, *rest) in zip(calls, answers, strict=True):
            if status != b"ok":
                written.displaced = True
                continue
            new, repeated = rest
            written.new[part.topic] = written.new.get(part.topic, 0) + new
            written.repeated[part.topic] = written.repeated.get(part.topic, 0) + repeated
        return written

    async def _run(self, calls: list[list[Any]]) -> list[list[Any]]:
        try:
            return await self._evaluate(calls)
        except (
            NoScriptError
        ):  # a Redis that has not seen it yet, or was started again; nothing was written twice
            await self._client.script_load(_SCRIPT)
            return await self._evaluate(calls)

    async def _evaluate(self, calls: list[list[Any]]) -> list[list[Any]]:
        async with self._client.pipeline(transaction=False) as pipeline:
            for arguments in calls:
                pipeline.evalsha(_SHA, 3, *arguments)
            return await pipeline.execute()

    def _call(self, generation: int, part: Slice, *, building: bool) -> list[Any]:
        times = [entry.at_ms for entry in part.entries if entry.at_ms is not None]
        live_most, history_most, changes_most = self._caps
        return [
            self.keys.rebuilding if building else self.keys.current,
            self.keys.live,
            self.keys.live_offsets,
            self.keys.of(generation).root,
            generation,
            part.source,
            part.topic,
            part.begin,
            part.end,
            max(times) if times else "",
            "" if building else "live",
            live_most,
            history_most,
            changes_most,
            *(argument for entry in part.entries for argument in entry.arguments),
        ]

    async def _whole_numbers(self, key: str) -> dict[str, int]:
        return {source.decode(): int(number) for source, number in (await self._client.hgetall(key)).items()}


def _cut(whole: Slice) -> list[Slice]:
    """Cut a slice into parts that one script takes; each begins where the one before ends."""
    if len(whole.entries) <= RECORDS_PER_SCRIPT:
        return [whole]
    parts, begin = [], whole.begin
    for first in range(0, len(whole.entries), RECORDS_PER_SCRIPT):
        following = whole.entries[first + RECORDS_PER_SCRIPT :][:1]
        end = following[0].offset if following else whole.end
        entries = whole.entries[first : first + RECORDS_PER_SCRIPT]
        parts.append(Slice(whole.topic, whole.partition, begin, end, entries))
        begin = end
    return parts
