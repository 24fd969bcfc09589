"""What the growth benchmark measures of a partition is what went through it; its tables say it for people."""

import pytest

from bench.growth import plot, recovery, size
from bench.growth.observations import Story, observation
from bench.growth.partition import MeasuredPartition
from bench.growth.recovery import Recovered
from bench.growth.results import Growth
from bench.growth.size import Incidents, Items
from bench.growth.table import markdown
from bench.growth.workers import Restarted, Scaled
from bench.throughput.results import Machine
from schemas.codec import decode_item
from stream.worker.shelves import MemoryShelf

MACHINE = Machine(2, "a processor", "a system", "3.11.7", "Apache Kafka")


def test_a_further_observation_differs_in_time_and_counts_alone():
    # when
    first, again = (decode_item(observation(3, 7, times, 1_700_000_000.0 + times).value) for times in (1, 2))

    # then
    assert (first.incident_id, first.item_id) == (again.incident_id, again.item_id)
    assert first.published_at == again.published_at < first.observed_at < again.observed_at
    assert first.engagement.likes < again.engagement.likes


def test_a_story_never_runs_back():
    story = Story(seed=1)
    records = [*story.incidents(0, 5), *story.items(0, 5), *story.again(5, 1, 5)]
    times = [decode_item(record.value).observed_at for record in records]
    assert times == sorted(set(times))


def test_the_measured_partition_scores_every_incident_and_counts_what_it_writes():
    # given
    incidents, items = MemoryShelf(), MemoryShelf()
    partition = MeasuredPartition(incidents, items)

    # when
    cost = partition.apply(Story(seed=1).incidents(0, 30), batch=7)

    # then: thirty incidents of one item, each with a row in either table, all of them counted
    assert cost.events == len(incidents) == len(items) == 30
    stored = sum(len(key) + len(row) for shelf in (incidents, items) for key, row in shelf.rows())
    assert cost.changelog == stored
    assert partition.ledger.incident("the-story-00001d").items == 1


def test_sizes_are_reached_and_events_are_measured_at_each():
    # when
    grown = list(size.incidents([10, 40], measured=20))
    large = list(size.items([1, 30], measured=20))

    # then
    assert [each.incidents for each in grown] == [10, 40]
    assert [each.items for each in large] == [1, 30]
    # batches of one write the incident's row for each event, so the number of incidents does not change the bytes
    assert grown[1].changelog == pytest.approx(grown[0].changelog, rel=0.1)
    assert large[0].changelog > 200.0


def test_both_stores_bring_back_every_incident(tmp_path):
    # given
    held = MemoryShelf(), MemoryShelf()
    MeasuredPartition(*held).apply(Story(seed=1).incidents(0, 25))

    # when
    found = list(recovery.recoveries(*held, tmp_path))

    # then
    assert [(each.store, each.incidents) for each in found] == [("memory", 25), ("rocksdb", 25)]
    for each in found:
        assert each.incidents_per_cpu_s == pytest.approx(25 / (each.tables_s + each.ledger_s))


def grown() -> Growth:
    return Growth(
        MACHINE,
        [
            Incidents(1000, 230.0, 200.5, 580.0, 4400.0, 1000),
            Incidents(1_000_000, 250.0, 210.0, 580.0, 4000.0, 999),
        ],
        [Items(1, 400.0, 175.0, 582.0), Items(1000, 140.0, 180.0, 596.0)],
        [Recovered("memory", 1_000_000, 2.0, 3.0, 200_000.0)],
        [Restarted("memory", 200_000, 9.0, 4.0, 10**9, 530.0, 0.03, right=True)],
        [Scaled(1, 1000, 900.0, 1800.0, right=True), Scaled(2, 1000, 1200.0, 1700.0, right=False)],
    )


def test_the_tables_hold_every_row_and_only_the_parts_that_were_measured():
    text = markdown(grown())
    assert "| 1,000,000 | 250 | 210 | 580 | 4,000 | 999 |" in text
    assert "| 2 | 1,000 | 1,200 | 1,700 | NO |" in text
    assert "| memory | 1,000,000 | 2 | 3 | 200,000 |" in text
    assert "Workers" not in markdown(Growth(MACHINE, items=[Items(1, 1.0, 1.0, 1.0)]))


def test_each_picture_is_drawn(tmp_path):
    # given
    found = grown()

    # when
    plot.cost(found.incidents, found.items, tmp_path / "cost.svg")
    plot.changelog(found.incidents, found.items, tmp_path / "changelog.svg")
    plot.memory(found.incidents, tmp_path / "memory.svg")
    plot.recovery(found.recovery, found.restart, tmp_path / "recovery.svg")
    plot.scaling(found.workers, tmp_path / "workers.svg")

    # then
    assert "items in one incident" in (tmp_path / "cost.svg").read_text()
    assert "bytes per event" in (tmp_path / "changelog.svg").read_text()
    assert "bytes of memory per idle incident" in (tmp_path / "memory.svg").read_text()
    assert "200,000 incidents" in (tmp_path / "recovery.svg").read_text()
    assert "workers on 8 partitions" in (tmp_path / "workers.svg").read_text()
