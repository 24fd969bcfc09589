"""One peer through one load: how fast, how much memory, what it wrote, whether it is right; then killed, and paced."""

from __future__ import annotations

import gc
import shutil
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Final, NamedTuple

from bench.throughput.expected import Sums, differences, sums
from bench.throughput.latency import Held, Latency, Sent, latencies, quantile
from bench.throughput.loads import START, STEP_S, Load, Record
from bench.throughput.peers.peer import Peer
from bench.throughput.peers.work import Place
from bench.throughput.tree import Tree
from bench.throughput.wire import Logged, Wire, flushed, together, until

ROOT: Final = Path(__file__).parents[2]
"""The tree, in which every peer runs."""

HELD_BACK: Final = 50
"""Last records of a load, kept for the moment after a restart."""

START_S: Final = 300.0
"""How long a peer may take to its first update; after a kill it has all its state to read."""

RUN_S: Final = 1800.0
DRAIN_S: Final = 180.0

WARM_SHARE: Final = 0.2
"""Part of a load that is read before a peer is measured: programs are loaded by then, and Java has compiled most."""

WARM_EVENTS: Final = 2000
"""Read before latency is measured, so that nothing is met for the first time."""

RAMP_S: Final = 12.0
"""Of a paced run, left out of its figures: the broker's Java compiles what it does with many small requests. Until then
they queue up in it for seconds, and what has queued up is still to be worked off."""

CPU_TICK_S: Final = 0.01
"""The system counts CPU time in such steps: no run is told to have taken less."""

SETTLE_S: Final = 2.0
IDLE_S: Final = 3.0
"""After a restart: how long until a peer is idle, and how long it is then looked at."""

TICK_S: Final = 0.002
"""A paced run sends what is due so often."""

PACED_LINGER_MS: Final = 5
"""How long the client of a paced run waits for more to go with a record: the default of librdkafka and of Kafka's own
client. It counts, since a latency begins when a record is handed to the client."""


class Recovery(NamedTuple):
    """Seconds, by the clock on the wall and of CPU, from start to first update; then the share of a core when idle."""

    wall_s: float
    cpu_s: float
    idle_share: float


class Throughput(NamedTuple):
    """What a run came to; `wrong` says which incidents are not right.

    `per_s` are events per second by the clock on the wall, `per_cpu_s` per second of CPU, user and system, of all its
    processes and threads; both after `WARM_SHARE` of the load.
    """

    events: int
    per_s: float
    per_cpu_s: float
    peak_rss: int
    updates: Logged
    changelogs: list[Logged]
    wrong: list[str]
    recovery: Recovery | None

    @property
    def changelog(self) -> Logged:
        """What is in all its changelogs."""
        return together(self.changelogs)


class Work(NamedTuple):
    """A load as one peer reads it: its share of the records, those held back, and what they must come to."""

    records: Sequence[Record]
    held_back: Sequence[Record]
    expected: Mapping[str, Sums]


def work(load: Load, share: float) -> Work:
    """Return the first `share` of a load, but for its very last records."""
    records = list(load.records())
    cut = int((len(records) - HELD_BACK) * share)
    return Work(records[:cut], records[cut : cut + HELD_BACK], sums(records[:cut]))


class Runner:
    """Runs peers on one broker, each run on topics and in a folder of its own that are gone afterwards."""

    def __init__(self, wire: Wire, folder: Path) -> None:
        self.wire, self._folder = wire, folder

    def throughput(
        self, peer: Peer, given: Work, *, recovery: bool, environ: Mapping[str, str] | None = None
    ) -> Throughput:
        """Run a peer over all of `given`, from a topic that holds it already; then kill and restart it, if wanted.

        `environ` goes to its processes as well.
        """
        with self.place(peer) as place:
            peer.prepare(self.wire, place)
            per_s, per_cpu_s, peak_rss = self._rates(peer, place, given.records, environ)
            return Throughput(
                len(given.records),
                per_s,
                per_cpu_s,
                peak_rss,
                self.wire.logged(peer.output(place)),
                [self.wire.logged(topic) for topic in peer.changelogs(place, self.wire.topics())],
                self.wrong(peer, place, given.expected),
                self.recovery(peer, place, given.held_back) if recovery else None,
            )

    def latency(
        self, peer: Peer, load: Load, rate: float, for_s: float, environ: Mapping[str, str] | None = None
    ) -> Latency:
        """Run a peer over a load that comes in at `rate` events per second; `environ` goes to its processes as well."""
        with self.place(peer) as place:
            peer.prepare(self.wire, place)
            records = iter(load.records())
            self.wire.produce(place.source, islice(records, WARM_EVENTS))
            with self.tree(peer, place, environ) as tree:
                self.until_first_update(peer, place, tree)
                self.until_done(peer, place, tree, WARM_EVENTS)
                paced = list(islice(records, int(rate * (RAMP_S + for_s))))
                with _uncollected():
                    sent = self._pace(place.source, paced, rate)
                self.until_done(peer, place, tree, WARM_EVENTS + len(sent))
            updates = self._updates(peer, place)
        measured = sent[int(rate * RAMP_S) :]
        took, lost = latencies(measured, updates)
        achieved = (len(measured) - 1) / (measured[-1].sent_at - measured[0].sent_at)
        return Latency(quantile(took, 0.5) * 1e3, quantile(took, 0.99) * 1e3, len(measured), lost, achieved)

    def _rates(
        self, peer: Peer, place: Place, records: Sequence[Record], environ: Mapping[str, str] | None
    ) -> tuple[float, float, int]:
        """Let a peer read records; return events per second (wall, CPU), and its peak memory.

        It reads `WARM_SHARE` of them first, and is held while the topic is filled with the others.
        """
        warm = int(len(records) * WARM_SHARE)
        self.wire.produce(place.source, records[:warm])
        with self.tree(peer, place, environ) as tree:
            self.until_first_update(peer, place, tree)  # before its group is there, it is not asked about
            self.until_done(peer, place, tree, warm)
            tree.hold()
            self.wire.produce(place.source, records[warm:])
            wall, cpu = time.monotonic(), tree.cpu_s()
            tree.go_on()
            self.until_done(peer, place, tree, len(records))
            wall, cpu = time.monotonic() - wall, tree.cpu_s() - cpu
            tree.kill()
        events = len(records) - warm
        return events / wall, events / max(cpu, CPU_TICK_S), tree.peak_rss

    # -- steps -------------------------------------------------------------------------------------------------------

    @contextmanager
    def place(self, peer: Peer) -> Iterator[Place]:
        """Enter where a new run of a peer works: topics, group and folder of its own, gone when it is left."""
        name = f"run-{uuid.uuid4().hex[:8]}-{peer.name}"
        folder = self._folder / name
        folder.mkdir()
        topics = (f"{name}-source-items", f"{name}-updates", f"{name}-changelog")
        place = Place(self.wire.bootstrap, name, *topics, str(folder))
        try:
            self.wire.create(place.source)
            yield place
        finally:
            self.wire.delete([topic for topic in self.wire.topics() if name in topic])
            shutil.rmtree(folder, ignore_errors=True)

    def tree(self, peer: Peer, place: Place, environ: Mapping[str, str] | None = None) -> Tree:
        """Return the processes of a peer, to be entered; `environ` goes before what the peer itself says."""
        log = self._folder / f"{place.group}.log"
        given = {"PYTHONPATH": str(ROOT), **peer.environ(place), **(environ or {})}
        return Tree(peer.command(place), given, ROOT, log)

    def until_first_update(self, peer: Peer, place: Place, tree: Tree, before: int = 0) -> None:
        """Wait until it has given more than `before` updates. Raises TimeoutError; RuntimeError if it has ended."""

        def updated() -> bool:
            tree.check()
            return self.wire.total(peer.output(place)) > before

        until(updated, f"{peer.name} to give an update; its log ends:\n{tree.tail()}", START_S)

    def until_done(self, peer: Peer, place: Place, tree: Tree, events: int) -> None:
        """Wait until it has committed so many events, or has updates for them. Raises as above."""

        def done() -> bool:
            tree.check()
            if peer.commits:
                return self.wire.committed(place.group, place.source) >= events
            return self.wire.total(peer.output(place)) >= events

        until(done, f"{peer.name} to be done with {events} events; its log ends:\n{tree.tail()}", RUN_S)

    def wrong(self, peer: Peer, place: Place, expected: Mapping[str, Sums]) -> list[str]:
        """Hold what it counts of every incident against what it must."""
        last: dict[str, bytes] = {}
        for message in self.wire.read(peer.counts(place)):
            last[message.key().decode()] = message.value()
        found = {incident_id: peer.counted(value) for incident_id, value in last.items()}
        return differences({name: peer.wanted(each) for name, each in expected.items()}, found)

    def recovery(self, peer: Peer, place: Place, held_back: Sequence[Record]) -> Recovery:
        """Return what it takes from a restart after a kill to the first update of a record that was not read yet.

        It starts on an empty disk, if its state is in Kafka, and its group knows that the one that was killed is gone.
        """
        if peer.commits:
            self.wire.expel(place.group)
        if not peer.needs_its_disk:
            shutil.rmtree(place.folder)
            Path(place.folder).mkdir()
        before = self.wire.total(peer.output(place))
        self.wire.produce(place.source, held_back)
        with self.tree(peer, place) as tree:
            began = time.monotonic()
            self.until_first_update(peer, place, tree, before)
            took, cpu = time.monotonic() - began, tree.cpu_s()
            time.sleep(SETTLE_S)  # nothing to wait for: nothing more is to come
            idle = tree.cpu_s()
            time.sleep(IDLE_S)
            idle = tree.cpu_s() - idle
            tree.kill()
        return Recovery(took, cpu, idle / IDLE_S)

    def _pace(self, topic: str, records: Sequence[Record], rate: float) -> list[Sent]:
        """Produce records at `rate` per second, as evenly as a tick allows."""
        producer = self.wire.producer(PACED_LINGER_MS)
        sent: list[Sent] = []
        began = time.time()
        while len(sent) < len(records):
            due = min(len(records), int((time.time() - began) * rate))
            for number in range(len(sent), due):
                key, value = records[number]
                producer.produce(topic, value, key)
                at = START + (WARM_EVENTS + number + 1) * STEP_S
                sent.append(Sent(key, at, time.time()))
            producer.poll(0)
            time.sleep(TICK_S)
        flushed(producer)
        return sent

    def _updates(self, peer: Peer, place: Place) -> dict[bytes, Held]:
        updates: dict[bytes, Held] = {}
        for message in self.wire.read(peer.output(place)):
            held = updates.setdefault(message.key(), Held([], []))
            held.ats.append(peer.at(message.value()))
            held.appended.append(message.timestamp()[1] / 1000.0)
        return updates


@contextmanager
def _uncollected() -> Iterator[None]:
    """Search for no unreachable cycles while inside.

    Among a million records a search takes up to a second, in which nothing is sent; what is due after it comes as one
    burst, and every peer's latency would tell of that.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
