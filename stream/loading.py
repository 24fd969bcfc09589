"""Sending files to Kafka: in order, bounded in memory, each record acknowledged or a dead letter."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from contextlib import closing
from typing import Any, Final

import msgspec
from kafka import KafkaProducer
from msgspec import Struct

from schemas.cloudevents import Output, headers
from schemas.codec import encode
from schemas.dead_letter import DeadLetter, Origin
from schemas.errors import BrokerError, RecordError, field_first
from schemas.times import from_epoch
from schemas.topics import DEAD_LETTERS
from stream.files import FileRecord
from stream.kafka_clients import DELIVERY_TIMEOUT_S, consumer
from stream.settings import Settings
from stream.topics import dead_letter_bytes, physical

MEANT_FOR: Final = "decibel-meant-for"
"""Header of a dead letter from a file: the logical topic it was meant for, where requeueing sends it."""

_WINDOW_RECORDS: Final = 20_000
_WINDOW_BYTES: Final = 64 * 1024 * 1024
"""How much may wait for acknowledgement: kafka-python's buffer has no bound, and files have any size."""


class _Keyed(Struct, frozen=True, gc=False):
    """What the key needs of a record, whatever else is wrong with it."""

    incident_id: str


_KEYED: Final = msgspec.json.Decoder(_Keyed)


class Summary(Struct, frozen=True):
    """What became of a file: records sent, records rejected (now dead letters), and how long it took."""

    file: str
    topic: str
    accepted: int
    rejected: int
    seconds: float
    items_per_second: float


class Sender:
    """A producer with a bounded window: `send` waits for the oldest once too much is unacknowledged.

    Acknowledgements are looked at in the order of sending; the first failure raises, and nothing is sent
    after it.
    """

    def __init__(self, producer: KafkaProducer) -> None:
        self._producer = producer
        self._waiting: deque[tuple[Any, int]] = deque()
        self._bytes = 0

    def send(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        headers: list[tuple[str, bytes]] | None = None,
    ) -> None:
        """Send one record; raises what kafka-python raises for it or for an earlier one."""
        size = len(key or b"") + len(value or b"")
        self._waiting.append((self._producer.send(topic, key=key, value=value, headers=headers), size))
        self._bytes += size
        while len(self._waiting) > _WINDOW_RECORDS or self._bytes > _WINDOW_BYTES:
            self._await_oldest()

    def flush(self) -> None:
        """Return when everything sent is acknowledged; raises what kafka-python does on failure."""
        while self._waiting:
            self._await_oldest()

    def _await_oldest(self) -> None:
        future, size = self._waiting.popleft()
        self._bytes -= size
        future.get(timeout=DELIVERY_TIMEOUT_S)


class Loader:
    """Sends the records of one file to one topic; what cannot be accepted goes to the dead letters, with its
    bytes.

    Args:
        check: the incident id of a record's bytes, or RecordError; None sends all as they are (`--raw`).
        say: told of each rejected record, one line.
    """

    def __init__(
        self,
        settings: Settings,
        logical: str,
        producer: KafkaProducer,
        *,
        check: Callable[[bytes], str] | None,
        say: Callable[[str], None],
    ) -> None:
        self._settings = settings
        self._logical = logical
        self._topic = physical(settings, logical)
        self._sender = Sender(producer)
        self._check = check
        self._say = say
        self.accepted = 0
        self.rejected = 0

    def load(self, name: str, record: FileRecord) -> None:
        """Send one record of the file `name`, or its dead letter."""
        if self._check is None:
            self._sender.send(self._topic, _key(record.value), record.value)
        else:
            try:
                key = self._accept(record.value)
            except RecordError as error:
                self._reject(name, record, error)
                return
            self._sender.send(self._topic, key, record.value)
        self.accepted += 1

    def flush(self) -> None:
        """Return when every record and dead letter is acknowledged."""
        self._sender.flush()

    def summary(self, name: str, seconds: float) -> Summary:
        """Return what was done so far, in `seconds`."""
        rate = (self.accepted + self.rejected) / seconds if seconds > 0 else 0.0
        return Summary(name, self._topic, self.accepted, self.rejected, round(seconds, 3), round(rate, 1))

    def _accept(self, value: bytes) -> bytes:
        assert self._check is not None
        limit = self._settings.topics.max_record_bytes
        if len(value) > limit:
            raise RecordError(f"the record has {len(value)} bytes, the topic takes {limit}", "oversized")
        return self._check(value).encode()

    def _reject(self, name: str, record: FileRecord, error: RecordError) -> None:
        self._say(f"{record.place}: {field_first(str(error))}")
        self.rejected += 1
        now = round(time.time(), 3)
        key = _key(record.value)
        # Base64 makes 4 bytes of 3. What is too large even so stays in its file, which the origin names.
        fits = len(record.value) * 4 // 3 + 65536 < dead_letter_bytes(self._settings)
        letter = DeadLetter(
            reason=error.reason,
            error=field_first(str(error)),
            origin=Origin(topic=name, partition=0, offset=record.line, at=from_epoch(now)),
            key=key,
            value=record.value if fits else None,
        )
        output = Output(DEAD_LETTERS, (key or b"").decode(), f"{name}/0/{record.line}", now, letter)
        self._sender.send(
            physical(self._settings, DEAD_LETTERS),
            key,
            encode(letter),
            [*headers(output), (MEANT_FOR, self._logical.encode())],
        )


def require_topics(settings: Settings, *logicals: str) -> None:
    """Return if the topics are there; BrokerError names one that is not. Use it inside `broker_errors`.

    Kafka's list is asked for: a producer would wait ten seconds for a topic that is not in it.
    """
    with closing(consumer(settings)) as client:
        present = client.topics()
    for logical in logicals:
        name = physical(settings, logical)
        if name not in present:
            raise BrokerError(f"topic {name} does not exist or cannot be seen; run `decibel topics apply`")


def _key(value: bytes) -> bytes | None:
    """The incident id, if it can be read at all."""
    try:
        return _KEYED.decode(value).incident_id.encode() or None
    except (msgspec.DecodeError, UnicodeError):
        return None
