"""Replay = live: what a live run put on its topics, held against what `replay` gives for the same records."""

import json
import time

from schemas.cloudevents import Output
from schemas.codec import encode
from schemas.times import parse_time
from schemas.topics import NOISE_INDEX, NOISE_SCORES, PEAK_CROSSINGS, STATE_CHANGES, TREND_UPDATES
from scoring.policy import load_policy
from stream.replay.run import Replay
from tests.wire import Deployment, Event

NEVER_CONFLATED = (STATE_CHANGES, PEAK_CROSSINGS, TREND_UPDATES)
COMPARED = (*NEVER_CONFLATED, NOISE_SCORES)
INDEX_WAIT_S = 20.0


class Expected:
    """Every event of a replay by its id, the last score of each incident, and the index at the end."""

    def __init__(self, items: list[bytes], profiles: list[bytes]) -> None:
        self.replay = Replay(load_policy(), received_at=time.time())
        self.events: dict[str, tuple[str, str, bytes]] = {}
        self.last_score: dict[str, str] = {}
        for line, value in enumerate(profiles, 1):
            self._note(self.replay.profile(value, ("profiles", line)))
        for line, value in enumerate(items, 1):
            self._note(self.replay.item(value, ("items", line)) or [])
        self.index = {output.key: output.event for output in self.replay.finish()}

    def _note(self, outputs: list[Output]) -> None:
        for output in outputs:
            if output.topic in COMPARED:
                self.events[output.id] = (output.topic, output.key, encode(output.event))
                if output.topic == NOISE_SCORES:
                    self.last_score[output.key] = output.id


async def assert_live_equals(deployment: Deployment, expected: Expected) -> list[Event]:
    """Assert that what stands on the topics is what the replay gives; repeats must be the same. Returns the events."""
    events = await deployment.read(*COMPARED)
    for event in events:
        assert event.id in expected.events, (
            f"{event.topic}: replay has no event {event.id}: {event.value[:400]!r}"
        )
        _, _, want = expected.events[event.id]
        assert event.value == want, f"{event.topic} {event.id}\n  live   {event.value!r}\n  replay {want!r}"
    seen = {event.id for event in events}
    missing = {
        ident
        for ident, (topic, _, _) in expected.events.items()
        if topic in NEVER_CONFLATED and ident not in seen
    }
    assert not missing, f"{len(missing)} events are missing, such as {sorted(missing)[:5]}"
    last = {}
    for event in events:
        if event.topic == NOISE_SCORES:
            revision = event.said["revision"]
            last[event.key] = max(last.get(event.key, (0, "")), (revision, event.id))
    assert {key: ident for key, (_, ident) in last.items()} == expected.last_score
    return events


async def assert_index_agrees(deployment: Deployment, expected: Expected) -> None:
    """Assert that the last index of each category comes to the value and the incidents of the replay's.

    Shares of the index are sent once a second, behind the commits: the last one is waited for.
    """
    deadline = time.monotonic() + INDEX_WAIT_S
    while True:
        last: dict[str, dict[str, object]] = {}
        for event in await deployment.read(NOISE_INDEX):
            last[event.key] = json.loads(event.value)
        live = _comparable(last)
        want = _comparable({key: json.loads(encode(event)) for key, event in expected.index.items()})
        if live == want:
            return
        assert time.monotonic() < deadline, f"index live {live}\n  replay {want}"


def _comparable(index: dict[str, dict[str, object]]) -> dict[str, tuple[object, str]]:
    """Incidents, and the value at a common time to nine digits: sums taken in another order differ in the last.

    A category that every incident has left is told live, with nobody in it; in a replay, where the profiles come
    before the items, none may ever have been there.
    """
    return {
        category: (event["incidents"], f"{_at_common_time(event):.9g}")
        for category, event in index.items()
        if event["incidents"]
    }


def _at_common_time(event: dict[str, object]) -> float:
    """The index's value at the end of 2022: the last events of different categories hold at different times."""
    common = parse_time("2022-12-31T00:00:00Z")
    elapsed = common - parse_time(str(event["at"]))
    return float(str(event["value"])) * 2.0 ** -(elapsed / float(str(event["half_life"])))
