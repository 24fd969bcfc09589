"""Replay: what a worker gives for the same records, without a broker."""

import json
import time

import pytest
from kafka.partitioner.default import murmur2

from agents.batch import apply_batch
from schemas.codec import encode
from schemas.topics import (
    DEAD_LETTERS,
    INCIDENT_MERGES,
    INCIDENT_PROFILES,
    NOISE_INDEX,
    NOISE_SCORES,
    SOURCE_ITEMS,
    STATE_CHANGES,
)
from scoring.clock import Clock
from scoring.index import OVERALL
from scoring.ledger import Ledger
from scoring.rows import NoRows
from stream.partitioner import Partitioner
from stream.replay.run import Replay
from tests.builders import hours, item, merged, profile
from tests.driver import SHIPPED_POLICY, Raw
from tests.recordings import keyed, recording

NOW = time.time()
HERE = ("items.jsonl", 1)


def replayed(items, profiles=(), **more):
    """A replay of these records, and all it gave, its end included."""
    replay = Replay(SHIPPED_POLICY, **{"received_at": NOW} | more)
    outputs = []
    for line, value in enumerate(profiles, 1):
        outputs += replay.profile(value, ("profiles.jsonl", line))
    for line, value in enumerate(items, 1):
        got = replay.item(value, ("items.jsonl", line))
        if got is None:
            break
        outputs += got
    return replay, [*outputs, *replay.finish()]


def lived(items, profiles, partitions=8, batch=37):
    """What workers give: each partition's records in batches, partitioned by kafka-python's own murmur2."""
    outputs = []
    for number in range(partitions):
        ledger = Ledger(SHIPPED_POLICY, NoRows(), clock=Clock.STREAM, partition=number)
        for topic, lines in ((INCIDENT_PROFILES, profiles), (SOURCE_ITEMS, items)):
            ours = [
                each for each in keyed(list(lines)) if (murmur2(each[0]) & 0x7FFFFFFF) % partitions == number
            ]
            records = [Raw(offset, round(NOW * 1000), *each) for offset, each in enumerate(ours)]
            for start in range(0, len(records), batch):
                outputs += apply_batch(ledger, topic, number, records[start : start + batch]).outputs
    return outputs


def said(outputs, incident):
    return [(each.topic, each.id, encode(each.event)) for each in outputs if each.key == incident]


def test_partitions_are_those_that_kafka_python_chooses():
    partitioner = Partitioner(12)
    for incident in ("log4shell", "ovh-fire", "a", "ab", "abc", "Ünïcode", ""):
        assert partitioner(incident) == (murmur2(incident.encode()) & 0x7FFFFFFF) % 12


def test_a_replay_is_the_live_run_byte_for_byte_also_where_records_come_late():
    """Given a recording with every seventh record 200 places late; then both say the same, in order."""
    items, profiles = recording("tech-2021")
    places = [number + (200.5 if number % 7 == 0 else 0) for number in range(len(items))]
    items = [value for _, value in sorted(zip(places, items, strict=True), key=lambda each: each[0])]

    _, ours = replayed(items, profiles)
    theirs = lived(items, profiles)

    ours = [output for output in ours if output.topic != NOISE_INDEX]
    assert len(ours) == len(theirs)
    for incident in {output.key for output in theirs}:
        assert said(ours, incident) == said(theirs, incident)


def test_no_other_partition_moves_the_time_of_an_incident():
    """Given incidents of two partitions; when one is far ahead; then the other is as if alone."""
    partitioner = Partitioner(8)
    assert partitioner("leak") != partitioner("log4shell")
    late = [encode(item(str(h), h=h)) for h in (0, 1, 2)]
    ahead = [encode(item("x", "log4shell", h=500))]

    _, alone = replayed(late)
    _, beside = replayed([late[0], *ahead, *late[1:]])

    assert said(alone, "leak") == said(beside, "leak")


def test_the_same_observation_in_two_files_counts_once():
    value = encode(item(likes=5))
    replay, outputs = replayed([value, value])

    assert len([output for output in outputs if output.topic == NOISE_SCORES]) == 1
    assert (replay.items, replay.incident("leak").items) == (2, 1)


def test_profiles_hold_from_the_first_item_on():
    _, outputs = replayed([encode(item())], [encode(profile(impact=90.0))])

    (score,) = [output.event for output in outputs if output.topic == NOISE_SCORES]
    assert score.factors.industry_impact == 90.0


@pytest.mark.parametrize(
    ("value", "reason", "key"),
    [
        (b"{", "not-json", None),
        (b'{"incident_id": "leak"}', "invalid", None),
        (encode(item(h=1_000_000)), "absurd-time", b"leak"),
        (b'"' + b"x" * SHIPPED_POLICY.limits.record_bytes + b'"', "oversized", None),
    ],
)
def test_a_bad_record_is_a_dead_letter_that_names_file_and_line(value, reason, key):
    replay, outputs = replayed([encode(item("a")), value, encode(item("b", h=1))])

    (letter,) = [output for output in outputs if output.topic == DEAD_LETTERS]
    assert (letter.event.reason, letter.event.key, letter.event.value) == (reason, key, value)
    assert (letter.event.origin.topic, letter.event.origin.offset) == ("items.jsonl", 2)
    assert letter.id == "items.jsonl/0/2"
    assert (replay.rejected, replay.incident("leak").items) == (1, 2)


def test_a_bad_profile_is_a_dead_letter_too():
    _, outputs = replayed([], [b'{"incident_id": "leak", "industry_impact": 101}'])

    assert [output.event.origin.topic for output in outputs if output.topic == DEAD_LETTERS] == [
        "profiles.jsonl"
    ]


def test_it_stops_before_the_first_observation_after_its_end_and_fires_what_is_due_by_then():
    items = [encode(item("a", h=0)), encode(item("b", h=100)), encode(item("c", h=100.001))]

    replay, outputs = replayed(items, until=hours(100))

    assert (replay.items, replay.incident("leak").items, replay.time) == (2, 2, hours(100))

    replay, outputs = replayed(items[:1], until=hours(400))
    last = [output.event for output in outputs if output.topic == STATE_CHANGES][-1]
    assert (last.to, replay.time) == ("Resolved", hours(400))


def test_an_observation_after_the_end_is_not_applied():
    replay = Replay(SHIPPED_POLICY, received_at=NOW, until=hours(1))

    assert replay.item(encode(item(h=2)), HERE) is None
    assert list(replay.incidents()) == []


def test_the_index_is_the_sum_of_the_noise_of_all_incidents_at_the_last_time():
    items, profiles = recording("tech-2021")
    replay, outputs = replayed(items, profiles)
    half_life_s = SHIPPED_POLICY.curve.half_life_s

    index = {output.key: output.event for output in outputs if output.topic == NOISE_INDEX}

    noises = [incident.noise_at(replay.time, half_life_s) for _, incident in replay.incidents()]
    assert index[OVERALL].value == pytest.approx(sum(noises))
    assert index[OVERALL].incidents == len(noises) == 10
    assert {output.at for output in outputs if output.topic == NOISE_INDEX} == {replay.time}
    parts = [event.value for name, event in index.items() if name != OVERALL]
    assert sum(parts) == pytest.approx(index[OVERALL].value)


def test_a_replay_says_the_same_twice_and_for_any_number_of_partitions_in_order_of_observation():
    """In order of observation no partition runs ahead of an incident: how many there are is of no matter."""
    items, profiles = recording("tech-2021")
    incidents = {json.loads(value)["incident_id"] for value in items}
    _, eight = replayed(items, profiles)
    _, again = replayed(items, profiles)
    _, one = replayed(items, profiles, partitions=1)

    for incident in incidents:
        assert said(eight, incident) == said(again, incident)
        shorter, longer = sorted((said(eight, incident), said(one, incident)), key=len)
        assert longer[: len(shorter)] == shorter


def test_conflated_only_scores_are_left_out():
    items, profiles = recording("tech-2021")
    _, every = replayed(items, profiles)
    _, conflated = replayed(items, profiles, conflate=True)

    whole = {output.id: encode(output.event) for output in every}
    assert {output.id: encode(output.event) for output in conflated}.items() <= whole.items()
    left_out = whole.keys() - {output.id for output in conflated}
    assert {ident.rpartition("/")[2] for ident in left_out} <= {"noise"}


def test_the_loudest_come_first():
    items, profiles = recording("tech-2021")
    replay, _ = replayed(items, profiles)

    noises = [
        incident.noise_at(replay.time, SHIPPED_POLICY.curve.half_life_s) for _, incident in replay.loudest(4)
    ]

    assert noises == sorted(noises, reverse=True)
    assert len(noises) == 4


def test_a_merge_in_the_profiles_sends_the_items_across_the_partitions_in_their_order():
    # given: leak, fire and their followers lie in three of eight partitions
    items = [
        encode(item(name, incident, h=h, likes=number))
        for number, (name, incident, h) in enumerate(
            [("a", "leak", 0), ("b", "fire", 1), ("a", "walkout", 2), ("c", "leak", 3), ("d", "quake", 4)]
        )
    ]
    merges = [encode(merged("leak", "fire")), encode(merged("fire", "walkout"))]
    assert len({Partitioner(8)(each) for each in ("leak", "fire", "walkout")}) == 3
    direct = [each.replace(b'"leak"', b'"walkout"').replace(b'"fire"', b'"walkout"') for each in items]

    # when
    replay, outputs = replayed(items, merges)

    # then
    assert {"walkout", "quake"} == {incident for incident, _ in replay.incidents()}
    assert {each.topic for each in outputs if each.key == "leak"} == {INCIDENT_MERGES}
    assert replay.resolve("leak") == "walkout"
    assert said(outputs, "walkout") == said(replayed(direct)[1], "walkout")
    assert [each.event for each in outputs if each.key == OVERALL][-1].incidents == 2
    assert not any(each.topic in (SOURCE_ITEMS, DEAD_LETTERS) for each in outputs)


def test_a_circle_of_merges_ends_where_the_first_by_name_stands():
    # given
    items = [encode(item("a", "leak")), encode(item("b", "fire", h=1))]
    circle = [encode(merged("leak", "fire")), encode(merged("fire", "leak"))]

    # when
    replay, outputs = replayed(items, circle)

    # then
    assert replay.incident("fire").items == 2
    assert (replay.resolve("leak"), replay.resolve("fire")) == ("fire", "fire")
    assert [each.event.undone for each in outputs if each.topic == INCIDENT_MERGES] == [False, False, True]


def test_who_counts_the_items_of_a_circle_that_nobody_has_gone_round_is_left_where_it_closes():
    replay, _ = replayed([], [encode(merged("leak", "fire")), encode(merged("fire", "leak"))])
    assert replay.resolve("leak") == "fire"
