"""Tables, ratios and latencies of the benchmarks, from figures that are given."""

import math

import pytest

from bench.throughput import plot
from bench.throughput.latency import Held, Latency, Sent, latencies, quantile
from bench.throughput.loads import zipf_load
from bench.throughput.peers.catalogue import chosen
from bench.throughput.peers.floor import Sizes
from bench.throughput.results import Machine, Measured, Replayed, Results, completed, ratio, read, write
from bench.throughput.run import Recovery, Throughput
from bench.throughput.session import came_to, sizes
from bench.throughput.table import HEAD, markdown, rows
from bench.throughput.wire import Logged


def measured(peer: str, per_cpu_s: float, **changes) -> Measured:
    given = {
        "peer": peer,
        "title": peer.title(),
        "version": "1.0",
        "load": "zipf",
        "events": 1000,
        "per_s": per_cpu_s / 2.0,
        "per_cpu_s": per_cpu_s,
        "updates": 500,
        "peak_rss": 250_000_000,
        "changelog_bytes": 120.4,
        "changelog_on_disk": 60.2,
        "right": True,
        "runs": 1,
    }
    return Measured(**{**given, **changes})


def results(*found: Measured, **changes) -> Results:
    machine = Machine(2, "a processor", "a system", "3.11.7", "Apache Kafka")
    return Results("2026-01-01T00:00+00:00", machine, {"zipf": "a load"}, list(found), **changes)


def test_ratios_are_by_cpu_second_against_faust_and_the_floor_on_the_same_load():
    # given
    ours = measured("decibel", 90_000.0)
    found = results(
        ours,
        measured("faust", 4_500.0),
        measured("floor", 180_000.0),
        measured("faust", 1.0, load="frontpage"),
    )

    # then
    assert ratio(found, ours, "faust") == pytest.approx(20.0)
    assert ratio(found, ours, "floor") == pytest.approx(0.5)


def test_without_faust_or_floor_there_is_no_ratio():
    ours = measured("decibel", 90_000.0)
    assert ratio(results(ours), ours, "faust") is None
    assert dict(zip(HEAD, next(rows(results(ours), "zipf")), strict=True))["× Faust"] == "-"


def test_a_row_of_the_table_says_what_was_measured():
    # given
    ours = measured(
        "decibel", 90_000.0, p50_ms=20.4, p99_ms=180.6, paced_at=12_345.0, recovery_s=2.34, right=False
    )

    # when
    cells = dict(zip(HEAD, next(rows(results(ours, measured("floor", 180_000.0)), "zipf")), strict=True))

    # then
    assert cells == {
        "peer": "Decibel 1.0",
        "events": "1,000",
        "per CPU s": "90,000",
        "× Faust": "-",
        "of the floor": "50%",
        "per s (wall)": "45,000",
        "p50 / p99 ms at half load": "20 / 181 (12,345/s)",
        "peak MB": "250",
        "changelog B/event (on disk)": "120 (60)",
        "recovery s": "2.3",
        "right": "NO",
    }


def test_the_markdown_holds_every_peer_the_replay_and_who_was_missing():
    # when
    text = markdown(
        results(
            measured("decibel", 2.0),
            measured("floor", 4.0),
            replay=[Replayed("decode only", 400.0), Replayed("decibel replay", 100.0)],
            skipped={"bytewax": "it is not there"},
        )
    )

    # then
    assert "| Decibel 1.0 | 1,000 | 2 | - | 50% |" in text
    assert "| decibel replay | 100 | 25% |" in text
    assert "bytewax did not take part: it is not there." in text


def test_what_is_written_is_read_back(tmp_path):
    found = results(measured("decibel", 2.0, p50_ms=1.0), skipped={"quix": "no"})
    write(found, tmp_path / "folder" / "results.json")
    assert read(tmp_path / "folder" / "results.json") == found


def test_a_load_that_was_measured_before_and_not_again_stays():
    # given
    before = Results(
        "2025-01-01T00:00+00:00",
        Machine(1, "an old processor", "a system", "3.11.7", "Apache Kafka"),
        {"frontpage": "a recording", "zipf": "an old load"},
        [measured("decibel", 1.0, load="frontpage"), measured("decibel", 1.0)],
        {"bytewax": "it is not there"},
        [Replayed("decode only", 400.0)],
    )
    after = results(measured("decibel", 2.0))

    # when
    found = completed(after, before)

    # then
    assert found.loads == {"frontpage": "a recording", "zipf": "a load"}
    assert found.measured == [measured("decibel", 1.0, load="frontpage"), measured("decibel", 2.0)]
    assert (found.machine, found.skipped, found.replay) == (after.machine, {}, before.replay)


def test_the_picture_has_a_bar_for_each_peer_and_is_the_same_each_time(tmp_path):
    # given
    found = results(measured("decibel", 90_000.0), measured("floor", 180_000.0))

    # when
    for name in ("a.svg", "b.svg"):
        plot.draw(found, tmp_path / name)

    # then
    drawn = (tmp_path / "a.svg").read_text()
    assert [text for text in ("90,000", "180,000", "a load") if text not in drawn] == []
    assert drawn == (tmp_path / "b.svg").read_text()


def run(per_s: float, **changes) -> Throughput:
    given = {
        "events": 1000,
        "per_s": per_s,
        "per_cpu_s": 2.0 * per_s,
        "peak_rss": 10,
        "updates": Logged(500, 5_000, 500_000, 100_000),
        "changelogs": [Logged(500, 5_000, 200_000, 50_000), Logged(900, 18_000, 90_000, 30_000)],
        "wrong": [],
        "recovery": None,
    }
    return Throughput(**{**given, **changes})


def test_a_peer_comes_to_the_medians_of_its_runs_and_to_its_largest_memory():
    # given
    (peer,) = chosen(["floor"])
    runs = [run(100.0, recovery=Recovery(2.5, 1.0, 0.03)), run(300.0, peak_rss=30), run(120.0)]

    # when
    halves = [
        Latency(5.0, 30.0, 100, 0, 60.0),
        Latency(6.0, 9.0, 100, 0, 61.0),
        Latency(4.0, 8.0, 100, 0, 59.0),
    ]
    found = came_to(peer, zipf_load(10), runs, halves, [])

    # then
    assert (found.per_s, found.per_cpu_s, found.peak_rss, found.runs) == (120.0, 240.0, 30, 3)
    assert (found.recovery_s, found.idle_share) == (2.5, 0.03)
    assert (found.p50_ms, found.p99_ms, found.paced_at) == (5.0, 9.0, 60.0)
    assert found.unconflated_p50_ms is None
    assert (found.changelog_bytes, found.changelog_on_disk) == (313.0, 80.0)
    assert found.right


def test_one_wrong_run_makes_a_peer_wrong():
    (peer,) = chosen(["floor"])
    found = came_to(peer, zipf_load(10), [run(100.0), run(100.0, wrong=["a: 1 instead of 2"])], [], [])
    assert not found.right


def test_the_floor_that_writes_as_much_is_given_what_a_record_of_each_kind_has_on_average():
    assert sizes([run(1.0, updates=Logged(1, 1, 1, 1)), run(1.0)]) == Sizes(update=1000, row=400, item=100)


def test_an_event_waits_for_the_first_update_that_holds_it():
    # given: two updates, the second holding what was observed at 2.0 and 3.0
    updates = {b"leak": Held([1.0, 3.0], [100.5, 101.0])}
    sent = [Sent(b"leak", 1.0, 100.0), Sent(b"leak", 2.0, 100.2), Sent(b"leak", 3.0, 100.4)]

    # then
    took, lost = latencies(sent, updates)
    assert took == pytest.approx([0.5, 0.8, 0.6])
    assert lost == 0


def test_an_event_without_an_update_is_told():
    took, lost = latencies([Sent(b"leak", 2.0, 0.0), Sent(b"ban", 1.0, 0.0)], {b"leak": Held([1.0], [5.0])})
    assert (took, lost) == ([], 2)


def test_quantiles_are_values_that_occurred():
    values = [float(value) for value in range(100, 0, -1)]
    assert quantile(values, 0.5) == 51.0
    assert quantile(values, 0.99) == 100.0
    assert math.isnan(quantile([], 0.5))
