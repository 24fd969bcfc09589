"""Score updates into a view at a steady rate, written by the view's own writer: `python -m bench.updates RATE SECONDS`.

The view is the one that the settings name. It prints how many events were written, and in how many seconds.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time
from datetime import timedelta
from typing import Final

from msgspec.structs import replace

from schemas.cloudevents import Output, headers
from schemas.codec import encode
from schemas.examples import EXAMPLE_OF
from schemas.noise_score import Factors, Forecast, NoiseScore
from schemas.times import from_epoch, to_epoch
from schemas.topics import NOISE_SCORES
from stream.cli.context import Invocation
from stream.view.connection import connect
from stream.view.entries import Entry, Reading
from stream.view.run import reading_of
from stream.view.writer import Slice, ViewWriter

INCIDENTS: Final = 500
AT_ONCE: Final = 100
"""Updates of one write: twenty writes a second at 2,000 updates/s, as a sink does."""


class Record:
    """A record as aiokafka gives it."""

    def __init__(self, offset: int, output: Output) -> None:
        self.offset, self.timestamp = offset, round(output.at * 1000)
        self.key, self.value = output.key.encode(), encode(output.event)
        self.headers = headers(output)


def updates(count: int, reading: Reading) -> list[Entry]:
    """Return so many updates of INCIDENTS incidents, each louder or softer than before, as the view takes them.

    Every number in them is another one, with as many digits as real ones have: they compress as real ones do.
    """
    example, chance = EXAMPLE_OF[NOISE_SCORES], random.Random(7)
    assert isinstance(example, NoiseScore)
    began = to_epoch(example.as_of)
    entries = []

    def factors(most: float) -> Factors:
        return Factors(*(chance.random() * most for _ in Factors.__struct_fields__))

    for number in range(count):
        noise = chance.random() * 100.0
        incident, revision = f"incident-{number % INCIDENTS:04}", number // INCIDENTS + 1
        at = began + number / 100
        score = replace(
            example,
            incident_id=incident,
            revision=revision,
            as_of=from_epoch(at),
            anchor=from_epoch(at),
            last_seen=example.last_seen + timedelta(seconds=round(number / 100)),
            composite=noise,
            noise=noise,
            decay=1.0,
            factors=factors(100.0),
            contributions=factors(20.0),
            peak=replace(example.peak, noise=chance.random() * 100.0),
            polarity=replace(example.polarity, value=chance.random() * 100.0),
            change=replace(example.change, points=chance.random(), factors=factors(2.0)),
            forecast=tuple(
                Forecast(each.hours, *(round(chance.random() * 100.0, 2) for _ in range(5)))
                for each in example.forecast
            ),
        )
        output = Output(NOISE_SCORES, incident, f"{incident}/{revision}/noise", at, score)
        entry = reading.entry(NOISE_SCORES, Record(number, output))
        assert entry is not None
        entries.append(entry)
    return entries


async def write(rate: int, seconds: float) -> tuple[int, float]:
    """Write `rate` updates a second for so many seconds; return how many, and how long it took."""
    settings = Invocation().settings
    entries = updates(round(rate * seconds), reading_of(settings))
    client = connect(settings)
    writer = ViewWriter(client, settings.view)
    generation = await writer.begin(reading_of(settings).half_life_s)
    began = time.monotonic()
    for first in range(0, len(entries), AT_ONCE):
        due = began + first / rate
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        part = entries[first : first + AT_ONCE]
        written = await writer.write(generation, [Slice(NOISE_SCORES, 0, first, first + len(part), part)])
        assert not written.displaced
    took = time.monotonic() - began
    await client.aclose()
    return len(entries), took


def main() -> None:
    """Write, and tell how much."""
    rate, seconds = int(sys.argv[1]), float(sys.argv[2])
    count, took = asyncio.run(write(rate, seconds))
    sys.stdout.write(json.dumps({"events": count, "seconds": took}) + "\n")


if __name__ == "__main__":
    main()
