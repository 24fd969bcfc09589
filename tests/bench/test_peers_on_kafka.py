"""Each Python peer counts right on a real Kafka, and what the harness measures of it is there."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.throughput.broker import BenchKafka
from bench.throughput.loads import zipf_load
from bench.throughput.peers.catalogue import chosen
from bench.throughput.run import HELD_BACK, Runner, work
from bench.throughput.wire import Wire
from tests.requirements import unmet

pytestmark = [pytest.mark.real, pytest.mark.slow]  # a broker and the peers' processes start

EVENTS = 1000


@pytest.fixture(scope="module")
def wire() -> Iterator[Wire]:
    """The broker of the benchmarks."""
    with BenchKafka() as kafka:
        yield Wire(kafka.bootstrap)


@pytest.mark.parametrize("name", ["decibel", "faust", "quix", "bytewax", "floor"])
def test_a_peer_counts_every_event_of_a_small_load(wire: Wire, tmp_path: Path, name: str) -> None:
    # given
    (peer,) = chosen([name])
    if reason := peer.missing():
        unmet(reason)
    given = work(zipf_load(EVENTS, incidents=200), 1.0)

    # when
    run = Runner(wire, tmp_path).throughput(peer, given, recovery=False)

    # then
    assert run.wrong == []
    assert run.events == EVENTS - HELD_BACK
    assert len(given.expected) <= run.updates.records
    assert run.changelog.records > 0 or name == "bytewax"  # which keeps snapshots on its disk
    assert run.changelog.payload >= 20 * run.changelog.records
    assert run.peak_rss > 0
    assert not [topic for topic in wire.topics() if topic.startswith("run")]


def test_a_peer_that_loses_an_event_is_found_out(wire: Wire, tmp_path: Path) -> None:
    # given: a load of which the peer is given all but one event
    (peer,) = chosen(["floor"])
    given = work(zipf_load(EVENTS, incidents=200), 1.0)
    short = given._replace(records=given.records[:-1])
    lost = given.records[-1].key.decode()

    # when
    run = Runner(wire, tmp_path).throughput(peer, short, recovery=False)

    # then
    assert [line.partition(":")[0] for line in run.wrong] == [lost]


def test_every_event_of_a_paced_run_has_its_update(wire: Wire, tmp_path: Path) -> None:
    # given
    (peer,) = chosen(["floor"])

    # when
    came = Runner(wire, tmp_path).latency(peer, zipf_load(10_000, incidents=200), rate=500.0, for_s=1.0)

    # then
    assert came.lost == 0
    assert came.events == 500
    assert 0.0 < came.p50_ms <= came.p99_ms
