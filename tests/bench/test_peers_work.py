"""The work that every Python peer does for an event: the sums, the noise, the update."""

from datetime import UTC, datetime
from itertools import permutations

import msgspec
import pytest

from bench.growth.partition import MeasuredPartition
from bench.throughput.expected import differences, sums
from bench.throughput.loads import zipf_load
from bench.throughput.peers import environment, kafka_streams
from bench.throughput.peers.catalogue import PEERS, chosen
from bench.throughput.peers.work import HALF_LIFE_S, NEW, Place, decode, heard, row, update
from stream.worker.shelves import MemoryShelf
from tests.real.kafka import VERSION

PLACE = Place(
    "127.0.0.1:9092", "run1-x", "run1-x-source-items", "run1-x-updates", "run1-x-changelog", "/tmp/x"
)


def test_noise_decays_by_half_in_a_half_life_and_counts_go_on():
    state = heard(heard(NEW, 1000.0, 8), 1000.0 + HALF_LIFE_S, 5)
    assert state == (2, 13, 9.0, 1000.0 + HALF_LIFE_S)


def test_the_order_of_observations_is_of_no_matter():
    seen = [(1000.0, 8), (1000.0 + HALF_LIFE_S / 3.0, 5), (1000.0 + 2.0 * HALF_LIFE_S, 1)]
    found = set()
    for order in permutations(seen):
        state = NEW
        for at, interactions in order:
            state = heard(state, at, interactions)
        found.add(tuple(round(value, 9) for value in state))
    assert len(found) == 1


def test_what_is_looked_at_of_an_item_is_what_it_says():
    # given
    value = (
        b'{"item_id":"a","incident_id":"leak","platform":"x","published_at":"2021-01-01T00:00:00Z",'
        b'"observed_at":"2021-01-01T00:01:00.250Z","engagement":{"likes":3,"comments":4,"shares":1,"views":2}}'
    )

    # when
    item = decode(value)

    # then
    assert item.observed_at == datetime(2021, 1, 1, 0, 1, 0, 250_000, tzinfo=UTC)
    assert (item.incident_id, item.interactions) == ("leak", 10)


def test_an_update_is_read_back_by_the_harness():
    # given
    (floor,) = chosen(["floor"])
    records = list(zipf_load(50, incidents=1).records())

    # when
    state = NEW
    for record in records:
        item = decode(record.value)
        state = heard(state, item.observed_at.timestamp(), item.interactions)
    told = update("the-story", state)

    # then
    assert floor.counted(told) == state[:2]
    assert floor.at(told) == pytest.approx(decode(records[-1].value).observed_at.timestamp())
    assert msgspec.msgpack.decode(row(state), type=tuple[int, int, float, float]) == state


@pytest.mark.parametrize("lost", [None, 0, -1])
def test_what_the_rows_of_decibel_count_is_what_the_load_comes_to_unless_an_event_is_lost(lost):
    # given: a load of which one event may not have come
    (peer,) = chosen(["decibel"])
    records = list(zipf_load(400, incidents=5).records())
    wanted = {name: peer.wanted(each) for name, each in sums(records).items()}
    if lost is not None:
        del records[lost]

    # when
    rows = MemoryShelf()
    MeasuredPartition(rows, MemoryShelf()).apply(records)
    found = {key.decode(): peer.counted(row) for key, row in rows.rows()}

    # then: the first is an item that was seen again, so that it is not missed; the last is the latest of its item
    assert len(differences(wanted, found)) == (1 if lost == -1 else 0)


def test_a_place_goes_through_the_environment(monkeypatch):
    for name, value in PLACE.environ().items():
        monkeypatch.setenv(name, value)
    assert Place.given() == PLACE


def test_peers_are_chosen_in_the_order_of_the_table_and_an_unknown_one_is_refused():
    assert [peer.name for peer in chosen(["floor", "decibel"])] == ["decibel", "floor"]
    with pytest.raises(ValueError, match="no peer is called storm; there are: decibel, faust"):
        chosen(["decibel", "storm"])


def test_names_of_peers_are_unique():
    names = [peer.name for peer in PEERS]
    assert len(set(names)) == len(names)


def test_kafka_streams_is_of_the_broker_s_version():
    assert kafka_streams.version() == VERSION


def test_the_peers_lock_names_no_host_and_holds_what_is_asked_for():
    asked, lock = environment.LOCK.with_suffix(".in").read_text(), environment.LOCK.read_text()
    assert [line for line in asked.splitlines() if "==" in line and line not in lock] == []
    assert "://" not in lock
