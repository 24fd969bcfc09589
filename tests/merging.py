"""A merge on a broker: two incidents of tech-2021 in different partitions, both alive when one goes into the other."""

import json

import pytest

from schemas.codec import encode
from schemas.incident_profile import IncidentProfile
from schemas.topics import DEAD_LETTERS, INCIDENT_MERGES, NOISE_SCORES, SOURCE_ITEMS
from stream.partitioner import Partitioner
from tests.agreement import COMPARED, Expected, assert_index_agrees
from tests.wire import Deployment

OLD, INTO = "elastic-licence", "stallman-fsf"
BEFORE, ALL = 600, 900
"""So many observations come before the merge, and so many are there: 110 of the old incident before, 44 after."""

MERGE = (OLD.encode(), encode(IncidentProfile(OLD, merged_into=INTO)))
"""The editors' record."""


async def until_quiet(deployment: Deployment) -> None:
    """Wait until all is committed, and nothing new was sent to the source meanwhile."""
    ends: dict[object, int] = {}
    while True:
        async with deployment.consumer() as client:
            before, ends = ends, await client.end_offsets(deployment.partitions(SOURCE_ITEMS))
        if before == ends:
            return
        await deployment.until_committed()


async def assert_merged(deployment: Deployment, items: list[bytes], profiles: list[bytes]) -> None:
    """Assert that the new incident is what it would be had all items been there, and that no other one has noticed.

    In stream time an observation that is sent on moves the clock of the partition it comes to; so there only the sums
    of the others are the same whatever came first (the index holds them against each other), elsewhere every event.
    """
    partition_of = Partitioner(deployment.settings.topics.partitions)
    assert partition_of(OLD) != partition_of(INTO)
    expected = Expected([_renamed(each) for each in items], profiles)
    last: dict[str, dict] = {}
    for event in await deployment.read(NOISE_SCORES):
        if event.said["revision"] >= last.get(event.key, {"revision": 0})["revision"]:
            last[event.key] = event.said
    assert (last[OLD]["noise"], last[OLD]["items"], last[OLD]["merged_into"]) == (0.0, 0, INTO)
    want = json.loads(expected.events[expected.last_score[INTO]][2])
    for name in ("items", "platforms", "first_seen", "last_seen", "as_of", "merged_into"):
        assert last[INTO][name] == want[name], name
    for name in ("noise", "composite", "factors", "contributions", "audience_estimated"):
        assert last[INTO][name] == pytest.approx(want[name], abs=1e-9), name
    for event in await deployment.read(*COMPARED):
        if event.key != OLD and partition_of(event.key) != partition_of(INTO):
            assert event.value == expected.events[event.id][2], event.id
    told = [event.said for event in await deployment.read(INCIDENT_MERGES)]
    assert {(each["from"], each["into"], each["undone"]) for each in told} == {(OLD, INTO, False)}
    assert not await deployment.read(DEAD_LETTERS)
    await assert_index_agrees(deployment, expected)


def _renamed(item: bytes) -> bytes:
    return item.replace(b'"incident_id":"%s"' % OLD.encode(), b'"incident_id":"%s"' % INTO.encode())
