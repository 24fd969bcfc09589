"""The loads of the benchmarks: the same seed gives the same bytes, and the synthetic one has the shape that is said."""

import json
from collections import Counter
from itertools import pairwise

import pytest

from bench.throughput.expected import Standing, Sums, differences, sums
from bench.throughput.loads import NEW_SHARE, START, STEP_S, Record, recording_load, zipf_load
from schemas.codec import decode_item
from schemas.times import to_epoch
from tests.recordings import recording


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others():
    # given
    first, again, other = zipf_load(2000, seed=5), zipf_load(2000, seed=5), zipf_load(2000, seed=6)

    # then
    assert list(first.records()) == list(again.records()) == list(first.records())
    assert list(first.records()) != list(other.records())


def test_a_longer_load_begins_with_the_shorter_one():
    assert list(zipf_load(3000).records())[:1500] == list(zipf_load(1500).records())


@pytest.mark.parametrize("exponent", [0.8, 1.0, 1.2])
def test_popularity_falls_with_the_stated_exponent(exponent):
    # when
    counts = Counter(record.key for record in zipf_load(40_000, incidents=1000, exponent=exponent).records())

    # then: the tenth is 10 ** -exponent as popular as the first, the whole has the first's share of a Zipf law
    ranked = [number for _, number in counts.most_common()]
    assert ranked[9] / ranked[0] == pytest.approx(10.0**-exponent, rel=0.2)
    whole = sum(rank**-exponent for rank in range(1, 1001))
    assert ranked[0] / 40_000 == pytest.approx(1.0 / whole, rel=0.05)


def test_every_event_is_a_valid_item_of_its_key_with_a_time_of_its_own():
    # when
    records = list(zipf_load(3000).records())
    items = [decode_item(record.value) for record in records]

    # then
    assert [record.key.decode() for record in records] == [item.incident_id for item in items]
    times = [to_epoch(item.observed_at) for item in items]
    assert times == pytest.approx([START + STEP_S * number for number in range(1, 3001)], abs=1e-6)
    assert all(to_epoch(item.published_at) < to_epoch(item.observed_at) for item in items)


def test_an_item_is_seen_again_with_grown_counts_and_nothing_else_changed():
    # when
    seen: dict[str, list[dict]] = {}
    for record in zipf_load(5000, incidents=50).records():
        item = json.loads(record.value)
        seen.setdefault(item["item_id"], []).append(item)

    # then
    again = [pair for observations in seen.values() for pair in pairwise(observations)]
    assert len(again) > 1000
    for before, after in again:
        assert after["engagement"]["likes"] > before["engagement"]["likes"]
        assert {**after, "engagement": 0, "observed_at": 0} == {**before, "engagement": 0, "observed_at": 0}


def test_new_items_and_bytes_are_as_many_as_said():
    # when
    records = list(zipf_load(20_000, incidents=100).records())

    # then
    items = {decode_item(record.value).item_id for record in records}
    assert len(items) / len(records) == pytest.approx(NEW_SHARE, rel=0.1)
    assert sum(len(record.value) for record in records) / len(records) == pytest.approx(390, rel=0.05)


def test_a_recording_is_read_as_it_stands():
    # given
    items, _ = recording("frontpage-2021")

    # when
    records = list(recording_load(500).records())

    # then
    assert [record.value for record in records] == items[:500]


def test_what_a_load_comes_to_is_counted_by_incident():
    # given
    def item(incident, item_id, likes, comments):
        value = {
            "item_id": item_id,
            "incident_id": incident,
            "engagement": {"likes": likes, "comments": comments},
        }
        return Record(incident.encode(), json.dumps(value).encode())

    # when
    found = sums(
        [item("leak", "a", 1, 2), item("ban", "a", 5, 0), item("leak", "a", 3, 4), item("leak", "b", 0, 1)]
    )

    # then
    assert found == {
        "leak": Sums(3, 11, 2, Standing(3, 5, 0, 0)),
        "ban": Sums(1, 5, 1, Standing(5, 0, 0, 0)),
    }


def test_an_incident_that_lost_an_event_or_has_one_too_many_is_told():
    assert differences({"a": 1}, {"a": 1}) == []
    assert differences({"a": 1, "b": 2}, {"b": 3, "c": 1}) == [
        "a: None instead of 1",
        "b: 3 instead of 2",
        "c: 1 instead of None",
    ]
