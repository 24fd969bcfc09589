"""Runs of all peers, interleaved, with a runner that says what each run comes to."""

from io import StringIO

from rich.console import Console

from bench.throughput.latency import Latency
from bench.throughput.loads import zipf_load
from bench.throughput.peers.catalogue import chosen
from bench.throughput.run import Throughput
from bench.throughput.session import Asked, Session
from bench.throughput.wire import Logged

LOGGED = Logged(100, 1_000, 10_000, 5_000)


class Runs:
    """Stands in for the broker: notes who is paced at which rate; `fails_at` is the paced run in which a peer ends."""

    def __init__(self, fails_at: int | None = None) -> None:
        self.paced: list[tuple[str, float]] = []
        self._fails_at = fails_at

    def throughput(self, peer, given, *, recovery, environ=None) -> Throughput:
        return Throughput(len(given.records), 100.0, 200.0, 10, LOGGED, [LOGGED, LOGGED], [], None)

    def latency(self, peer, load, rate, for_s, environ=None) -> Latency:
        self.paced.append((peer.name, rate))
        if len(self.paced) == self._fails_at:
            raise RuntimeError(f"{peer.name} has ended")
        return Latency(float(len(self.paced)), 10.0 * len(self.paced), 10, 0, rate)


def session(runs: Runs, repeat: int) -> Session:
    asked = Asked(repeat, recovery=False, latency=True, paced_s=1.0, incidents=20, exponent=1.0, seed=1)
    return Session(
        runs, chosen(["decibel", "floor"]), asked, Console(file=StringIO()), lambda: "the broker's log"
    )


def test_paced_runs_are_interleaved_and_the_median_of_each_figure_is_shown():
    # given
    runs = Runs()

    # when
    ours, floor = session(runs, repeat=3).measure(zipf_load(200, incidents=20))

    # then
    assert runs.paced == [("decibel", 50.0), ("decibel", 10.0), ("floor", 50.0)] * 3
    assert (ours.p50_ms, ours.p99_ms, ours.paced_at) == (4.0, 40.0, 50.0)
    assert (ours.unconflated_p50_ms, ours.unconflated_at) == (5.0, 10.0)
    assert (floor.p50_ms, floor.unconflated_p50_ms) == (6.0, None)


def test_a_peer_that_fails_while_it_is_paced_keeps_the_rates_it_has_come_to():
    # given
    runs = Runs(fails_at=4)
    ran = session(runs, repeat=2)

    # when
    ours, floor = ran.measure(zipf_load(200, incidents=20))

    # then
    assert list(ran.failed) == ["decibel"]
    assert runs.paced == [
        ("decibel", 50.0),
        ("decibel", 10.0),
        ("floor", 50.0),
        ("decibel", 50.0),
        ("floor", 50.0),
    ]
    assert (ours.per_s, ours.p50_ms, ours.unconflated_p50_ms) == (100.0, 1.0, 2.0)
    assert floor.p50_ms == 4.0
